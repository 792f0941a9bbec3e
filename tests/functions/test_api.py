"""The HTTP surface: health, and a look by hand."""

from pathlib import Path

from msgspec import json

from functions import api
from shared.domain.errors import Unreachable
from tests.stories.scenes import factory_file
from tests.stories.world import World


def test_health_tells_version_mode_and_images(tmp_path: Path) -> None:
    """200 while the configuration is sound; nothing is asked of Azure."""
    world = World(config=factory_file(tmp_path, "web", "db"))
    answer = api.tell_health(world.worker)
    told = json.decode(answer.get_body())
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert (told["status"], told["mode"], told["images"], told["faults"]) == ("ok", "act", 2, [])
    assert world.gate.names == []


def test_health_lists_the_faults_of_the_configuration(tmp_path: Path) -> None:
    """503, each fault with its line; and 200 again once they are mended."""
    config = factory_file(tmp_path)
    world = World(config=config)
    sound = config.read_text(encoding="utf-8")
    config.write_text(sound.replace('"mode"', '"mood"'), encoding="utf-8")
    answer = api.tell_health(world.worker)
    told = json.decode(answer.get_body())
    assert (answer.status_code, told["status"]) == (503, "faulty")
    assert "mood" in str(told["faults"])
    config.write_text(sound, encoding="utf-8")
    assert api.tell_health(world.worker).status_code == 200


def test_a_look_by_hand_is_queued(tmp_path: Path) -> None:
    """202 with the correlation id under which the journal knows it."""
    world = World(config=factory_file(tmp_path, "web"))
    answer = api.take_look(world.worker, "web")
    told = json.decode(answer.get_body())
    assert answer.status_code == 202
    (message,) = world.queues.waiting("builds")
    assert told["correlation"] in message.body
    assert told["image"] == "web"


def test_a_look_at_an_unknown_image_is_a_problem(tmp_path: Path) -> None:
    """404, naming those that there are."""
    world = World(config=factory_file(tmp_path, "web"))
    for name in ("nobody", "", "../web", "x" * 5000):
        answer = api.take_look(world.worker, name)
        told = json.decode(answer.get_body())
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
        assert "configured are: web" in told["detail"]
        assert len(told["detail"]) < 300
    assert not world.queues.waiting()


def test_a_look_with_a_faulty_configuration_is_a_problem(tmp_path: Path) -> None:
    """503: nothing is acted upon."""
    config = factory_file(tmp_path, "web")
    world = World(config=config)
    config.write_text("{}", encoding="utf-8")
    answer = api.take_look(world.worker, "web")
    assert answer.status_code == 503
    assert "nothing is acted upon" in json.decode(answer.get_body())["detail"]


def test_a_queue_that_does_not_answer_is_a_problem(tmp_path: Path) -> None:
    """503: the caller tries again."""
    world = World(config=factory_file(tmp_path, "web"))

    def fail(_request: int) -> None:
        raise Unreachable("sending a message to builds: no answer")

    world.gate.before = fail
    answer = api.take_look(world.worker, "web")
    assert answer.status_code == 503
    assert "no answer" in json.decode(answer.get_body())["detail"]

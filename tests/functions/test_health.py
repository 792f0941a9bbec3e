"""Health over HTTP: degraded is not down, and nobody learns more than a word."""

from pathlib import Path

from azure.core.exceptions import ServiceRequestError

from shared.domain.callers import Role
from shared.domain.errors import Unreachable
from tests.stories.scenes import factory_file
from tests.stories.world import World

from .calling import Api


def parts(api: Api) -> dict[str, str]:
    return {each["name"]: each["told"] for each in api.get("/health").told["parts"]}


def failing(world: World, words: str) -> None:
    """Whatever request has these words in its name gets no answer."""

    def fail(_request: int) -> None:
        if words in world.gate.names[-1]:
            raise Unreachable("no answer") if "." in words else ServiceRequestError("no answer")

    world.gate.before = fail


def test_health_tells_version_mode_images_and_each_part(tmp_path: Path) -> None:
    world = World(config=factory_file(tmp_path, "web", "db"))
    told = Api(world.worker, None).get("/health").told
    assert (told["status"], told["mode"], told["images"], told["faults"]) == ("ok", "act", 2, 0)
    assert {each["status"] for each in told["parts"]} == {"ok"}


def test_without_resource_manager_or_event_grid_it_is_degraded(tmp_path: Path) -> None:
    """200: work waits, and is made up for."""
    for words, name in (("imageTemplates", "resource manager"), ("api/events", "event grid")):
        world = World(config=factory_file(tmp_path, "web"))
        failing(world, words)
        answer = Api(world.worker, None).get("/health")
        assert (answer.status, answer.told["status"]) == (200, "degraded")
        assert parts(Api(world.worker, None))[name] == "no answer"


def test_without_storage_it_is_down(tmp_path: Path) -> None:
    world = World(config=factory_file(tmp_path, "web"))
    failing(world, "ledger.read")
    answer = Api(world.worker, None).get("/health")
    assert (answer.status, answer.told["status"], answer.media) == (503, "down", "application/json")


def test_a_faulty_configuration_is_down_and_its_faults_are_for_those_who_may_read(tmp_path: Path) -> None:
    """They quote what is configured: anybody learns how many there are. And well again once it is mended."""
    config = factory_file(tmp_path)
    world, sound = World(config=config), config.read_text(encoding="utf-8")
    api = Api(world.worker, None)
    assert api.get("/health").status == 200
    wrong = '"mode": "https://acme.blob.core.windows.net/s?sv=1&sig=c2VjcmV0&sp=r", "mood"'
    config.write_text(sound.replace('"mode"', wrong), encoding="utf-8")
    answer = api.get("/health")
    assert (answer.status, answer.told["status"], answer.told["mode"]) == (503, "down", None)
    assert (answer.told["faults"], "mood" in str(answer.told), "acme" in str(answer.told)) == (
        2,
        False,
        False,
    )
    refused = Api(world.worker, Role.OPERATE).get("/images")
    assert (refused.status, "factory.yaml:1: mood: unknown key" in refused.detail) == (503, True)
    assert ("sig=...&sp=r" in refused.detail, "c2Vj" in refused.detail) == (True, False)
    config.write_text(sound, encoding="utf-8")
    assert api.get("/health").status == 200


def test_azure_is_not_asked_by_everybody_who_asks(tmp_path: Path) -> None:
    """Each part once in fifteen seconds."""
    world = World(config=factory_file(tmp_path, "web"))
    api = Api(world.worker, None)
    for _ in range(5):
        api.get("/health")
    assert len(world.gate.names) == 3
    world.clock.pause(16)
    api.get("/health")
    assert len(world.gate.names) == 6

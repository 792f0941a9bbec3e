"""The host's rules that need no host: configuration, settings, keys, messages, schedules, routes."""

import base64
import random
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sandbox.host import messages
from sandbox.host.backoff import Backoff
from sandbox.host.config import HostConfig, HostConfigFault, QueueOptions, load_config
from sandbox.host.functions import AppFault, Function
from sandbox.host.keys import load_keys
from sandbox.host.routes import Router
from sandbox.host.schedules import timetable
from sandbox.host.settings import AppSettings, SettingFault
from sandbox.host.timers import TimerStatus, after_run, on_start

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def write(path: Path, document: object) -> Path:
    path.write_bytes(msgspec.json.encode(document))
    return path


def test_host_json_has_the_defaults_of_the_real_host(tmp_path: Path) -> None:
    assert load_config(tmp_path / "absent.json") == HostConfig()
    config = load_config(write(tmp_path / "host.json", {"version": "2.0", "extensionBundle": {}}))
    assert (config.route_prefix, config.function_timeout) == ("api", timedelta(minutes=30))
    assert config.queues == QueueOptions(16, 8, timedelta(0), 5, timedelta(minutes=1), "base64")


def test_host_json_says_how_queues_and_timeouts_are(tmp_path: Path) -> None:
    queues = {
        "batchSize": 1,
        "newBatchThreshold": 0,
        "visibilityTimeout": "00:00:30",
        "messageEncoding": "none",
    }
    document = {"version": "2.0", "functionTimeout": "00:10:00", "extensions": {"queues": queues}}
    config = load_config(write(tmp_path / "host.json", document))
    assert config.function_timeout == timedelta(minutes=10)
    assert config.queues == QueueOptions(1, 0, timedelta(seconds=30), 5, timedelta(minutes=1), "none")


def test_settings_go_before_host_json(tmp_path: Path) -> None:
    """As in Azure: one app, polled more often where somebody waits."""
    queues = {"batchSize": 4, "maxPollingInterval": "00:00:05"}
    file = write(tmp_path / "host.json", {"version": "2.0", "extensions": {"queues": queues}})
    prefix = "AzureFunctionsJobHost__extensions__Queues"
    config = load_config(file, {f"{prefix}__maxPollingInterval": "00:00:01", f"{prefix}__batchSize": "2"})
    assert config.queues.max_polling_interval == timedelta(seconds=1)
    assert config.queues.batch_size == 2
    absent = load_config(tmp_path / "absent.json", {"AzureFunctionsJobHost__functionTimeout": "00:01:00"})
    assert absent == HostConfig(function_timeout=timedelta(minutes=1))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "version"),
        ({"version": "2.0", "functionTimeout": "5m"}, "functionTimeout"),
        ({"version": "2.0", "extensions": {"queues": {"batchSize": 33}}}, "batchSize is 33"),
        ({"version": "2.0", "extensions": {"queues": {"maxPollingInterval": "00:00:00.05"}}}, "100 ms"),
        ({"version": "2.0", "extensions": {"queues": {"messageEncoding": "utf8"}}}, "messageEncoding"),
        ({"version": "2.0", "extensions": {"queues": {"maxDequeueCount": 0}}}, "maxDequeueCount"),
        ({"version": "2.0", "logging": {"logLevel": {"default": "Loud"}}}, "loud"),
    ],
)
def test_a_host_json_that_cannot_be_is_refused_with_the_place(
    tmp_path: Path, document: object, said: str
) -> None:
    with pytest.raises(HostConfigFault, match=said):
        load_config(write(tmp_path / "host.json", document))


def test_connections_go_by_identity_alone() -> None:
    settings = AppSettings(
        {
            "A__queueServiceUri": "https://127.0.0.1:1/factory/",
            "A__credential": "managedidentity",
            "A__clientId": "id",
            "AzureWebJobsB__accountName": "bee",
            "C": "DefaultEndpointsProtocol=https;AccountKey=…",
            "NAME": "0 * * * * *",
        }
    )
    assert settings.connection("A").queue_uri == "https://127.0.0.1:1/factory"
    assert settings.connection("A").client_id == "id"
    assert settings.connection("B").queue_uri == "https://bee.queue.core.windows.net"
    for name, said in (("C", "connection string"), ("D", "not set")):
        with pytest.raises(SettingFault, match=said):
            settings.connection(name)
    assert settings.resolve("%NAME%") == "0 * * * * *"
    with pytest.raises(SettingFault, match="set OTHER"):
        settings.resolve("x %OTHER%")


def test_keys_are_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "state" / "host.keys.json"
    first = load_keys(path, ["a"])
    again = load_keys(path, ["a", "b"])
    assert (again.master_key, again.functions["a"]) == (first.master_key, first.functions["a"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert again.accepts(again.functions["b"]["default"], "b")
    assert again.accepts(again.function_keys["default"], "b")
    assert again.accepts(again.master_key, "b")
    assert not again.accepts(again.functions["a"]["default"], "b")
    assert not again.opens_webhook(again.function_keys["default"])
    assert not again.is_master("")


@pytest.mark.parametrize(
    ("succeeded", "count", "poison", "expected"),
    [
        (True, 9, "q-poison", "delete"),
        (False, 1, "q-poison", "release"),
        (False, 4, "q-poison", "release"),
        (False, 5, "q-poison", "poison"),
        (False, 6, "q-poison", "poison"),
        (False, 9, None, "leave"),
    ],
)
def test_what_becomes_of_a_message(succeeded: bool, count: int, poison: str | None, expected: str) -> None:
    assert messages.verdict(succeeded, count, poison, QueueOptions()) == expected


def test_a_message_that_crashed_the_host_too_often_goes_to_poison_without_a_call() -> None:
    assert messages.runs(5, "q-poison", QueueOptions())
    assert not messages.runs(6, "q-poison", QueueOptions())
    assert messages.runs(60, None, QueueOptions())


def test_a_poison_queue_has_no_poison_queue() -> None:
    assert messages.poison_queue("builds") == "builds-poison"
    assert messages.poison_queue("builds-poison") is None
    assert messages.poison_queue("x" * 60) is None


def test_messages_are_base64_of_utf8_unless_host_json_says_none() -> None:
    options = QueueOptions()
    assert messages.decode(base64.b64encode("grün".encode()).decode(), options) == "grün"
    assert messages.decode("{}", options) is None
    assert messages.decode(base64.b64encode(b"\xff").decode(), options) is None
    assert messages.decode("{}", msgspec.structs.replace(options, message_encoding="none")) == "{}"


def test_polling_slows_down_to_its_maximum_and_is_quick_again_after_a_message() -> None:
    backoff = Backoff(timedelta(seconds=2), random.Random(1))
    waits = [backoff.next(found=False).total_seconds() for _ in range(9)]
    assert waits[0] == 0.1
    assert waits == sorted(waits)
    assert waits[-1] == 2
    assert backoff.next(found=True) == timedelta(milliseconds=100)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("*/15 * * * * *", "2026-01-01T00:00:15"),
        ("0 30 9 * * 1-5", "2026-01-01T09:30:00"),
        ("0 0 9 13 * FRI", "2026-02-13T09:00:00"),
        ("00:00:30", "2026-01-01T00:00:30"),
    ],
)
def test_schedules_have_six_fields_in_utc(schedule: str, expected: str) -> None:
    assert timetable(schedule, "tick").after(NEW_YEAR).isoformat() == f"{expected}+00:00"


@pytest.mark.parametrize(
    "schedule", ["0 0 * * *", "0 0 0 L * *", "0 0 0 31 2 *", "99 * * * * *", "25:00:00", "often"]
)
def test_a_schedule_that_is_not_ncrontab_is_refused(schedule: str) -> None:
    with pytest.raises(AppFault, match="tick"):
        timetable(schedule, "tick")


def test_a_missed_occurrence_is_past_due_once_and_a_new_schedule_is_not() -> None:
    hourly, daily = timetable("0 0 * * * *", "tick"), timetable("0 0 12 * * *", "tick")
    first, past_due = on_start(None, hourly, NEW_YEAR)
    assert (first.next, past_due) == (NEW_YEAR + timedelta(hours=1), False)
    late = NEW_YEAR + timedelta(hours=5, minutes=1)
    assert on_start(first, hourly, NEW_YEAR + timedelta(minutes=5)) == (first, False)
    assert on_start(first, hourly, late) == (first, True)
    ran = after_run(hourly, late)
    assert ran == TimerStatus(next=NEW_YEAR + timedelta(hours=6), last_updated=late, last=late)
    assert on_start(ran, hourly, late)[1] is False
    changed, past_due = on_start(first, daily, late)
    assert (changed.next, past_due) == (NEW_YEAR + timedelta(hours=12), False)


def route(template: str, *methods: str) -> Function:
    binding: dict[str, Any] = {"route": template, "methods": list(methods)}
    return Function(template, "httpTrigger", binding, "req", None, lambda req: None, False, False)


ROUTER = Router(
    [
        route("files/{*path}"),
        route("items/{name}", "GET"),
        route("items/{name}", "POST"),
        route("items/new"),
        route("items/{number:int}"),
        route("items/{name}/{page:range(1,9)?}", "GET"),
        route("words/{word:alpha:maxlength(3)}"),
        route(""),
    ],
    "api",
)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/items/new", ("items/new", {})),
        ("GET", "/API/Items/NEW", ("items/new", {})),
        ("GET", "/api/items/7", ("items/{name}", {"name": "7"})),  # no closest route: the first by name
        ("GET", "/api/items/Ubuntu", ("items/{name}", {"name": "Ubuntu"})),
        ("POST", "/api/items/Ubuntu", ("items/{name}", {"name": "Ubuntu"})),
        ("DELETE", "/api/items/Ubuntu", None),
        ("GET", "/api/items/a%2Fb", ("items/{name}", {"name": "a%2Fb"})),
        ("GET", "/api/items/a/3", ("items/{name}/{page:range(1,9)?}", {"name": "a", "page": "3"})),
        ("GET", "/api/items/a/30", None),
        ("GET", "/api/files/a/b/c", ("files/{*path}", {"path": "a/b/c"})),
        ("GET", "/api/words/abc", ("words/{word:alpha:maxlength(3)}", {"word": "abc"})),
        ("GET", "/api/words/abcd", None),
        ("GET", "/items/new", None),
        ("GET", "/api/items", None),
    ],
)
def test_the_first_route_by_name_that_fits_and_takes_the_method_wins(
    method: str, path: str, expected: tuple[str, dict[str, str]] | None
) -> None:
    found = ROUTER.find(method, path)
    assert (found and (found[0].name, found[1])) == expected


@pytest.mark.parametrize("template", ["a/{name", "a/{name:colour}", "a/x{name}"])
def test_a_route_that_cannot_be_read_is_refused(template: str) -> None:
    with pytest.raises(AppFault):
        Router([route(template)], "api")

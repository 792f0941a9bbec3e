"""Every function of the app, as the host indexes it; and what importing the app may load."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functions.api import MASTER_KEY
from sandbox.host.functions import Function, index
from sandbox.host.settings import AppSettings
from shared.contracts.api.table import OPERATIONS
from shared.domain.callers import Role
from shared.domain.looks import Lane

ROOT = Path(__file__).parent.parent.parent
SETTINGS = {
    "IMAGE_FACTORY_SOURCES_SCHEDULE": "0 */15 * * * *",
    "IMAGE_FACTORY_SWEEP_SCHEDULE": "0 */10 * * * *",
    "IMAGE_FACTORY_RETENTION_SCHEDULE": "0 17 * * * *",
    "FactoryStorage__queueServiceUri": "https://factory.queue.core.windows.net",
}


@pytest.fixture(scope="module")
def functions() -> dict[str, Function]:
    from function_app import app

    return {function.name: function for function in index(app.get_functions(), AppSettings(SETTINGS))}


def test_the_app_has_these_functions_and_no_others(functions: dict[str, Function]) -> None:
    """A queue and a poison queue for each lane, three timers, three events, and the routes."""
    by_trigger: dict[str, set[str]] = {}
    for function in functions.values():
        by_trigger.setdefault(function.binding["type"], set()).add(function.name)
    assert by_trigger == {
        "timerTrigger": {"watch_sources", "sweep", "retention"},
        "eventGridTrigger": {"source_version_found", "template_changed", "version_changed"},
        "queueTrigger": {f"look_{lane.value}" for lane in Lane} | {f"poison_{lane.value}" for lane in Lane},
        "httpTrigger": {"api_description", "api_health", "api_page", "api_z", *MASTER_KEY},
    }


def test_every_lane_has_its_queue_and_its_poison_queue(functions: dict[str, Function]) -> None:
    """All on the factory's own storage, reached by identity."""
    for lane in Lane:
        look, poison = functions[f"look_{lane.value}"].binding, functions[f"poison_{lane.value}"].binding
        assert (look["queueName"], poison["queueName"]) == (lane.value, f"{lane.value}-poison")
        assert look["connection"] == poison["connection"] == "FactoryStorage"


def test_only_what_tells_no_secret_is_open(functions: dict[str, Function]) -> None:
    """Everything else needs a key; and the one that takes everything is the last that the host tries."""
    routes = {f.name: f.binding for f in functions.values() if f.binding["type"] == "httpTrigger"}
    levels = {b["route"]: str(b["authLevel"]).rpartition(".")[2].upper() for b in routes.values()}
    assert {route: level for route, level in levels.items() if level != "ADMIN"} == {
        "v1/docs": "ANONYMOUS",
        "v1/health": "ANONYMOUS",
        "v1/openapi.json": "ANONYMOUS",
        "v1/{*path}": "FUNCTION",
    }
    assert max(routes) == next(name for name, b in routes.items() if b["route"] == "v1/{*path}")


def test_the_subscriptions_name_functions_that_there_are(functions: dict[str, Function]) -> None:
    """config/event-subscriptions.json."""
    from sandbox.eventgrid.subscriptions import load_subscriptions

    subscriptions: Any = load_subscriptions(ROOT / "config" / "event-subscriptions.json")
    assert {s.function for s in subscriptions} == {
        "source_version_found",
        "template_changed",
        "version_changed",
    }
    assert all(functions[s.function].binding["type"] == "eventGridTrigger" for s in subscriptions)


def test_importing_the_app_loads_no_azure_sdk() -> None:
    """Cold starts pay for azure.functions alone."""
    script = """
import sys, function_app
banned = ("azure.mgmt", "azure.identity", "azure.eventgrid", "azure.storage", "azure.data", "azure.core",
          "jsonschema", "yaml", "requests")
print(*[name for name in sys.modules if name.startswith(banned)])
"""
    done = subprocess.run(  # a process of its own, since this one has loaded them all
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_what_takes_the_master_key_is_what_takes_the_role_of_administrators(
    functions: dict[str, Function],
) -> None:
    """The host lets no other key in, and the app cannot tell one key from another."""
    wanted = {(o.method, f"v1{o.path}") for o in OPERATIONS if o.role is Role.ADMIN}
    behind = {
        (method, function.binding["route"])
        for function in functions.values()
        if str(function.binding.get("authLevel", "")).upper().endswith("ADMIN")
        for method in function.binding["methods"]
    }
    assert behind == wanted

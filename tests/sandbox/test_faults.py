"""Faults, switches and roles: what a person turns, and what is said when it cannot be turned."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.arm.roles import Role, Roles
from sandbox.clock import VirtualClock
from sandbox.faults import Fault, Faults
from sandbox.http import Request, Response
from sandbox.switches import Switches

SCOPE = "/subscriptions/s/resourceGroups/g/providers/N/t/n"


def answers(faults: Faults, path: str = "/a", service: str = "arm") -> Response:
    return faults.around(service, Request("GET", path), lambda _request: Response(200))


def test_fault_fires_on_the_nth_match_and_so_many_times() -> None:
    """nth=2, count=2: the second and third request that match; others are not counted."""
    faults = Faults(VirtualClock())
    fault = faults.add(Fault("arm", "status", path="/a", nth=2, count=2))
    faults.add(Fault("blob", "status"))
    seen = [answers(faults, path).status for path in ("/a", "/b", "/a", "/A", "/a")]
    assert seen == [200, 200, 503, 503, 200]
    assert [fired.target for fired in faults.fired(fault.id)] == ["/a", "/A"]
    assert faults.remove(fault.id)
    assert not faults.remove(fault.id)


def test_delay_adds_to_whatever_else_happens() -> None:
    """A delayed answer may still be an error."""
    faults = Faults(VirtualClock())
    faults.add(Fault("arm", "delay", seconds=2))
    faults.add(Fault("arm", "drop", when="after"))
    response = answers(faults)
    assert (response.delay, response.drop) == (2, "after")


def test_killing_the_host_loses_the_answer() -> None:
    """The process that would have got it is gone."""
    killed: list[bool] = []
    faults = Faults(VirtualClock(), kill_host=lambda: killed.append(True))
    faults.add(Fault("arm", "kill_host", when="after"))
    assert answers(faults).drop == "after"
    assert killed == [True]


def test_storage_faults_speak_the_language_of_storage() -> None:
    """The code is in a header, not in JSON."""
    faults = Faults(VirtualClock())
    faults.add(Fault("blob", "status", code="ServerBusy"))
    assert answers(faults, service="blob").headers["x-ms-error-code"] == "ServerBusy"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("moon", "drop"), "choose one of arm, blob"),
        (Fault("arm", "drop", nth=0), "start at 1"),
        (Fault("arm", "drop", path="("), "not a regular expression"),
    ],
)
def test_fault_that_could_never_fire_is_refused(fault: Fault, words: str) -> None:
    """With what is wrong and what there is."""
    with pytest.raises(ValueError, match=words):
        Faults(VirtualClock()).add(fault)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"speed": 1}, "no switch 'speed': choose one of exact_version_refreshed"),
        ({"second_run_status": 500}, "500 is not one of 409, 400"),
        ({"completion_events": "yes"}, "expected bool, got 'yes'"),
        ({"visible_run_delay": -1.0}, "expected float, got -1.0"),
        ({"operation_retry_after": True}, "expected int, got True"),
    ],
)
def test_switch_that_does_not_exist_or_fit_is_refused(values: dict[str, Any], words: str) -> None:
    """The message names the switch and its choices."""
    with pytest.raises(ValueError, match=words):
        Switches().with_values(values)


def test_switches_turn_by_name() -> None:
    """The others stay where they are."""
    turned = Switches().with_values({"visible_run_delay": 60, "claims_form": "string"})
    assert (turned.visible_run_delay, turned.claims_form, turned.completion_events) == (60, "string", True)


@pytest.mark.parametrize(
    ("role", "action", "allowed"),
    [
        ("Owner", "Microsoft.Anything/at/all", True),
        ("Contributor", "Microsoft.Authorization/roleAssignments/write", False),
        ("Reader", "N/t/read", True),
        ("Reader", "N/t/write", False),
    ],
)
def test_wildcards_and_exceptions_of_roles(role: str, action: str, allowed: bool) -> None:
    """As Azure's built-in roles have them, without regard to case."""
    roles = Roles()
    roles.assign("Someone", role, "/subscriptions/s")
    assert roles.allows("someone", action.upper(), SCOPE) is allowed
    assert not roles.allows("someone", action, "/subscriptions/sister/resourceGroups/g")
    assert not roles.allows("another", action, SCOPE)


def test_data_actions_are_apart_from_actions() -> None:
    """Not even the owner reads data without a data role; what is revoked is gone at once."""
    roles = Roles()
    roles.assign("a", "Owner", "/")
    assert not roles.allows("a", "N/read", SCOPE, data=True)
    roles.define(Role("Data", data_actions=("N/*",)))
    roles.assign("a", "Data", SCOPE)
    assert roles.allows("a", "N/read", f"{SCOPE}/below", data=True)
    assert roles.revoke("a", "Data", SCOPE.upper()) == 1
    assert not roles.allows("a", "N/read", SCOPE, data=True)


def test_unknown_role_is_refused_with_the_known_ones() -> None:
    """A typing error must not look like a missing right later."""
    with pytest.raises(ValueError, match="no role 'Boss': choose one of Contributor"):
        Roles().assign("a", "Boss", "/")

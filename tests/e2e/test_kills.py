"""The host is killed at a point of the story, and comes back: in the end it is as if nothing had happened.

A point is a request: before its effect, or after it and before anybody hears of it. Which requests there are
is told by the stories in process, where each of them is a cut; here the processes are real.
"""

from typing import Any

import pytest

from tests.worlds.factory import FactoryWorld

RUN = r"/imageTemplates/[^/]+/run\?"
TEMPLATE = r"/imageTemplates/[^/?]+\?"
VHD = r"^/archive/images/.+\.vhd\?"


def point(service: str, method: str, path: str, when: str, nth: int = 1) -> dict[str, Any]:
    return {"service": service, "method": method, "path": path, "when": when, "nth": nth}


PROMISED = {
    "after the run is accepted": point("arm", "POST", RUN, "after"),
    "in mid-copy": point("blob", "PUT", f"{VHD}comp=page$", "after", nth=5),
    "after the copy, before verification": point("blob", "PUT", f"{VHD}comp=lease", "before", nth=3),
    "after the manifest, before the deletion": point("blob", "PUT", r"^/archive/images/.+\.json", "after"),
    "after the effect, before its message is completed": point(
        "queue", "DELETE", "^/factory/archive/messages/", "before"
    ),
}

FURTHER = {
    "version seen, not announced": point("eventgrid", "POST", "/events", "before"),
    "announced, not recorded": point("eventgrid", "POST", "/events", "after"),
    "recorded as announced": point("table", "POST", r"/\$batch", "after"),
    "event not turned into a message": point("queue", "POST", "^/factory/builds/messages", "before"),
    "event turned into a message, not accepted": point("queue", "POST", "^/factory/builds/messages", "after"),
    "images not told": point("table", "POST", r"/\$batch", "before", nth=2),
    "images told": point("table", "POST", r"/\$batch", "after", nth=2),
    "template not requested": point("arm", "PUT", TEMPLATE, "before"),
    "template requested": point("arm", "PUT", TEMPLATE, "after"),
    "claim made, run not requested": point("arm", "POST", RUN, "before"),
    "end of the run seen": point("arm", "GET", r"/runOutputs\?", "after"),
    "destination not made": point("blob", "PUT", f"{VHD}$", "before"),
    "destination made": point("blob", "PUT", f"{VHD}$", "after"),
    "nothing copied": point("blob", "PUT", f"{VHD}comp=page$", "before"),
    "copy nearly done": point("blob", "PUT", f"{VHD}comp=page$", "after", nth=20),
    "lease given back after the copy": point("blob", "PUT", f"{VHD}comp=lease", "after", nth=2),
    "in mid-verification": point("blob", "GET", f"{VHD}$", "after", nth=3),
    "verified, not marked": point("blob", "PUT", f"{VHD}comp=metadata", "before"),
    "verified and marked": point("blob", "PUT", f"{VHD}comp=metadata", "after"),
    "manifest not written": point("blob", "PUT", r"^/archive/images/.+\.json", "before"),
    "deletion not requested": point("arm", "DELETE", TEMPLATE, "before"),
    "deletion requested": point("arm", "DELETE", TEMPLATE, "after"),
    "message of a look at the image not completed": point(
        "queue", "DELETE", "^/factory/builds/messages/", "before", nth=2
    ),
    "message of a source not completed": point("queue", "DELETE", "^/factory/sources/messages/", "before"),
    "message of a copy completed": point("queue", "DELETE", "^/factory/archive/messages/", "after"),
}


def survive(factory: FactoryWorld, fault: dict[str, Any]) -> None:
    before, starts = factory.traces(), factory.sandbox.control("GET", "/host")["starts"]
    armed = factory.fault(**fault)
    version = factory.publish()
    try:
        factory.settled(version)
        assert factory.fired(armed) == 1, "the story never came to this point"
        assert factory.sandbox.control("GET", "/host")["starts"] == starts + 1
        factory.assert_fault_free(version, before)
    finally:
        factory.sandbox.control("DELETE", "/faults")


@pytest.mark.parametrize("name", PROMISED)
def test_a_killed_host_changes_nothing_in_the_end(factory: FactoryWorld, name: str) -> None:
    survive(factory, PROMISED[name])


@pytest.mark.long
@pytest.mark.parametrize("name", FURTHER)
def test_a_host_killed_anywhere_changes_nothing_in_the_end(factory: FactoryWorld, name: str) -> None:
    survive(factory, FURTHER[name])

"""The host is killed at a point of the story, and comes back: in the end it is as if nothing had happened.

A point is a request: before its effect, or after it and before anybody hears of it. Which requests there are
is told by the stories in process, where each of them is a cut; here the processes are real.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.worlds.factory import FactoryWorld

RUN = r"/imageTemplates/[^/]+/run\?"
TEMPLATE = r"/imageTemplates/[^/?]+\?"
VHD = r"^/archive/images/.+\.vhd"


def point(service: str, method: str, path: str, when: str, nth: int = 1) -> dict[str, Any]:
    return {"service": service, "method": method, "path": path, "when": when, "nth": nth}


IN_MID_COPY = {"in mid-copy": point("blob", "PUT", rf"{VHD}\?comp=page$", "after", nth=5)}

ONE_AFTER_THE_OTHER = {
    "after the run is accepted": point("arm", "POST", RUN, "after"),
    "after the copy, before verification": point("blob", "PUT", rf"{VHD}\?comp=lease", "before", nth=3),
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
    "nothing copied": point("blob", "PUT", rf"{VHD}\?comp=page$", "before"),
    "copy nearly done": point("blob", "PUT", rf"{VHD}\?comp=page$", "after", nth=20),
    "lease given back after the copy": point("blob", "PUT", rf"{VHD}\?comp=lease", "after", nth=2),
    "in mid-verification": point("blob", "GET", f"{VHD}$", "after", nth=3),
    "verified, not marked": point("blob", "PUT", rf"{VHD}\?comp=metadata", "before"),
    "verified and marked": point("blob", "PUT", rf"{VHD}\?comp=metadata", "after"),
    "manifest not written": point("blob", "PUT", r"^/archive/images/.+\.json", "before"),
    "deletion not requested": point("arm", "DELETE", TEMPLATE, "before"),
    "deletion requested": point("arm", "DELETE", TEMPLATE, "after"),
    "message of a look at the image not completed": point(
        "queue", "DELETE", "^/factory/builds/messages/", "before", nth=2
    ),
    "message of a source not completed": point("queue", "DELETE", "^/factory/sources/messages/", "before"),
    "message of a copy completed": point("queue", "DELETE", "^/factory/archive/messages/", "after"),
}


EVERYWHERE = IN_MID_COPY | ONE_AFTER_THE_OTHER | FURTHER


def survive(factory: FactoryWorld, points: Mapping[str, dict[str, Any]]) -> None:
    before, starts = factory.traces(), factory.starts()
    armed = {name: factory.fault(**each) for name, each in points.items()}
    version = factory.publish()
    try:
        factory.settled(before)
        missed = [name for name, fault in armed.items() if factory.fired(fault) != 1]
        assert not missed, "the story never came to these points"
        assert factory.starts() == starts + len(points)
        factory.assert_fault_free(version, before)
    finally:
        factory.sandbox.control("DELETE", "/faults")


@pytest.mark.long
def test_a_host_killed_in_mid_copy_leaves_the_next_one_to_go_on(factory: FactoryWorld) -> None:
    """The dead one's lease has to run out first."""
    survive(factory, IN_MID_COPY)


def test_a_host_killed_at_one_point_after_the_other_changes_nothing_in_the_end(factory: FactoryWorld) -> None:
    """All in one story: each kill hits the host that took over from the one before."""
    survive(factory, ONE_AFTER_THE_OTHER)


@pytest.mark.long
@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_host_killed_anywhere_changes_nothing_in_the_end(factory: FactoryWorld, name: str) -> None:
    survive(factory, {name: EVERYWHERE[name]})

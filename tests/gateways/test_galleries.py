"""Gallery versions through the real SDK, over the local Azure without sockets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import pytest
from msgspec.structs import replace

from sandbox.arm.galleries.replication import Plan
from sandbox.azure import Setting
from sandbox.faults import Fault
from sandbox.http import Response
from sandbox.identity.tokens import NOBODY
from sandbox.switches import Switches
from shared import ports
from shared.domain.errors import (
    AccessDenied,
    Conflict,
    Missing,
    PermanentError,
    RetryableError,
    Throttled,
    Unreachable,
    WrongState,
)
from shared.domain.galleries import Provisioning, Replication, Target, Update
from shared.gateways import connection
from shared.gateways.galleries import ArmGalleries

from .arm import ARM, ArmWorld, Said, connection_to, error
from .gallery import DEFINITION, HOME, NORTH, VERSION, GalleryWorld

if TYPE_CHECKING:
    from collections.abc import Callable

LATEST_AT_HOME = Target("westeurope", 1, "Standard_LRS", excluded=False)


@pytest.fixture
def world() -> GalleryWorld:
    return GalleryWorld()


def answered(*answers: Response) -> tuple[ArmGalleries, Said]:
    said = Said(*answers)
    return ArmGalleries(ARM, connection_to(said)), said


def test_a_version_is_read_whole_in_one_request(world: GalleryWorld) -> None:
    version = world.built()
    assert world.methods() == ["GET"]
    assert (version.id, version.version.text, version.location) == (VERSION, "1.0.0", "westeurope")
    assert (version.provisioning, version.excluded) == (Provisioning.SUCCEEDED, True)
    assert version.replication_mode == "Full"
    assert version.published is not None
    assert timedelta(0) < world.clock.now() - version.published < timedelta(hours=1)
    assert version.end_of_life is None
    assert version.tags["VMImageBuilderSource"].startswith("PlatformImage Canonical::")
    (home,) = version.regions
    assert (home.name, home.replicas, home.storage) == ("westeurope", 1, "Standard_LRS")
    assert (home.state, home.progress, home.details) == (Replication.COMPLETED, 100, "")


def test_a_version_that_is_not_there_is_none(world: GalleryWorld) -> None:
    """Nor one in a definition, a gallery or a group that is not there."""
    assert world.galleries.get(VERSION) is None
    for place in ("group", "gallery", "name"):
        elsewhere = replace(DEFINITION, **{place: "gone"})
        assert world.galleries.get(elsewhere.version("1.0.0")) is None


def test_regions_tell_how_far_they_are(world: GalleryWorld) -> None:
    world.built()
    world.azure.galleries.plan(Plan(region="uksouth", fails=1, seconds=60, details="No capacity."))
    world.update(HOME, NORTH, Target("uksouth", 1, "Standard_LRS", excluded=True))
    world.wait(minutes=3)
    version = world.read()
    assert version.provisioning is Provisioning.UPDATING
    _, north, south = version.regions
    assert north.state is Replication.REPLICATING
    assert 0 < north.progress < 100
    assert (north.replicas, north.storage, north.excluded) == (2, "Standard_ZRS", True)
    assert (south.state, south.progress, south.details) == (Replication.FAILED, 0, "No capacity.")


def test_an_update_is_one_request_and_nothing_is_awaited(world: GalleryWorld) -> None:
    world.built()
    world.update(LATEST_AT_HOME, NORTH, end_of_life=datetime(2027, 5, 1, tzinfo=UTC))
    assert world.methods() == ["PATCH"]
    assert world.transport.slept == []
    world.wait(minutes=20)
    version = world.read()
    assert [(r.name, r.excluded) for r in version.regions] == [("westeurope", False), ("northeurope", True)]
    assert (version.excluded, version.end_of_life) == (False, datetime(2027, 5, 1, tzinfo=UTC))
    assert version.provisioning is Provisioning.SUCCEEDED


def test_tags_that_somebody_sets_between_read_and_update_stay(world: GalleryWorld) -> None:
    version = world.built()
    found = world.azure.galleries.version(str(VERSION))
    assert found is not None
    found.tags = {"pinned": "by a person"}
    world.galleries.update(version, Update((HOME,)))
    assert found.tags == {"pinned": "by a person"}


def test_versions_are_listed_one_request_per_page() -> None:
    world = GalleryWorld(setting=Setting(page_size=1))
    for _ in range(3):
        world.built()
    listed = world.galleries.list(DEFINITION)
    world.azure.calls.clear()
    first = next(listed)
    assert world.methods() == ["GET"]
    assert [first.version.text, *(each.version.text for each in listed)] == ["1.0.0", "1.0.1", "1.0.2"]
    assert world.methods() == ["GET"] * 3
    assert [r.state for r in first.regions] == [Replication.UNKNOWN], "a list tells nothing of replication"


def test_versions_of_nothing_are_missing(world: GalleryWorld) -> None:
    with pytest.raises(Missing, match="listing the versions of image definition images/gone: it does not"):
        next(world.galleries.list(replace(DEFINITION, name="gone")))


def test_a_version_that_has_gone_is_missing_when_it_is_updated(world: GalleryWorld) -> None:
    version = world.built()
    world.azure.fabric.records.remove(str(VERSION))
    with pytest.raises(Missing, match=r"updating gallery version images/web/1\.0\.0: it does not exist"):
        world.galleries.update(version, Update((HOME,)))


def test_a_version_that_cannot_be_read_hides_no_other_in_a_list() -> None:
    known = {"location": "westeurope", "properties": {"provisioningState": "Succeeded"}}
    rows = [
        {"id": str(DEFINITION.version("1.0.0")), **known},
        {"id": str(DEFINITION.version("1.0.1")), "properties": {"provisioningState": "Dreaming"}},
        {"id": str(DEFINITION.version("01.0.2")), **known},
        {"id": "/none", **known},
        {"id": str(DEFINITION.version("1.0.3")), **known},
    ]
    galleries, _ = answered(Response.of(200, {"value": rows}))
    assert [each.version.text for each in galleries.list(DEFINITION)] == ["1.0.0", "1.0.3"]


def test_while_it_is_updating_another_update_is_for_later() -> None:
    world = GalleryWorld(switches=Switches(update_while_updating="refused"))
    world.built()
    world.update(HOME, NORTH)
    with pytest.raises(WrongState, match=r"gallery version images/web/1\.0\.0: it takes no such update now"):
        world.update(HOME, NORTH)
    world.wait(minutes=20)
    world.update(LATEST_AT_HOME, NORTH)


@pytest.mark.parametrize("status", [409, 400])
def test_a_list_that_has_got_stale_is_refused_and_read_again(status: Literal[409, 400]) -> None:
    """A region that somebody else has added meanwhile, and that has replicated, is not dropped."""
    world = GalleryWorld(switches=Switches(protected_region_status=status))
    stale = world.built()
    world.update(HOME, NORTH)
    world.wait(minutes=20)
    with pytest.raises(WrongState, match="allowDeletionOfReplicatedLocations"):
        world.galleries.update(stale, Update((HOME,)))
    assert [r.name for r in world.read().regions] == ["westeurope", "northeurope"]


def test_what_can_never_be_changed_is_refused_for_good(world: GalleryWorld) -> None:
    version = world.built()
    galleries, said = answered(error(409, "PropertyChangeNotAllowed", "Changing 'x' is not allowed."))
    with pytest.raises(PermanentError, match="refused \\(409 PropertyChangeNotAllowed"):
        galleries.update(version, Update((HOME,)))
    assert len(said.asked) == 1
    with pytest.raises(PermanentError, match="must contain the location"):
        world.galleries.update(version, Update((NORTH,)))


def test_too_many_requests_are_known_whatever_the_code_and_wait_as_asked(world: GalleryWorld) -> None:
    """Compute says OperationNotAllowed and hides the real code in the details: the status counts."""
    version = world.built()
    refusal = Response.of(
        429,
        {
            "error": {
                "code": "OperationNotAllowed",
                "message": "The server rejected the request because too many requests have been received.",
                "details": [{"code": "TooManyRequests", "target": "CreateUpdateGalleryImageVersion3Min"}],
            }
        },
        {"Retry-After": "180"},
    )
    galleries, said = answered(refusal, refusal, refusal)
    acts: tuple[Callable[[], object], ...] = (
        lambda: galleries.get(VERSION),
        lambda: galleries.update(version, Update((HOME,))),
        lambda: next(galleries.list(DEFINITION)),
    )
    for act in acts:
        with pytest.raises(Throttled) as caught:
            act()
        assert caught.value.delay == timedelta(minutes=3)
    assert [each.method for each in said.asked] == ["GET", "PATCH", "GET"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("action", "kind"), [("drop", Unreachable), ("status", RetryableError)], ids=["no answer", "503"]
)
def test_an_update_without_an_answer_is_sent_once(
    world: GalleryWorld, when: Literal["before", "after"], action: Literal["drop", "status"], kind: type
) -> None:
    """Whether it was done is seen at the next look; the claim stands until no request can be under way."""
    world.built()
    world.azure.faults.add(Fault("arm", action, when, "PATCH", "/versions/", status=503))
    with pytest.raises(kind) as caught:
        world.update(HOME, NORTH)
    assert not isinstance(caught.value, (Throttled, Conflict, WrongState))
    assert len(world.azure.faults.fired()) == 1
    assert world.methods() == ["PATCH"]
    assert (world.read().region("northeurope") is not None) == (when == "after")


def test_a_missing_role_is_named_and_never_a_missing_version() -> None:
    world = GalleryWorld()
    version = world.built()
    nobody = ArmWorld(principal=NOBODY)
    acts: dict[str, Callable[[], object]] = {
        "read": lambda: nobody.galleries.get(VERSION),
        "write": lambda: nobody.galleries.update(version, Update((HOME,))),
    }
    for verb, act in acts.items():
        with pytest.raises(AccessDenied) as caught:
            act()
        assert caught.value.action == f"Microsoft.Compute/galleries/images/versions/{verb}"
        assert caught.value.scope == f"/subscriptions/{DEFINITION.subscription}/resourceGroups/image-factory"
    with pytest.raises(AccessDenied):
        next(nobody.galleries.list(DEFINITION))


def test_no_request_outlives_what_a_claim_allows_it() -> None:
    """When a claim on a version ends, the last request under it must be over: it may no longer be sent."""
    longest = timedelta(seconds=connection.CONNECT_SECONDS + connection.READ_SECONDS)
    assert longest <= ports.REQUEST_TIMEOUT

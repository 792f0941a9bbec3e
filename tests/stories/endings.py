"""How a story has to end, whatever happened on the way."""

from collections.abc import Callable

from sandbox.vhd import Vhd
from shared.domain.ids import BlobAddress
from shared.domain.records import FailedWork, OutputRecord, OutputState, RunRecord

from .world import World

OLD, NEW, NEWER = "22.04.202610070", "22.04.209901010", "22.04.209902010"


def released(version: str) -> Callable[[World], bool]:
    """Whether the image is built from the version, archived, and its template gone."""

    def over(world: World) -> bool:
        image = world.image()
        return (
            image is not None
            and str(image.built) == version
            and not image.unsettled
            and image.claim is None
            and image.run is None
            and not world.azure.imagebuilder.templates()
        )

    return over


def assert_fault_free(world: World, *versions: str, unanswered: int = 0) -> None:
    """One run per version, each VHD archived once and whole, nothing lost, nothing twice.

    Up to `unanswered` of the accepted run requests may have been answered with something else.
    """
    runs = sorted(world.records(RunRecord), key=lambda run: run.start)
    assert [str(run.version) for run in runs] == list(versions), world.told()
    assert len(versions) - unanswered <= world.requested_runs() <= len(versions), world.told()
    outputs = world.records(OutputRecord)
    assert [o.state for o in outputs] == [OutputState.ARCHIVED] * len(versions)
    names = [at.name for at in world.archived()]
    vhds = [at for at in world.archived() if at.name.endswith(".vhd")]
    assert [at.name.replace(".vhd", ".json") for at in vhds] == [n for n in names if n.endswith(".json")]
    assert len(vhds) == len(versions) == len(world.storage.made)
    for at, made in zip(vhds, world.storage.made, strict=True):
        assert_same(world, at, made)
    assert not world.records(FailedWork)
    assert not world.staging_accounts()


def assert_same(world: World, at: BlobAddress, made: Vhd) -> None:
    """Byte for byte what Image Builder wrote, holes included."""
    facts = world.blobs.facts(at)
    assert (facts.length, facts.metadata["state"]) == (made.size, "verified")
    for start, data in made.extents:
        assert world.blobs.read(at, start, start + len(data)) == data
    held = sum(r.size for r in world.blobs.ranges(at).ranges)
    assert held == sum(len(data) for _, data in made.extents)

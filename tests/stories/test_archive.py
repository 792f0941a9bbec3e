"""How a VHD gets into the archive: whole, once, verified, and not at all if anything is wrong with it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sandbox.arm.imagebuilder.outcomes import Outcome, SpoiltVhd, VhdShape
from shared.domain.errors import Throttled
from shared.domain.records import FailedWork, JournalLine, OutputRecord, OutputState

from .cuts import Gate, When
from .endings import NEW, NEWER, assert_fault_free, assert_same, released
from .scenes import IMAGE, KEEP, Operator, factory_file, vhd_distributor
from .world import World

LARGE = VhdShape(size_mib=96, payload_mib=24)
"""Some chunks of 4 MiB, and some smaller ones."""
COPY = "blobs.copy_pages"


def output(world: World) -> OutputRecord:
    (found,) = world.records(OutputRecord)
    assert isinstance(found, OutputRecord)
    return found


def at_the_archive(config: Path, *outcomes: Outcome, **options: Any) -> World:
    """NEW is built; its VHD is recorded and not yet touched."""
    world = World(config=config, **options)
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: bool(w.azure.imagebuilder.templates()), at_once=True)
    world.plan(IMAGE, *outcomes)
    world.play(lambda w: bool(w.records(OutputRecord)), at_once=True)
    return world


def on_copy(world: World, number: int, act: Callable[[], object]) -> None:
    """Do something right before the n-th chunk is copied."""
    done: list[bool] = []

    def before(_request: int) -> None:
        if world.gate.names.count(COPY) == number and not done:
            done.append(True)
            act()

    world.gate.before = before


def copied(world: World) -> list[int]:
    """The size of each chunk that was asked for."""
    return [args[-1].size for name, args in world.gate.asked if name == COPY]


def manifests(world: World) -> list[dict[str, Any]]:
    names = [at for at in world.archived() if at.name.endswith(".json")]
    return [msgspec.json.decode(world.blobs.content(at) or b"") for at in names]


def told(world: World, what: str) -> list[str]:
    return [line.why for line in world.records(JournalLine) if line.what == what]


@pytest.mark.parametrize("place", ["images", "images/golden/ubuntu.vhd"])
def test_a_vhd_that_is_distributed_into_the_archive_is_verified_in_place(tmp_path: Path, place: str) -> None:
    """No copy; verification and manifest all the same, pinned to the ETag."""
    uri = f"https://archive.blob.core.windows.net/{place}"
    world = at_the_archive(factory_file(tmp_path, properties=vhd_distributor(uri=uri)))
    world.play(released(NEW))
    assert not copied(world)
    record = output(world)
    assert (record.state, record.in_place) == (OutputState.ARCHIVED, True)
    (manifest,) = manifests(world)
    assert record.target is not None
    assert manifest["vhd"]["etag"].strip('"') == world.blobs.facts(record.target).etag.strip('"')


def test_each_run_into_the_same_blob_of_the_archive_gets_a_manifest_of_its_own(tmp_path: Path) -> None:
    """Image Builder overwrites the blob; the manifest of the run before must not pass for the new one."""
    uri = "https://archive.blob.core.windows.net/images/golden/ubuntu.vhd"
    world = at_the_archive(factory_file(tmp_path, options=KEEP, properties=vhd_distributor(uri=uri)))
    world.play(lambda w: not w.known().unsettled)
    world.publish_version(NEWER)
    world.play(lambda w: str(w.known().built) == NEWER and not w.known().unsettled)
    versions = [manifest["sourceVersion"] for manifest in manifests(world)]
    assert sorted(versions) == [NEW, NEWER]


def test_a_deprovisioning_script_of_its_own_is_noted_in_the_manifest(tmp_path: Path) -> None:
    """Of the template that the run was built in, whatever its file says by the time of archiving."""
    own = [{"type": "File", "sourceUri": "https://x/y.sh", "destination": "/tmp/DeprovisioningScript.sh"}]
    world = at_the_archive(factory_file(tmp_path, properties={**vhd_distributor(), "customize": own}))
    world.play(released(NEW))
    (manifest,) = manifests(world)
    assert manifest["generalizedBy"] == "custom command: /tmp/DeprovisioningScript.sh"


@pytest.mark.parametrize(("kind", "full"), [("footer", False), ("sample", False), ("full", True)])
def test_every_verification_ends_in_a_manifest_that_tells_it(tmp_path: Path, kind: str, full: bool) -> None:
    """footer, sample (the default) or full, the last with a digest."""
    world = at_the_archive(factory_file(tmp_path, options={"verification": kind}), shape=LARGE)
    world.play(released(NEW))
    assert_fault_free(world, NEW)
    (manifest,) = manifests(world)
    text = msgspec.json.encode(manifest).decode()
    assert f'"{kind}"' in text
    assert bool(output(world).digest) == full


@pytest.mark.parametrize(("kind", "found"), [("footer", False), ("sample", True), ("full", True)])
def test_a_copy_whose_content_differs_gets_no_manifest(tmp_path: Path, kind: str, found: bool) -> None:
    """What was copied is spoilt before it is verified; a footer alone cannot tell."""
    world = at_the_archive(factory_file(tmp_path, options={"verification": kind}))

    def spoil(_request: int) -> None:
        record = output(world)
        if record.state is OutputState.COPIED and record.target:
            blob = world.blobs.blobs("archive")[record.target]
            start = world.blobs.ranges(record.target).ranges[0].start
            blob.content.write(start, b"\xff" * 512)

    world.gate.before = spoil
    world.play(lambda w: output(w).state in (OutputState.REFUSED, OutputState.ARCHIVED))
    assert (output(world).state is OutputState.REFUSED) == found
    assert bool(manifests(world)) != found
    if found:
        assert "differs from its source" in output(world).reason


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [("truncated", "whole number of MiB"), ("broken_footer", "footer"), ("dynamic", "it is dynamic")],
)
def test_a_bad_vhd_is_refused_and_the_next_run_waits_for_a_person(
    tmp_path: Path, spoilt: SpoiltVhd, reason: str
) -> None:
    """No manifest, the reason in the journal, the source untouched; a person resumes the image."""
    world = at_the_archive(factory_file(tmp_path), Outcome(vhd=spoilt))
    source = output(world).source
    assert source is not None
    before = world.blobs.facts(source)
    world.publish_version(NEWER)
    world.go_on(hours=3)
    assert output(world).state is OutputState.REFUSED
    assert [reason in why for why in told(world, "refused")] == [True]
    assert world.blobs.facts(source) == before
    assert not manifests(world)
    assert (world.requested_runs(), world.known().unsettled) == (1, (f"{output(world).run}/{IMAGE}-vhd",))
    failed = [event for event in world.published if event["eventType"] == "ImageFactory.WorkFailed"]
    assert len(failed) == 1
    Operator(world).resume()
    world.play(lambda w: str(w.known().built) == NEWER and not w.known().unsettled)
    states = {o.state for o in world.records(OutputRecord)}
    assert states == {OutputState.DISMISSED, OutputState.ARCHIVED}


def test_a_source_that_changes_while_it_is_copied_is_refused(tmp_path: Path) -> None:
    """Its ETag is pinned with every chunk."""
    world = at_the_archive(factory_file(tmp_path), shape=LARGE)

    def change() -> None:
        source = output(world).source
        assert source is not None
        world.blobs.plant(source, [(0, b"x" * 512)], length=output(world).length)

    on_copy(world, 3, change)
    world.play(lambda w: output(w).state is OutputState.REFUSED)
    assert "it changed while it was archived" in output(world).reason
    assert not manifests(world)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_copy_goes_on_where_it_was(tmp_path: Path, when: When) -> None:
    """No chunk that arrived is sent again: what the destination holds is what counts."""
    gate = Gate(when=when)
    world = at_the_archive(factory_file(tmp_path), shape=LARGE, gate=gate)
    allocated = world.storage.made[0].allocated
    on_copy(world, 4, lambda: setattr(gate, "at", gate.count))
    world.play(released(NEW), recovery="another worker")
    assert gate.cut_at == COPY
    assert_fault_free(world, NEW)
    cut = copied(world)[3] if when == "before" else 0
    assert sum(copied(world)) == allocated + cut


def test_a_late_worker_cannot_touch_a_verified_blob(tmp_path: Path) -> None:
    """It slept through its lease, and another one finished in the meantime."""
    world = at_the_archive(factory_file(tmp_path, options=KEEP), shape=LARGE)
    etags: list[str] = []

    def sleep() -> None:
        first, message = world.worker, world._at_work
        world.worker = world.new_worker()
        world.play(lambda w: output(w).state is OutputState.ARCHIVED, at_once=True)
        world.worker, world._at_work = first, message
        target = output(world).target
        assert target is not None
        etags.append(world.blobs.facts(target).etag)

    on_copy(world, 2, sleep)
    world.play(lambda w: bool(etags) and not w.known().unsettled)
    record = output(world)
    assert record.target is not None
    assert [record.target_etag, world.blobs.facts(record.target).etag] == etags * 2
    assert_same(world, record.target, world.storage.made[0])


def test_a_worker_that_comes_late_to_the_verification_leaves_the_verified_blob_alone(
    tmp_path: Path,
) -> None:
    """It was about to verify when another one did and wrote the manifest, which tells the blob's ETag."""
    world = at_the_archive(factory_file(tmp_path, options=KEEP))
    slept: list[bool] = []

    def sleep(_request: int) -> None:
        about = world.gate.names[-1] == "blobs.acquire" and output(world).state is OutputState.COPIED
        if not about or slept:
            return
        slept.append(True)
        first, message = world.worker, world._at_work
        world.worker = world.new_worker()
        world.play(lambda w: output(w).state is OutputState.ARCHIVED, at_once=True)
        world.worker, world._at_work = first, message

    world.gate.before = sleep
    world.play(lambda w: bool(slept) and not w.known().unsettled)
    record, (manifest,) = output(world), manifests(world)
    assert record.target is not None
    etag = world.blobs.facts(record.target).etag
    assert record.target_etag == etag
    assert manifest["vhd"]["etag"].strip('"') == etag.strip('"')
    assert world.gate.names.count("blobs.label") == 1


def test_a_worker_killed_after_its_last_word_on_the_blob_is_taken_over(tmp_path: Path) -> None:
    """The mark says verified, the ledger does not yet: the next worker verifies, and marks nothing again."""
    gate = Gate(when="after")
    world = at_the_archive(factory_file(tmp_path), gate=gate)

    def cut(count: int) -> None:
        if gate.names[-1] == "blobs.label" and gate.cut_at is None:
            gate.at = count

    gate.before = cut
    world.play(released(NEW), recovery="another worker")
    assert gate.cut_at == "blobs.label"
    assert gate.names.count("blobs.label") == 1
    assert_fault_free(world, NEW)


def test_the_manifest_tells_the_verification_that_was_made(tmp_path: Path) -> None:
    """The configuration asks for another one just before a worker that takes over writes the manifest."""
    world = at_the_archive(factory_file(tmp_path, options={"verification": "footer"}))

    def change(count: int) -> None:
        if output(world).state is OutputState.VERIFIED and world.gate.cut_at is None:
            factory_file(tmp_path, options={"verification": "full"})
            world.gate.at = count

    world.gate.before = change
    world.play(released(NEW), recovery="another worker")
    assert world.gate.cut_at is not None
    (manifest,) = manifests(world)
    assert manifest["verification"]["kind"] == "footer"


def test_tiny_slices_end_the_same(tmp_path: Path) -> None:
    """Copy and verification go on in the next message, without a byte sent twice."""
    timing = {"copy_slice": "2s"}
    world = at_the_archive(factory_file(tmp_path, timing=timing, limits={"copy_rate_mib": 2}), shape=LARGE)
    world.gate.before = lambda _: world.clock.pause(0.1)
    world.play(released(NEW))
    assert_fault_free(world, NEW)
    assert sum(copied(world)) == world.storage.made[0].allocated
    assert len(told(world, "progress")) >= 3


def test_a_service_that_is_busy_slows_the_copy_and_loses_nothing(tmp_path: Path) -> None:
    """Every third chunk is refused for being too fast."""
    world = at_the_archive(factory_file(tmp_path), shape=LARGE)

    def refuse(_request: int) -> None:
        if world.gate.names[-1] == COPY and world.gate.names.count(COPY) % 3 == 0:
            raise Throttled("server busy")

    world.gate.before = refuse
    world.play(released(NEW))
    assert_fault_free(world, NEW)
    assert sum(copied(world)) > world.storage.made[0].allocated


def test_a_destination_that_something_else_wrote_is_never_overwritten(tmp_path: Path) -> None:
    """Neither the blob nor the name is the factory's to take."""
    world = at_the_archive(factory_file(tmp_path))
    target = output(world).target
    assert target is not None
    etag = world.blobs.plant(target, [(0, b"y" * 512)], length=output(world).length)
    world.play(lambda w: output(w).state is OutputState.REFUSED)
    assert "is a copy of something else" in output(world).reason
    assert world.blobs.facts(target).etag == etag
    assert not manifests(world)


def test_an_output_of_an_image_that_left_the_configuration_is_still_archived(tmp_path: Path) -> None:
    """What was made is brought to safety, and nobody is told of failed work."""
    config = factory_file(tmp_path, IMAGE)
    world = at_the_archive(config)
    factory_file(tmp_path, "another")
    world.queues.clear()
    world.play(lambda w: output(w).state is OutputState.ARCHIVED)
    assert len(manifests(world)) == 1
    assert not world.records(FailedWork)


def test_the_archive_holds_nothing_else(tmp_path: Path) -> None:
    """The VHD, its manifest, and the digests that a full verification kept between its slices."""
    world = at_the_archive(factory_file(tmp_path, options={"verification": "full"}))
    world.play(released(NEW))
    folder = output(world).target
    assert folder is not None
    assert {at.name.rsplit(".", 1)[1] for at in world.archived()} <= {"vhd", "json", "digests"}
    assert all(at.name.startswith(f"{IMAGE}/") for at in world.archived())

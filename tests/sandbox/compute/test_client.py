"""The real management client does what people do: capture a machine, snapshot its disk, image both."""

from __future__ import annotations

from datetime import timedelta

from azure.mgmt.compute import models

from tests.sandbox.arm.parts import GROUP, World

from .parts import HERE, running


def test_machine_is_captured_through_the_sdk() -> None:
    """Deallocate, generalize, image, snapshot: each poller ends, each result is typed."""
    world = World()
    machine_id = running(world)
    compute = world.compute(polling_interval=0)
    world.azure.fabric.speed = 1e9  # every operation is over when it is asked about first
    compute.virtual_machines.begin_deallocate(GROUP, "vm").result()
    world.clock.advance(timedelta(seconds=1))
    compute.virtual_machines.generalize(GROUP, "vm")
    seen = compute.virtual_machines.get(GROUP, "vm", expand="instanceView")
    assert seen.instance_view.statuses[0].code == "OSState/generalized"
    image = compute.images.begin_create_or_update(
        GROUP,
        "captured",
        models.Image(location=HERE, source_virtual_machine=models.SubResource(id=machine_id)),
    ).result()
    assert (image.provisioning_state, image.storage_profile.os_disk.disk_size_gb) == ("Succeeded", 30)
    source = next(iter(compute.disks.list_by_resource_group(GROUP)))
    data = models.CreationData(create_option="Copy", source_resource_id=source.id)
    snapshot = compute.snapshots.begin_create_or_update(
        GROUP, "kept", models.Snapshot(location=HERE, creation_data=data)
    ).result()
    assert (snapshot.provisioning_state, snapshot.disk_size_gb) == ("Succeeded", 30)
    compute.images.begin_delete(GROUP, "captured").result()
    assert list(compute.images.list_by_resource_group(GROUP)) == []

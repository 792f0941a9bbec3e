"""Carries out what a seed order says, thing by thing: the first one that cannot be ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.arm import regions
from sandbox.arm.compute.seeds import MachineSeed
from sandbox.arm.compute.shelf import DISKS, IMAGES, MACHINES, SNAPSHOTS
from sandbox.arm.errors import ArmError
from sandbox.arm.galleries.seeds import VersionSeeds
from sandbox.arm.inventory import GALLERIES
from sandbox.arm.records import Group
from sandbox.arm.storage import BlobAddress
from sandbox.control.orders import Refused

if TYPE_CHECKING:
    from sandbox.arm.compute.shelf import Kind
    from sandbox.azure import LocalAzure
    from sandbox.control import seeds


class Seeding:
    def __init__(self, azure: LocalAzure) -> None:
        self._azure, self._subscription = azure, azure.setting.subscription
        self._versions = VersionSeeds(azure.fabric, azure.inventory, azure.galleries)

    def carry_out(self, order: seeds.Seed) -> dict[str, int]:
        """How many there are of each. Raises Refused for what cannot be."""
        try:
            self._places(order)
            self._machinery(order)
            self._galleries(order)
            self._templates(order)
            for each in order.resources:
                group_id = self._group(each.group).id
                self._azure.inventory.add(group_id, each.type, each.name, each.properties, each.tags)
        except ArmError as refused:
            raise Refused(refused.message) from refused
        return {name: len(getattr(order, name)) for name in order.__struct_fields__}

    def _places(self, order: seeds.Seed) -> None:
        azure = self._azure
        for group in order.groups:
            location = _region(group.location)
            azure.fabric.records.add_group(Group(self._subscription, group.name, location))
        for staging in order.staging_groups:
            location = _region(staging.location)
            azure.imagebuilder.seeds.staging_group(self._subscription, staging.name, location, staging)
        for account in order.accounts:
            group_id = self._group(account.group).id
            azure.storage.create_account(account.name)
            azure.inventory.add_account(group_id, account.name)
        for identity in order.identities:
            azure.inventory.add_identity(self._group(identity.group).id, identity.name)
        for subnet in order.subnets:
            azure.inventory.add_subnet(self._group(subnet.group).id, subnet.network, subnet.subnet)
        for each in order.versions:
            azure.catalogue.add_version(each.publisher, each.offer, each.sku, each.version, each.regions)
        for blob in order.blobs:
            if not azure.storage.account_exists(blob.account):
                raise Refused(f"There is no storage account {blob.account!r}: seed it first, under accounts.")
            azure.storage.write_text(BlobAddress(blob.account, blob.container, blob.name), blob.text)

    def _machinery(self, order: seeds.Seed) -> None:
        made = self._azure.compute.seeds
        for kind, disks in ((DISKS, order.disks), (SNAPSHOTS, order.snapshots)):
            for disk in disks:
                made.disk(*self._place(kind, disk), disk, disk.tags)
        for each in order.machines:
            made.machine(*self._place(MACHINES, each), each, each.tags)
        for image in order.images:
            machine = MachineSeed(
                os_type=image.os_type,
                generation=image.generation,
                disk_gb=image.disk_gb,
                data_disks_gb=image.data_disks_gb,
                sku=image.sku,
            )
            made.image(*self._place(IMAGES, image), machine, image.tags, image.source)

    def _galleries(self, order: seeds.Seed) -> None:
        galleries = self._azure.galleries
        for each in order.galleries:
            gallery = galleries.seed_gallery(self._group(each.group).id, each.name)
            if each.soft_delete_days is not None:
                grace = {} if each.grace_days is None else {"gracePeriodInDays": each.grace_days}
                days = {"retentionPeriodInDays": each.soft_delete_days, **grace}
                gallery.properties["softDeletePolicy"] = {"isSoftDeleteEnabled": True, **days}
        for definition in order.definitions:
            place = self._definition(definition.group, definition.gallery, definition.name)
            if galleries.definition(place) is not None:
                raise Refused(
                    f"The image definition {definition.gallery}/{definition.name} is there already."
                )
            galleries.seed_definition(
                self._group(definition.group).id,
                definition.gallery,
                definition.name,
                os_type=definition.os_type,
                os_state=definition.os_state,
                generation=definition.generation,
                location=_region(definition.location) if definition.location else None,
            )
        for version in order.gallery_versions:
            above = self._definition(version.group, version.gallery, version.definition)
            self._versions.put(f"{above}/versions/{version.version}", version)

    def _templates(self, order: seeds.Seed) -> None:
        for each in order.templates:
            group = self._group(each.group)
            location = _region(each.location) if each.location else group.location
            identity = self._azure.setting.identity_id
            self._azure.imagebuilder.seeds.template(group, each.name, location, identity, each)

    def _definition(self, group: str, gallery: str, name: str) -> str:
        """In the case of the group itself: ids are compared without regard to it, but shown."""
        return f"{self._group(group).id}/providers/{GALLERIES}/{gallery}/images/{name}"

    def _place(
        self, kind: Kind, thing: seeds.SeedDisk | seeds.SeedMachine | seeds.SeedImage
    ) -> tuple[str, str]:
        """The id and the location of what is seeded."""
        group = self._group(thing.group)
        location = _region(thing.location) if thing.location else group.location
        return f"{group.id}/providers/{kind.name}/{thing.name}", location

    def _group(self, name: str) -> Group:
        found = self._azure.fabric.records.group(self._subscription, name)
        if found is None:
            raise Refused(f"There is no resource group {name!r}: seed it first, under groups.")
        return found


def _region(name: str) -> str:
    plain = regions.plain(name)
    if plain not in regions.DISPLAY:
        raise Refused(f"There is no region {name!r}. The regions are: {', '.join(sorted(regions.DISPLAY))}.")
    return plain

"""The world without sockets: everything that a running sandbox has, but its ports and its processes."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.arm.access import Doorkeeper
from sandbox.arm.catalogue import Marketplace
from sandbox.arm.compute.provider import Compute
from sandbox.arm.fabric import Fabric
from sandbox.arm.face import ResourceManager
from sandbox.arm.galleries.provider import Galleries
from sandbox.arm.graph.provider import ResourceGraph
from sandbox.arm.groups import Groups
from sandbox.arm.imagebuilder.provider import ImageBuilder
from sandbox.arm.inventory import Inventory
from sandbox.arm.platform_images import standard_catalogue
from sandbox.arm.records import Group
from sandbox.arm.roles import FACTORY_ROLES, IMAGE_BUILDER, OPERATOR_ROLES, Roles
from sandbox.arm.storage import Background, Storage, at_once
from sandbox.arm.tagging import Tagging
from sandbox.arm.throttle import Limits, Throttle
from sandbox.calls import CallLog
from sandbox.eventgrid.grid import EventGrid
from sandbox.eventgrid.topics import default_topics
from sandbox.faults import Faults
from sandbox.identity.tokens import FACTORY, OPERATOR, Tokens
from sandbox.schedule import Schedule
from sandbox.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from sandbox.arm.imagebuilder.outcomes import Durations, VhdShape
    from sandbox.arm.marketplace import Catalogue
    from sandbox.clock import Clock

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
TENANT = "11111111-1111-1111-1111-111111111111"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a world starts with. `accounts` are storage accounts of its resource group."""

    subscription: str = SUBSCRIPTION
    tenant: str = TENANT
    group: str = "image-factory"
    location: str = "westeurope"
    accounts: tuple[str, ...] = ("factory", "archive", "scripts")
    identity: str = "image-builder"
    definitions: tuple[tuple[str, str], ...] = (
        ("images", "windows-2022"),
        ("images", "windows-2022-dev"),
    )
    """Gallery and name of image definitions for generalized Windows, in the setting's location."""
    page_size: int = 50
    limits: Limits = field(default_factory=Limits)

    @property
    def group_id(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"

    @property
    def identity_id(self) -> str:
        return f"{self.group_id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{self.identity}"

    def account_id(self, account: str) -> str:
        return f"{self.group_id}/providers/Microsoft.Storage/storageAccounts/{account}"


class LocalAzure:
    """One world. `tick` lets happen what is due; requests do that by themselves too."""

    def __init__(
        self,
        clock: Clock,
        storage: Storage,
        *,
        speed: float = 1.0,
        seed: int | str = 0,
        switches: Switches | None = None,
        setting: Setting | None = None,
        catalogue: Catalogue | None = None,
        durations: Durations | None = None,
        shape: VhdShape | None = None,
        background: Background = at_once,
        tokens: Tokens | None = None,
        dead_letters: Path | None = None,
        kill_host: Callable[[], None] | None = None,
    ) -> None:
        self.clock, self.storage, self.setting = clock, storage, setting or Setting()
        self.schedule, self.calls, self.roles = Schedule(), CallLog(), Roles()
        self.faults = Faults(clock, kill_host)
        self.tokens = tokens or Tokens(self.setting.tenant)
        self.eventgrid = EventGrid(
            clock,
            self.faults,
            self.calls,
            self.tokens,
            self.roles,
            topics=default_topics(self.setting.subscription, self.setting.group),
            speed=speed,
            dead_letters=dead_letters,
        )
        self.fabric = Fabric(
            clock=clock,
            schedule=self.schedule,
            storage=storage,
            roles=self.roles,
            tenant=self.setting.tenant,
            random=random.Random(seed),
            emit=lambda scope, event: self.eventgrid.publish(scope, dict(event)),
            background=background,
            speed=speed,
            page_size=self.setting.page_size,
            switches=switches or Switches(),
        )
        self.catalogue = catalogue or standard_catalogue()
        self.inventory = Inventory(self.fabric)
        self.compute = Compute(self.fabric, self.inventory)
        self.galleries = Galleries(self.fabric, self.compute)
        self.imagebuilder = ImageBuilder(
            self.fabric, self.inventory, self.catalogue, self.galleries, durations, shape
        )
        self.arm = self._resource_manager()
        self._found()

    @property
    def switches(self) -> Switches:
        return self.fabric.switches

    @switches.setter
    def switches(self, wanted: Switches) -> None:
        self.fabric.switches = wanted

    def tick(self) -> int:
        """Run everything that is due; how many things happened."""
        return self.fabric.run_due()

    def next_due(self) -> datetime | None:
        return self.schedule.next_due()

    def account_scope(self, account: str) -> str | None:
        """The resource id of a storage account, which is the scope that roles on its data need."""
        record = self.inventory.account(account)
        return record.id if record else None

    def _resource_manager(self) -> ResourceManager:
        providers = (
            Groups(self.fabric),
            self.inventory,
            self.compute,
            self.galleries,
            Marketplace(self.fabric, self.catalogue),
            self.imagebuilder,
            Tagging(self.fabric),
            ResourceGraph(self.fabric),
        )
        return ResourceManager(
            self.fabric,
            [route for provider in providers for route in provider.routes()],
            doorkeeper=Doorkeeper(self.tokens),
            faults=self.faults,
            calls=self.calls,
            throttle=Throttle(self.setting.limits),
        )

    def _found(self) -> None:
        """The resource group with its accounts, the identities, and who may do what."""
        setting = self.setting
        self.fabric.records.add_group(Group(setting.subscription, setting.group, setting.location))
        for account in setting.accounts:
            self.storage.create_account(account)
            self.inventory.add_account(setting.group_id, account)
        self.inventory.add_identity(setting.group_id, setting.identity)
        for gallery, name in setting.definitions:
            self.galleries.seed_definition(setting.group_id, gallery, name)
        for role in OPERATOR_ROLES:
            self.roles.assign(OPERATOR, role, "/")
        subscription = f"/subscriptions/{setting.subscription}"
        for role in FACTORY_ROLES:
            self.roles.assign(FACTORY, role, subscription)
        self.roles.assign(setting.identity_id, IMAGE_BUILDER.name, setting.group_id)
        self.roles.assign(setting.identity_id, "Storage Blob Data Reader", setting.account_id("scripts"))
        self.roles.assign(setting.identity_id, "Storage Blob Data Contributor", setting.account_id("archive"))

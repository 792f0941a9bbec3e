"""Orders about what exists in the world: versions, outcomes of runs, resources, tokens, roles."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.arm.marketplace import Deprecation
from sandbox.control.seeding import Seeding

if TYPE_CHECKING:
    from sandbox.arm.imagebuilder.outcomes import Outcome
    from sandbox.control import orders
    from sandbox.control.seeds import Seed
    from sandbox.running import RunningSandbox


class Things:
    def __init__(self, sandbox: RunningSandbox) -> None:
        self._sandbox = sandbox
        self._waiting: dict[str, tuple[Outcome, ...]] = {}

    def versions(self) -> object:
        return [
            {
                "publisher": sku.publisher,
                "offer": sku.offer,
                "sku": sku.name,
                "versions": [
                    {
                        "version": version.name,
                        "regions": sorted(version.regions) if version.regions is not None else None,
                        "state": version.deprecation.state,
                    }
                    for version in sku.versions.values()
                ],
            }
            for sku in self._sandbox.azure.catalogue.skus()
        ]

    def new_version(self, order: orders.NewVersion) -> object:
        self._sandbox.azure.catalogue.add_version(
            order.publisher, order.offer, order.sku, order.version, order.regions
        )
        return order

    def deprecate(self, order: orders.Deprecate) -> object:
        deprecation = Deprecation(order.state, order.at, order.alternative)
        catalogue = self._sandbox.azure.catalogue
        catalogue.deprecate(order.publisher, order.offer, order.sku, order.version, deprecation)
        return order

    async def vhds(self) -> object:
        """What Image Builder wrote, the last ones: their digests tell whether a copy is the same."""
        made = tuple(self._sandbox.made)
        digests = [await asyncio.to_thread(vhd.sha256) for _, vhd in made]
        return [
            {
                "account": address.account,
                "container": address.container,
                "name": address.name,
                "size": vhd.size,
                "allocated": vhd.allocated,
                "sha256": digest,
            }
            for (address, vhd), digest in zip(made, digests, strict=True)
        ]

    def plan(self, order: orders.Plan) -> object:
        name = order.template.lower()
        self._waiting[name] = (*self._waiting.get(name, ()), *order.outcomes)
        self.settle()
        return {"template": order.template, "waits_for_the_template": name in self._waiting}

    def settle(self) -> None:
        """Hand plans to templates that exist by now: the factory makes its templates when it needs them."""
        if not self._waiting:
            return
        builder = self._sandbox.azure.imagebuilder
        for template in builder.templates():
            for name in (template.id.lower(), template.name.lower()):
                builder.plan(template.id, *self._waiting.pop(name, ()))

    def seed(self, order: Seed) -> object:
        return Seeding(self._sandbox.azure).carry_out(order)

    def token(self, order: orders.TokenOrder) -> object:
        azure, lifetime = self._sandbox.azure, timedelta(seconds=order.lifetime_seconds)
        now = azure.clock.now()
        token = azure.tokens.issue(order.principal, order.audience, now, lifetime)
        return {"token": token, "principal": order.principal, "expires": now + lifetime}

    def roles(self) -> object:
        return self._sandbox.azure.roles.assignments

    def assign(self, order: orders.Assignment) -> object:
        return self._sandbox.azure.roles.assign(order.principal, order.role, order.scope)

    def revoke(self, order: orders.Assignment) -> object:
        return {"revoked": self._sandbox.azure.roles.revoke(order.principal, order.role, order.scope)}

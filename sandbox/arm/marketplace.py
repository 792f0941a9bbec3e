"""The catalogue of platform images: publishers, offers, SKUs and their versions, region by region."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

State = Literal["Active", "ScheduledForDeprecation", "Deprecated"]


@dataclass(frozen=True, slots=True)
class Deprecation:
    state: State = "Active"
    at: str | None = None
    alternative: str | None = None

    def document(self) -> dict[str, Any]:
        when = {"scheduledDeprecationTime": self.at} if self.at else {}
        other = (
            {"alternativeOption": {"type": "Offer", "value": self.alternative}} if self.alternative else {}
        )
        return {"imageState": self.state, **when, **other}


@dataclass(frozen=True, slots=True)
class Version:
    """`regions` None is every region: a new version can reach them at different times."""

    name: str
    regions: frozenset[str] | None = None
    deprecation: Deprecation = Deprecation()

    def in_region(self, region: str) -> bool:
        return self.regions is None or region in self.regions


@dataclass(slots=True)
class Sku:
    publisher: str
    offer: str
    name: str
    os: Literal["Linux", "Windows"] = "Linux"
    generation: Literal["V1", "V2"] = "V1"
    architecture: str = "x64"
    plan: Mapping[str, str] | None = None
    versions: dict[str, Version] = field(default_factory=dict)


class Catalogue:
    def __init__(self, skus: Iterable[Sku] = (), regions: Iterable[str] = ()) -> None:
        self._skus = {_key(sku.publisher, sku.offer, sku.name): sku for sku in skus}
        self.regions = frozenset(regions)
        self.listeners: list[Callable[[str, str, str], None]] = []

    def skus(self) -> list[Sku]:
        return list(self._skus.values())

    def add_sku(self, sku: Sku) -> Sku:
        return self._skus.setdefault(_key(sku.publisher, sku.offer, sku.name), sku)

    def find(self, publisher: str, offer: str, sku: str) -> Sku | None:
        return self._skus.get(_key(publisher, offer, sku))

    def add_version(
        self, publisher: str, offer: str, sku: str, version: str, regions: Iterable[str] | None = None
    ) -> Version:
        """A version appears, in every region unless some are named. Raises ValueError, naming what is wrong.

        Adding one again with more regions is how a version spreads.
        """
        if not _numbers(version):
            raise ValueError(f"version {version!r}: expected three decimal numbers, such as 22.04.202611010")
        found = self.find(publisher, offer, sku)
        if found is None:
            raise ValueError(
                f"no platform image {publisher}:{offer}:{sku} in the catalogue: add the SKU first"
            )
        known = found.versions.get(version)
        here = frozenset(region.lower() for region in regions) if regions is not None else None
        if known is not None:
            here = None if here is None or known.regions is None else known.regions | here
            known = replace(known, regions=here)
        found.versions[version] = known or Version(version, here)
        for listener in self.listeners:
            listener(found.publisher, found.offer, found.name)
        return found.versions[version]

    def deprecate(
        self, publisher: str, offer: str, sku: str, version: str, deprecation: Deprecation
    ) -> Version:
        found = self.find(publisher, offer, sku)
        if found is None or version not in found.versions:
            raise ValueError(f"no version {version} of {publisher}:{offer}:{sku} in the catalogue")
        found.versions[version] = replace(found.versions[version], deprecation=deprecation)
        return found.versions[version]

    def latest(self, publisher: str, offer: str, sku: str, region: str) -> str | None:
        """What `latest` resolves to there; None for an image that the region does not have."""
        found = self.find(publisher, offer, sku)
        here = [v for v in found.versions.values() if v.in_region(region)] if found else []
        active = [version for version in here if version.deprecation.state != "Deprecated"]
        return max((version.name for version in active), key=numbers, default=None)

    def has(self, publisher: str, offer: str, sku: str, version: str, region: str) -> bool:
        found = self.find(publisher, offer, sku)
        return found is not None and version in found.versions and found.versions[version].in_region(region)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _numbers(version: str) -> bool:
    parts = version.split(".")
    return len(parts) == 3 and all(part.isdecimal() for part in parts)


def _key(publisher: str, offer: str, sku: str) -> tuple[str, str, str]:
    return publisher.lower(), offer.lower(), sku.lower()

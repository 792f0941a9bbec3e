"""Where a template's image comes from: does it exist, and which version is it now?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.arm import ids
from sandbox.arm.inventory import DEFINITIONS, IMAGES, VERSIONS
from sandbox.arm.marketplace import numbers

if TYPE_CHECKING:
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.imagebuilder.template import Template
    from sandbox.arm.marketplace import Catalogue


class SourceRefused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Resolved:
    """`exact` is what source.exactVersion shows, `tag` what artifacts carry as VMImageBuilderSource."""

    exact: str | None
    tag: str


class Sources:
    def __init__(self, fabric: Fabric, catalogue: Catalogue) -> None:
        self._fabric, self._catalogue = fabric, catalogue

    def resolve(self, template: Template) -> Resolved:
        """Raises SourceRefused where there is no such image in the template's region."""
        source = template.source
        match source.get("type"):
            case "PlatformImage":
                return self._platform(source, template.location)
            case "ManagedImage":
                return self._managed(source)
            case "SharedImageVersion":
                return self._shared(source)
        raise SourceRefused("BadSourceType", f"The source type '{source.get('type', '')}' is not supported.")

    def _platform(self, source: dict[str, Any], region: str) -> Resolved:
        publisher, offer, sku = (source.get(part, "") for part in ("publisher", "offer", "sku"))
        asked = source.get("version") or "latest"
        exact = (
            self._catalogue.latest(publisher, offer, sku, region)
            if asked.lower() == "latest"
            else asked
            if self._catalogue.has(publisher, offer, sku, asked, region)
            else None
        )
        if exact is None:
            raise SourceRefused(
                "BadPIRSource",
                f"The platform image '{publisher}:{offer}:{sku}:{asked}' is not available in {region}. "
                "Please check publisher, offer, sku and version.",
            )
        return Resolved(exact, f"PlatformImage {publisher}::{offer}::{sku}::{asked} ({exact})")

    def _managed(self, source: dict[str, Any]) -> Resolved:
        image = source.get("imageId", "")
        found = self._fabric.records.get(image)
        if found is None or found.kind != IMAGES:
            raise SourceRefused("BadManagedImageSource", f"The managed image '{image}' was not found.")
        return Resolved(None, f"ManagedImage {image}")

    def _shared(self, source: dict[str, Any]) -> Resolved:
        asked = source.get("imageVersionId", "")
        parsed = ids.parse(asked)
        if parsed is not None and parsed.kind.lower() == VERSIONS.lower():
            latest = parsed.name.lower() == "latest"
            exact = self._newest(asked.rsplit("/", 2)[0]) if latest else self._known(asked)
            if exact is not None:
                return Resolved(exact, f"SharedImageVersion {asked} ({exact})")
        raise SourceRefused(
            "BadSharedImageVersionSource", f"The gallery image version '{asked}' was not found."
        )

    def _known(self, version_id: str) -> str | None:
        found = self._fabric.records.get(version_id)
        return version_id if found is not None and found.kind == VERSIONS else None

    def _newest(self, definition_id: str) -> str | None:
        definition = self._fabric.records.get(definition_id)
        if definition is None or definition.kind != DEFINITIONS:
            return None
        versions = self._fabric.records.of_kind(VERSIONS, definition.id)
        return max((v.id for v in versions), key=lambda v: numbers(v.rsplit("/", 1)[1]), default=None)

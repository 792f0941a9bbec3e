"""Where a template's image comes from: does it exist, and which version is it now?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.arm import ids
from sandbox.arm.inventory import IMAGES, VERSIONS

if TYPE_CHECKING:
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.galleries.provider import Galleries
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
    def __init__(self, fabric: Fabric, catalogue: Catalogue, galleries: Galleries) -> None:
        self._fabric, self._catalogue, self._galleries = fabric, catalogue, galleries

    def resolve(self, template: Template) -> Resolved:
        """Raises SourceRefused where there is no such image in the template's region."""
        source = template.source
        match source.get("type"):
            case "PlatformImage":
                return self._platform(source, template.location)
            case "ManagedImage":
                return self._managed(source)
            case "SharedImageVersion":
                return self._shared(source, template)
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

    def _shared(self, source: dict[str, Any], template: Template) -> Resolved:
        asked = source.get("imageVersionId", "")
        parsed = ids.parse(asked)
        if parsed is not None and parsed.kind.lower() == VERSIONS.lower():
            latest = parsed.name.lower() == "latest"
            exact = (
                self._newest(asked, template.location) if latest else self._known(asked, template.location)
            )
            if exact is not None:
                return Resolved(exact, f"SharedImageVersion {asked} ({exact})")
        raise SourceRefused(
            "BadSharedImageVersionSource", f"The gallery image version '{asked}' was not found."
        )

    def _known(self, version_id: str, region: str) -> str | None:
        """It has to have a replica in the template's region, and to be generalized."""
        found = self._galleries.version(version_id)
        there = found.region(region) if found else None
        if found is None or there is None or there.state != "Completed":
            return None
        return version_id if self._generalized(found.definition_id) else None

    def _newest(self, asked: str, region: str) -> str | None:
        definition_id = asked.rsplit("/", 2)[0]
        found = self._galleries.latest(definition_id, region)
        return found.id if found and self._generalized(definition_id) else None

    def _generalized(self, definition_id: str) -> bool:
        definition = self._galleries.definition(definition_id)
        return definition is not None and definition.properties.get("osState") == "Generalized"

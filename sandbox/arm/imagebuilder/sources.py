"""Where a template's image comes from: does it exist, and which version is it now?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.arm import ids
from sandbox.arm.inventory import IMAGES, VERSIONS
from sandbox.arm.records import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.arm.fabric import Fabric
    from sandbox.arm.galleries.provider import Galleries
    from sandbox.arm.imagebuilder.template import Template
    from sandbox.arm.marketplace import Catalogue


class SourceRefused(Exception):
    """`code` is what the operation shows, `provisioning_code` what the template shows."""

    def __init__(self, code: str, message: str, provisioning_code: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.provisioning_code = provisioning_code or code


@dataclass(frozen=True, slots=True)
class Resolved:
    """`exact` is what source.exactVersion shows, `tag` what artifacts carry as VMImageBuilderSource.

    `system` is what is known of the operating system, in the words of an image definition.
    """

    exact: str | None
    tag: str
    system: Mapping[str, str | None]


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
                return self._managed(source, template)
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
        found = self._catalogue.find(publisher, offer, sku)
        system = {"osType": found.os, "hyperVGeneration": found.generation} if found else {}
        return Resolved(exact, f"PlatformImage {publisher}::{offer}::{sku}::{asked} ({exact})", system)

    def _managed(self, source: dict[str, Any], template: Template) -> Resolved:
        image = source.get("imageId", "")
        if ids.parse(image) is not None:
            self._permit(template, f"{IMAGES}/read", image)
        found = self._fabric.records.get(image)
        here = isinstance(found, Resource) and found.kind == IMAGES and found.location == template.location
        if not isinstance(found, Resource) or not here:
            raise SourceRefused(
                "BadManagedImageSource",
                f"The managed image '{image}' was not found in {template.location}, the template's region.",
            )
        disk = found.properties.get("storageProfile", {}).get("osDisk", {})
        generation = found.properties.get("hyperVGeneration")
        system = {"osType": disk.get("osType"), "hyperVGeneration": generation}
        return Resolved(None, f"ManagedImage {image}", system)

    def _shared(self, source: dict[str, Any], template: Template) -> Resolved:
        asked = source.get("imageVersionId", "")
        parsed = ids.parse(asked)
        if parsed is not None and parsed.kind.lower() == VERSIONS.lower():
            self._permit(template, f"{VERSIONS}/read", asked)
            latest = parsed.name.lower() == "latest"
            exact = (
                self._newest(asked, template.location) if latest else self._known(asked, template.location)
            )
            if exact is not None:
                definition = self._galleries.definition(exact.rsplit("/", 2)[0])
                own = definition.properties if definition is not None else {}
                system = {name: own.get(name) for name in ("osType", "hyperVGeneration")}
                return Resolved(exact, f"SharedImageVersion {asked} ({exact})", system)
        raise SourceRefused(
            "BadSharedImageVersionSource",
            f"The gallery image version '{asked}' was not found: it has to be generalized and to have a "
            f"replica in {template.location}, the template's region.",
        )

    def _permit(self, template: Template, action: str, scope: str) -> None:
        """Image Builder reads with the template's identity; the words are those of a refused network."""
        if not any(self._fabric.roles.allows(each, action, scope) for each in template.identity_ids):
            raise SourceRefused(
                "Unauthorized",
                f"Not authorized to access the resource: {scope}. Please check the user assigned identity "
                "has the correct permissions. For more details, go to https://aka.ms/azvmimagebuilderts.",
                "Other",
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

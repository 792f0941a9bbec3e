"""A local Azure in which Image Builder has put a version into a gallery."""

from __future__ import annotations

from typing import Any

from shared.domain.galleries import DefinitionId, GalleryVersion, Target, Update, VersionId

from .arm import WEB, ArmWorld

DEFINITION = DefinitionId(WEB.subscription, WEB.group, "images", "web")
VERSION = DEFINITION.version("1.0.0")
HOME = Target("westeurope", 1, "Standard_LRS", excluded=True)
NORTH = Target("northeurope", 2, "Standard_ZRS", excluded=True)


class GalleryWorld(ArmWorld):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        group = self.azure.setting.group_id
        self.azure.galleries.seed_definition(group, DEFINITION.gallery, DEFINITION.name, os_type="Linux")

    def built(self, **said: Any) -> GalleryVersion:
        """A version that a run has made, and replicated to its home; the first one made is read."""
        distributor = {
            "type": "SharedImage",
            "runOutputName": "web-gallery",
            "galleryImageId": str(DEFINITION),
            "targetRegions": [{"name": "westeurope"}],
            "excludeFromLatest": True,
            **said,
        }
        if self.templates.get(WEB) is None:
            self.provisioned(distribute=[distributor])
        self.templates.run(WEB)
        self.wait(hours=1)
        self.azure.calls.clear()
        return self.read()

    def read(self, id: VersionId = VERSION) -> GalleryVersion:
        found = self.galleries.get(id)
        assert found is not None, f"{id} is not there"
        return found

    def update(self, *targets: Target, **change: Any) -> None:
        """Read, then update; only what is sent after that counts as a call."""
        version = self.read()
        self.azure.calls.clear()
        self.galleries.update(version, Update(targets, **change))

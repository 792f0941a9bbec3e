"""What the galleries of the local Azure say of the versions of the story, and since when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from sandbox.arm.galleries.model import Version
from sandbox.demo.scene import DEVELOPERS, WINDOWS
from sandbox.running import RunningSandbox

VERSION: Final = "1.0.0"
"""The first that Image Builder puts into an empty definition."""
Place = Literal["asked", "has", "latest"]
"""A region is to have the version; it has it; `latest` means it there."""


class Galleries:
    """When each region of a version was seen to be asked for, to have it, and to call it latest."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self._sandbox = sandbox
        self._since: dict[tuple[str, Place, str], datetime] = {}
        sandbox.azure.schedule.watchers.append(self.look)

    def look(self, at: datetime) -> None:
        for definition in (WINDOWS.image, DEVELOPERS):
            version = self.version(definition)
            for region in version.regions if version else ():
                self._since.setdefault((definition, "asked", region.name), at)
                if region.state == "Completed":
                    self._since.setdefault((definition, "has", region.name), at)
                if self.latest(definition, region.name) == VERSION:
                    self._since.setdefault((definition, "latest", region.name), at)

    def look_now(self) -> None:
        self.look(self._sandbox.clock.now())

    def version(self, definition: str) -> Version | None:
        return self._sandbox.azure.galleries.version(f"{self._id(definition)}/versions/{VERSION}")

    def latest(self, definition: str, region: str) -> str:
        """By Azure's own rule; empty for none."""
        found = self._sandbox.azure.galleries.latest(self._id(definition), region)
        return found.name if found else ""

    def since(self, definition: str, place: Place, regions: Sequence[str]) -> datetime | None:
        """When the last of the regions came to be so; None while one is not."""
        times = [self._since.get((definition, place, region)) for region in regions]
        known = [at for at in times if at]
        return max(known) if len(known) == len(times) else None

    def _id(self, definition: str) -> str:
        group = self._sandbox.setting.group_id
        return f"{group}/providers/Microsoft.Compute/galleries/images/images/{definition}"

"""What the demo plays: which image, which version, and a world in which it takes half a minute."""

from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

from sandbox.options import QUICK, Options
from sandbox.storage.limits import Limits

ROOT: Final = Path(__file__).resolve().parent.parent.parent
MIB: Final = 1024 * 1024


class Scene(msgspec.Struct, frozen=True):
    """An image of the sample factory, the source it is made from, and the version that is to appear."""

    image: str
    publisher: str
    offer: str
    sku: str
    version: str
    template_name: str = ""
    """In Azure, where it is not that of the image."""

    @property
    def template(self) -> str:
        return self.template_name or self.image


UBUNTU: Final = Scene(
    image="ubuntu-22",
    publisher="Canonical",
    offer="0001-com-ubuntu-server-jammy",
    sku="22_04-lts-gen2",
    version="22.04.202611010",
)
WINDOWS: Final = Scene(
    image="windows-2022",
    publisher="MicrosoftWindowsServer",
    offer="WindowsServer",
    sku="2022-datacenter-g2",
    version="20348.4405.261114",
    template_name="windows-server-2022",
)
DEVELOPERS: Final = "windows-2022-dev"
"""The image that is built from the Windows image, and the definition that it feeds."""


class Ring(msgspec.Struct, frozen=True):
    """A ring of a definition: `latest` means a version there after all regions had it for so long."""

    name: str
    regions: tuple[str, ...]
    soak: timedelta = timedelta(0)


_SOAK: Final = timedelta(seconds=2)
RINGS: Final = (
    Ring("canary", ("westeurope",), _SOAK),
    Ring("early", ("northeurope", "uksouth"), _SOAK),
    Ring("everywhere", ("eastus2", "southeastasia"), _SOAK),
)
"""Of the Windows image, as config/factory.yaml has them; sandbox/overlay.yaml lets them soak for seconds."""
ALL: Final = Ring("all", ("westeurope",))
"""The one ring of what is built from it."""
NOTICE: Final = timedelta(seconds=2)
GRACE: Final = timedelta(seconds=1)
"""Of retention, as sandbox/overlay.yaml has them."""
RETENTION: Final = "*/3 * * * * *"
"""When it looks: more often is later, since Resource Graph takes 15 queries in 5 seconds and no more."""
PAGE_BLOBS: Final = Limits(bytes_per_second=12 * MIB)
"""A fifth of Azure's own target, so that the copy of a small disk can be watched."""
POLLING: Final = "AzureFunctionsJobHost__extensions__queues__maxPollingInterval"


def options(state: Path) -> Options:
    return Options(
        state=state,
        app=ROOT,
        config=ROOT / "config" / "factory.yaml",
        overlay=QUICK,
        speed=150,
        sources_schedule="*/2 * * * * *",
        sweep_schedule="*/20 * * * * *",
        retention_schedule=RETENTION,
        settings={POLLING: "00:00:00.500"},
        size_mib=128,
        payload_mib=48,
        fragment_kib=1024,
        restart_host=False,
    )

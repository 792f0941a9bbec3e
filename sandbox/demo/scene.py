"""What the demo plays: which image, which version, and a world in which it takes half a minute."""

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


UBUNTU: Final = Scene(
    image="ubuntu-22",
    publisher="Canonical",
    offer="0001-com-ubuntu-server-jammy",
    sku="22_04-lts-gen2",
    version="22.04.202611010",
)
PAGE_BLOBS: Final = Limits(bytes_per_second=12 * MIB)
"""A fifth of Azure's own target, so that the copy of a small disk can be watched."""
POLLING: Final = "AzureFunctionsJobHost__extensions__queues__maxPollingInterval"


def options(state: Path) -> Options:
    return Options(
        state=state,
        app=ROOT,
        config=ROOT / "config" / "factory.yaml",
        overlay=QUICK,
        speed=120,
        sources_schedule="*/2 * * * * *",
        sweep_schedule="*/20 * * * * *",
        settings={POLLING: "00:00:00.500"},
        size_mib=128,
        payload_mib=48,
        fragment_kib=1024,
        restart_host=False,
    )

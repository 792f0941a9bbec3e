"""How fast a managed disk is: its tier follows from its kind and size."""

from __future__ import annotations

import bisect
from typing import Any

# Documented: GiB up to which the tier goes, its name, input/output operations and MB a second.
_PREMIUM = (
    (4, "P1", 120, 25),
    (8, "P2", 120, 25),
    (16, "P3", 120, 25),
    (32, "P4", 120, 25),
    (64, "P6", 240, 50),
    (128, "P10", 500, 100),
    (256, "P15", 1100, 125),
    (512, "P20", 2300, 150),
    (1024, "P30", 5000, 200),
    (2048, "P40", 7500, 250),
    (4096, "P50", 7500, 250),
    (8192, "P60", 16000, 500),
    (16384, "P70", 18000, 750),
    (32767, "P80", 20000, 900),
)
_STANDARD_SSD = ((4096, 500, 60), (8192, 2000, 400), (16384, 4000, 600), (32767, 6000, 750))
_STANDARD = ((4096, 500, 60), (8192, 1300, 300), (32767, 2000, 500))
LARGEST_GB = 32767
GIB = 1024**3

_FAMILIES = {"premium": "Premium", "premiumv2": "Premium", "ultrassd": "Ultra"}


def sku(name: str) -> dict[str, str]:
    """The kind of a disk as it is answered: with the tier that goes with its name."""
    return {"name": name, "tier": _FAMILIES.get(name.split("_")[0].lower(), "Standard")}


def performance(sku_name: str, size_gb: int) -> dict[str, Any]:
    """The limits of a disk; only premium ones show the tier that these come from."""
    family = sku_name.split("_")[0].lower()
    if family == "premium":
        _, tier, operations, throughput = _PREMIUM[_row([row[0] for row in _PREMIUM], size_gb)]
        return {"diskIOPSReadWrite": operations, "diskMBpsReadWrite": throughput, "tier": tier}
    if family in ("premiumv2", "ultrassd"):
        return {"diskIOPSReadWrite": 3000, "diskMBpsReadWrite": 125}
    table = _STANDARD_SSD if family == "standardssd" else _STANDARD
    _, operations, throughput = table[_row([row[0] for row in table], size_gb)]
    return {"diskIOPSReadWrite": operations, "diskMBpsReadWrite": throughput}


def _row(limits: list[int], size_gb: int) -> int:
    return min(bisect.bisect_left(limits, size_gb), len(limits) - 1)

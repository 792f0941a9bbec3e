"""The worker's memory: what a disk eight times as large costs it."""

from typing import Final

from .azure import CLUSTERED, LARGE, LocalAzure
from .copies import archive
from .table import Row, Table

BUDGET: Final = 1.1
"""No growth, give or take what an allocator keeps."""
RATE: Final = 40.0
"""MiB/s of each page blob."""


def memory(azure: LocalAzure) -> Table:
    """Paced: without limits it is the machine's load that says how many chunks are at hand at once."""
    azure.limit(RATE, None)
    small, large = (archive(azure, "both", d, f"memory-{d.name}")["peak_mib"] for d in (CLUSTERED, LARGE))
    azure.limit(None, None)
    told = (
        f"{large:.0f} MiB over {small:.0f} MiB, with {LARGE.payload} over {CLUSTERED.payload} MiB allocated"
    )
    what = f"{LARGE.size // 1024} GiB over {CLUSTERED.size // 1024} GiB"
    return Table(
        "Peak memory of a worker that copies a VHD and verifies all of it",
        (Row(what, told, large / small, BUDGET, "×"),),
    )

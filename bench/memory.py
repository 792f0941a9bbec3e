"""The worker's memory: what a disk eight times as large costs it."""

from typing import Final

from .azure import FRAGMENTED, LARGE, LocalAzure
from .copies import archive
from .table import Row, Table

BUDGET: Final = 1.1
"""No growth, give or take what an allocator keeps."""


def memory(azure: LocalAzure) -> Table:
    """In fragments: of whole chunks it is chance that says how many of them are at hand at once."""
    small, large = (archive(azure, "both", d, f"memory-{d.name}")["peak_mib"] for d in (FRAGMENTED, LARGE))
    told = f"{large:.0f} MiB over {small:.0f} MiB, with {LARGE.payload} MiB allocated in either"
    what = f"{LARGE.size // 1024} GiB over {FRAGMENTED.size // 1024} GiB"
    return Table(
        "Peak memory of a worker that copies a VHD and verifies all of it",
        (Row(what, told, large / small, BUDGET, "×"),),
    )

"""Every operation of the API. Requests are routed, checked and described by this table."""

from typing import Final

from . import health, images, journal, runs, work
from .operations import Operation

OPERATIONS: Final[tuple[Operation, ...]] = (
    *images.OPERATIONS,
    *runs.OPERATIONS,
    *work.OPERATIONS,
    *journal.OPERATIONS,
    *health.OPERATIONS,
)
BY_ID: Final = {each.id: each for each in OPERATIONS}

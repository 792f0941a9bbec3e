"""Every operation of the API. Requests are routed, checked and described by this table."""

from typing import Final

from . import archive, health, images, journal, retention, runs, versions, work
from .operations import Operation

OPERATIONS: Final[tuple[Operation, ...]] = (
    *images.OPERATIONS,
    *runs.OPERATIONS,
    *archive.OPERATIONS,
    *versions.OPERATIONS,
    *retention.OPERATIONS,
    *work.OPERATIONS,
    *journal.OPERATIONS,
    *health.OPERATIONS,
)
BY_ID: Final = {each.id: each for each in OPERATIONS}

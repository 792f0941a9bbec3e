"""What a person can say about a version: hold it, let it go on, promote it, withdraw it.

Each returns the record as it shall be; the next look carries it out. Nothing is deleted by any of them.
"""

from datetime import datetime

from msgspec.structs import replace

from shared.domain.errors import NotNow
from shared.domain.releases import Definition, Failures, ReleaseRecord, Stage


def held(record: ReleaseRecord, why: str) -> ReleaseRecord:
    """It stops where it is and is `latest` nowhere until it goes on. Raises NotNow for a withdrawn one."""
    _must_not_be_withdrawn(record)
    return _afresh(replace(record, held=why))


def resumed(record: ReleaseRecord) -> ReleaseRecord:
    """It goes on from where it was held. Raises NotNow for one that is not held."""
    _must_not_be_withdrawn(record)
    if not record.held:
        raise NotNow(f"{record.name} is not held: {record.reason or 'nothing is known of it yet'}")
    return _afresh(replace(record, held=""))


def promoted(record: ReleaseRecord, definition: Definition, now: datetime, *, through: bool) -> ReleaseRecord:
    """It leaves its ring as soon as that is complete; `through` all rings. A hold is lifted.

    What was given up is tried again, and where somebody else excluded it from latest it is so no longer.
    Raises NotNow for one that is withdrawn or overtaken.
    """
    _must_not_be_withdrawn(record)
    if record.stage is Stage.OVERTAKEN:
        raise NotNow(f"{record.name} is {record.reason}: hold or withdraw that one first")
    rings = len(definition.rings)
    regions = tuple(replace(r, given_up="", failures=Failures.NONE) for r in record.regions)
    to = rings if through else min(max(record.ring, 0) + 1, rings)
    again = replace(record, held="", promoted=max(record.promoted, to), regions=regions, insists=True)
    return _afresh(replace(again, ring_since=now if record.ring >= 0 else None))


def withdrawn(record: ReleaseRecord, why: str, now: datetime) -> ReleaseRecord:
    """It is taken back from being `latest` anywhere and spreads no more. Twice changes nothing."""
    if record.withdrawn:
        return record
    return _afresh(replace(record, withdrawn=why, withdrawn_at=now, descendants_told=False))


def descends(record: ReleaseRecord, ancestor: str, definition: Definition, now: datetime) -> ReleaseRecord:
    """It was built from a withdrawn version, or from one that was."""
    if record.descends_from:
        return record
    marked = replace(record, descends_from=ancestor)
    return (
        withdrawn(marked, f"built from the withdrawn {ancestor}", now)
        if definition.withdraw_with_source
        else marked
    )


def _afresh(record: ReleaseRecord) -> ReleaseRecord:
    """What Azure refused before says nothing of what is asked now."""
    return replace(record, refusals=0, denials=0, retry_at=None)


def _must_not_be_withdrawn(record: ReleaseRecord) -> None:
    if record.withdrawn:
        raise NotNow(f"{record.name} is withdrawn ({record.withdrawn}); build it again instead")

"""Places for runs at once, so that many images never move together: a row each, inserted if absent."""

import hashlib
from datetime import datetime

from shared.domain import keys
from shared.domain.errors import Conflict, Missing
from shared.domain.factory import Factory, Image
from shared.domain.records import Slot
from shared.ports import Held, Insert, Outside, Remove


def place_of(image: Image) -> str:
    return f"{image.template.subscription}:{image.location}".lower()


def take_slot(out: Outside, factory: Factory, image: Image, now: datetime) -> int | None:
    """The number of the image's slot, taken now or held already; None if all are taken.

    One request where there is room: each image begins at a number of its own.
    """
    limit = factory.limits.runs_at_once
    place = place_of(image)
    first = int.from_bytes(hashlib.sha256(image.name.encode()).digest()[:4], "big") % limit
    if _take(out, Slot(place, first, image.name, now)):
        return first
    taken = {slot.number: slot for slot in _held(out, place)}
    own = next((number for number, slot in taken.items() if slot.image == image.name), None)
    if own is not None:
        return own
    free = next((number for number in range(limit) if number not in taken), None)
    if free is None:
        return None
    if _take(out, Slot(place, free, image.name, now)):
        return free
    raise Conflict("another image took the last free slot at the same moment")


def leave_slot(out: Outside, image: Image, number: int) -> None:
    """Give the slot back if it is still the image's."""
    held = out.ledger.read(keys.slot_key(place_of(image), number), Slot)
    if held and held.record.image == image.name:
        free_slot(out, held)


def free_slot(out: Outside, held: Held[Slot]) -> None:
    """Remove the row as it was read; somebody else may have done so already."""
    try:
        out.ledger.commit(keys.SLOTS, (Remove(keys.key_of(held.record), held.etag),))
    except (Conflict, Missing):
        return


def _take(out: Outside, slot: Slot) -> bool:
    try:
        out.ledger.commit(keys.SLOTS, (Insert(slot),))
    except Conflict:
        return False
    return True


def _held(out: Outside, place: str) -> list[Slot]:
    page = out.ledger.scan(keys.SLOTS, f"{keys.fit(place)}|")
    return [row.record for row in page.rows if isinstance(row.record, Slot)]

"""What becomes of a queue message: the rules of the storage queue extension as pure functions."""

import base64
import binascii
from datetime import timedelta
from typing import Final, Literal

from sandbox.host.config import QueueOptions

POISON_SUFFIX: Final = "-poison"

# "leave": do nothing, so that the message shows again when its lock runs out
Verdict = Literal["delete", "release", "poison", "leave"]


def poison_queue(queue: str) -> str | None:
    """Return the queue for hopeless messages; a poison queue has none of its own."""
    name = queue + POISON_SUFFIX
    return None if queue.endswith(POISON_SUFFIX) or len(name) > 63 else name


def decode(content: str, options: QueueOptions) -> str | None:
    """Return the text of a message, None if it is not in the encoding that host.json says."""
    if options.message_encoding == "none":
        return content
    try:
        return base64.b64decode(content, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def runs(dequeue_count: int, poison: str | None, options: QueueOptions) -> bool:
    """Whether a received message gets to the function at all."""
    return poison is None or dequeue_count <= options.max_dequeue_count


def verdict(succeeded: bool, dequeue_count: int, poison: str | None, options: QueueOptions) -> Verdict:
    """Decide after the function returned or raised."""
    if succeeded:
        return "delete"
    if poison is None:
        return "leave"  # releasing it would make a fast infinite loop
    return "poison" if dequeue_count >= options.max_dequeue_count else "release"


def renewal(lock: timedelta) -> timedelta:
    """Return when a running function's message is locked anew: at half time."""
    return lock / 2

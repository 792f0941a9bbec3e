"""Page lists as Azure gives them: what touches is one range.

Azurite remembers each write as a range of its own, so that a blob copied in slices would look different
from the one it was copied from.
"""

import re
from typing import Final

_RANGE: Final = re.compile(rb"<PageRange>\s*<Start>(\d+)</Start>\s*<End>(\d+)</End>\s*</PageRange>")


def merged(body: bytes) -> bytes:
    """Return the page list with neighbouring ranges joined."""
    found = [(int(start), int(end)) for start, end in _RANGE.findall(body)]
    joined: list[tuple[int, int]] = []
    for start, end in found:
        if joined and joined[-1][1] + 1 == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    if len(joined) == len(found):
        return body
    head = body[: body.index(b"<PageRange>")]
    tail = body[body.rindex(b"</PageRange>") + len("</PageRange>") :]
    ranges = (b"<PageRange><Start>%d</Start><End>%d</End></PageRange>" % each for each in joined)
    return head + b"".join(ranges) + tail

"""VHDs that the sandbox wrote itself and nobody has touched since: the source of most copies.

Azurite holds them and answers for them. But reading a range of a blob that is known byte for byte, ETag
included, would only cost Azurite half of its time, on a machine that the clients share. Whatever changes
such a blob makes it unknown again.
"""

from sandbox.vhd import Vhd


class HeldVhds:
    """Keyed by account/container/name."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, Vhd]] = {}

    def hold(self, blob: str, etag: str, vhd: Vhd) -> None:
        self._held[blob] = (etag, vhd)

    def drop(self, blob: str) -> None:
        """Forget a blob, or everything in a container or an account."""
        self._held.pop(blob, None)
        for inside in [each for each in self._held if each.startswith(f"{blob}/")]:
            del self._held[inside]

    def read(self, blob: str, start: int, end: int, if_match: str | None) -> bytes | None:
        """Return the range if it is known to be what Azurite would answer; None: ask Azurite."""
        found = self._held.get(blob)
        if found is None:
            return None
        etag, vhd = found
        if end > vhd.size or if_match not in (None, "*", etag):
            return None
        return vhd.read(start, end - start)

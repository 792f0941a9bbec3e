"""Bytes with holes: what a page blob holds, without the zeroes."""

import bisect
from collections.abc import Iterator

Piece = tuple[int, memoryview]


class Extents:
    """Sorted pieces that do not overlap. Pieces are views, so that cutting one copies nothing."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []

    def write(self, start: int, content: bytes) -> None:
        if not content:
            return
        end = start + len(content)
        first, last = self._touched(start, end)
        kept: list[Piece] = []
        for at, piece in self._pieces[first:last]:
            if at < start:
                kept.append((at, piece[: start - at]))
            if at + len(piece) > end:
                kept.append((end, piece[end - at :]))
        self._pieces[first:last] = sorted([*kept, (start, memoryview(content))], key=_start)

    def read(self, start: int, end: int) -> bytes:
        found = bytearray(end - start)
        first, last = self._touched(start, end)
        for at, piece in self._pieces[first:last]:
            low, high = max(at, start), min(at + len(piece), end)
            found[low - start : high - start] = piece[low - at : high - at]
        return bytes(found)

    def ranges(self) -> Iterator[tuple[int, int]]:
        """What is written, pieces that touch as one, as Get Page Ranges tells it."""
        begun: tuple[int, int] | None = None
        for at, piece in self._pieces:
            if begun is not None and begun[1] == at:
                begun = (begun[0], at + len(piece))
                continue
            if begun is not None:
                yield begun
            begun = (at, at + len(piece))
        if begun is not None:
            yield begun

    @property
    def size(self) -> int:
        return sum(len(piece) for _, piece in self._pieces)

    def _touched(self, start: int, end: int) -> tuple[int, int]:
        """Which pieces overlap [start, end), as a slice."""
        first = bisect.bisect_right(self._pieces, start, key=_start)
        if first and self._pieces[first - 1][0] + len(self._pieces[first - 1][1]) > start:
            first -= 1
        return first, max(first, bisect.bisect_left(self._pieces, end, key=_start))


def _start(piece: Piece) -> int:
    return piece[0]

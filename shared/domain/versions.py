"""Source versions: three decimal numbers, compared as numbers (18.04.9 comes before 18.04.10)."""

import re
from typing import Self

import msgspec

from .errors import Invalid

_FORM = re.compile(r"\d{1,18}\.\d{1,18}\.\d{1,18}", re.ASCII)


class Version(msgspec.Struct, frozen=True, order=True):
    """One version. The text is kept, since `18.04.1` and `18.4.1` are equal in rank but not in name."""

    major: int
    minor: int
    patch: int
    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises Invalid for anything but three decimal numbers, such as `latest`."""
        if not _FORM.fullmatch(text):
            raise Invalid(f"{text[:80]!r} is not a version; expected three numbers such as 22.04.202611010")
        major, minor, patch = text.split(".")
        return cls(int(major), int(minor), int(patch), text)

    @property
    def rank(self) -> tuple[int, int, int]:
        """What decides which of two versions is newer."""
        return (self.major, self.minor, self.patch)

    @property
    def canonical(self) -> bool:
        """Whether it is the one name of its rank that a gallery may know: each number plain, within int32."""
        return self.text == ".".join(map(str, self.rank)) and max(self.rank) < 2**31

    def newer_than(self, other: "Version | None") -> bool:
        return other is None or self.rank > other.rank

    def __str__(self) -> str:
        return self.text

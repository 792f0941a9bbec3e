"""What an image is made from, each with a mark that differs once it has changed."""

import hashlib

import msgspec

Marks = dict[str, str]
"""By `Ingredient.key`; what could not be told is left out. Short, since a row of the ledger holds it."""


class Ingredient(msgspec.Struct, frozen=True):
    name: str
    """As people are told: the source, the template, the address of a script."""
    mark: str
    """Empty if it cannot be told now."""
    trouble: str = ""
    """Why not."""

    @property
    def key(self) -> str:
        return digest(self.name)


def digest(text: str) -> str:
    """Short, and different for different texts as far as anybody will ever see."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]

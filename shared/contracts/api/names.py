"""How things are named in addresses, queries and bodies."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

ImageText = Annotated[
    str,
    Meta(
        pattern="^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$",
        description="An image, as factory.yaml names it.",
        examples=["ubuntu-22"],
    ),
]
DefinitionText = Annotated[
    str,
    Meta(
        pattern="^[A-Za-z0-9._-]{1,80}$",
        description="A gallery definition, as factory.yaml names it.",
        examples=["windows-2022"],
    ),
]
RunText = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?$",
        description="A run, by its start time to the letter, as Azure tells it.",
        examples=["2026-11-21T02:43:04.653196941Z"],
    ),
]
OrderText = Annotated[
    str,
    Meta(
        pattern="^[a-z0-9][a-z0-9-]{0,63}$",
        description="An order, as the answer that placed it names it.",
        examples=["8e6f7b12f95e4407b3aab1fb82f7a1f6"],
    ),
]
ReasonText = Annotated[str, Meta(max_length=500, description="Why, in one line, for the journal.")]
Moment = Annotated[datetime, Meta(tz=True)]


class OfImage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    image: ImageText


class Because(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What most actions take."""

    reason: ReasonText = ""

"""The small forms of `factory.yaml`: names, durations, regions. What each description says, people read."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from .durations import OR_NONE, PATTERN

Subscription = Annotated[
    str,
    Meta(
        pattern="^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        description="the id of a subscription",
        examples=["00000000-0000-0000-0000-000000000000"],
    ),
]
Group = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_().\-]{0,89}[A-Za-z0-9_()\-]$",
        description="the name of a resource group",
        examples=["image-factory"],
    ),
]
ImageKey = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]([a-z0-9\-]{0,62}[a-z0-9])?$",
        description="the name of an image: at most 64 lower case letters, digits and hyphens",
        examples=["ubuntu-22"],
    ),
]
TemplateName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9\-_.]{0,63}[A-Za-z0-9\-_]$",
        description="the name of an image template: at most 64 letters, digits, hyphens and dots",
        examples=["ubuntu-22"],
    ),
]
TemplateFile = Annotated[
    str,
    Meta(
        min_length=1,
        description="the path of an Image Builder template file, relative to this file",
        examples=["templates/ubuntu-22.json"],
    ),
]
Account = Annotated[
    str,
    Meta(
        pattern="^[a-z0-9]{3,24}$",
        description="the name of a storage account: 3 to 24 lower case letters and digits",
        examples=["archive"],
    ),
]
Container = Annotated[
    str,
    Meta(
        pattern="^[a-z0-9](-?[a-z0-9]){2,62}$",
        description="the name of a blob container: 3 to 63 lower case letters, digits and single hyphens",
        examples=["images"],
    ),
]
Duration = Annotated[
    str,
    Meta(
        pattern=PATTERN,
        description="a duration: a whole number of seconds, minutes, hours or days",
        examples=["30m", "2h", "90s", "1d"],
    ),
]
OrNone = Annotated[
    str,
    Meta(pattern=OR_NONE, description="a duration, or 0s for none", examples=["12h"]),
]
TagName = Annotated[
    str,
    Meta(
        pattern=r"^[^<>%&\\?/=]{1,512}(=.{0,256})?$",
        description="the name of a tag, or a name and a value",
        examples=["keep", "team=labs"],
    ),
]
Cron = Annotated[
    str,
    Meta(
        description="five fields: minute, hour, day of month, month, day of week",
        examples=["0 3 * * 1"],
    ),
]
Hours = Annotated[
    str,
    Meta(
        description="days of the week, hours of the day or both",
        examples=["MON-FRI 07:00-19:00", "SAT,SUN", "22:00-06:00"],
    ),
]
TimeZone = Annotated[str, Meta(description="the name of a time zone", examples=["Europe/Paris"])]
DefinitionKey = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]([a-z0-9\-]{0,62}[a-z0-9])?$",
        description="a name for an image definition: at most 64 lower case letters, digits and hyphens",
        examples=["windows-2022"],
    ),
]
Region = Annotated[
    str,
    Meta(
        pattern="^[A-Za-z0-9 ]{1,64}$",
        description="the name of a region",
        examples=["westeurope"],
    ),
]
RegionKey = Annotated[str, Meta(description="the name of a region", examples=["westeurope"])]
"""Of any form: what is not known as a region is told with the nearest one that is."""
GALLERY: Final = r"^[A-Za-z0-9]([A-Za-z0-9_.]{0,78}[A-Za-z0-9])?$"
DEFINITION: Final = r"^[A-Za-z0-9]([A-Za-z0-9_.\-]{0,78}[A-Za-z0-9])?$"
GalleryName = Annotated[
    str,
    Meta(
        pattern=GALLERY,
        description="the name of a compute gallery: at most 80 letters, digits, underscores and dots",
        examples=["images"],
    ),
]
NameOfDefinition = Annotated[
    str,
    Meta(
        pattern=DEFINITION,
        description="the name of an image definition: at most 80 letters, digits, _ . and hyphens",
        examples=["windows-2022"],
    ),
]
RingName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$",
        description="the name of a ring: at most 64 letters, digits, underscores, dots and hyphens",
        examples=["canary"],
    ),
]
Storage = Literal["Standard_LRS", "Standard_ZRS", "Premium_LRS", "PremiumV2_LRS"]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing that is not known, since a misspelt setting would silently keep its default."""

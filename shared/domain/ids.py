"""Names of things, parsed strictly: what does not look exactly like an id is none."""

import re
from typing import NewType, Self

import msgspec

from .errors import Invalid

ImageName = NewType("ImageName", str)
RunStart = NewType("RunStart", str)
"""`lastRunStatus.startTime` to the letter, with all its decimals: with the template id it names a run."""

SUBSCRIPTION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
GROUP = re.compile(r"[A-Za-z0-9_().\-]{0,89}[A-Za-z0-9_()\-]")
NAME = re.compile(r"[A-Za-z0-9\-_.]{1,80}")
TEMPLATE_NAME = re.compile(r"[A-Za-z0-9\-_.]{1,64}")
IMAGE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,62}[a-z0-9])?")
ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
CONTAINER = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,62}")
TEMPLATE_TYPE = "microsoft.virtualmachineimages/imagetemplates"


class ResourceId(msgspec.Struct, frozen=True):
    """An ARM id within a resource group. Compare with `==`: all members but names keep one case."""

    subscription: str
    group: str
    type: str
    """Provider and types in lower case, such as `microsoft.compute/galleries/images`."""
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises Invalid for anything but a plain id: no `..`, no escapes, no query, ASCII only."""
        parts = text.split("/")
        shape = len(parts) >= 9 and len(parts) % 2 == 1 and parts[0] == ""
        if not shape or [parts[1].lower(), parts[3].lower(), parts[5].lower()] != [
            "subscriptions",
            "resourcegroups",
            "providers",
        ]:
            raise Invalid(f"{text[:200]!r} is not a resource id; expected {_FORM}")
        subscription, group, provider = parts[2].lower(), parts[4], parts[6]
        types, names = parts[7::2], parts[8::2]
        fits = SUBSCRIPTION.fullmatch(subscription) and GROUP.fullmatch(group)
        if not fits or not all(_plain(part) for part in (group, provider, *types, *names)):
            raise Invalid(f"{text[:200]!r} is not a resource id; expected {_FORM}")
        return cls(subscription, group.lower(), "/".join((provider, *types)).lower(), tuple(names))

    def __str__(self) -> str:
        provider, *types = self.type.split("/")
        tail = "/".join(f"{t}/{n}" for t, n in zip(types, self.names, strict=True))
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers/{provider}/{tail}"


class TemplateId(msgspec.Struct, frozen=True):
    """An Image Builder template. Lower case throughout, as ARM compares ids."""

    subscription: str
    group: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises Invalid unless it is the id of an image template, or of something below one."""
        found = ResourceId.parse(text)
        if not f"{found.type}/".startswith(f"{TEMPLATE_TYPE}/") or not TEMPLATE_NAME.fullmatch(
            found.names[0]
        ):
            raise Invalid(f"{text[:200]!r} is not the id of an image template")
        return cls(found.subscription, found.group, found.names[0].lower())

    def __str__(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.VirtualMachineImages/imageTemplates/{self.name}"
        )


class BlobAddress(msgspec.Struct, frozen=True):
    """A blob by account, container and name; how that becomes a URL is the gateway's one template."""

    account: str
    container: str
    name: str

    def beside(self, suffix: str) -> Self:
        """The address of a companion: the same name with its `.vhd` replaced by `suffix`."""
        return type(self)(self.account, self.container, self.name.removesuffix(".vhd") + suffix)

    def __str__(self) -> str:
        return f"{self.account}/{self.container}/{self.name}"


_FORM = "/subscriptions/{guid}/resourceGroups/{group}/providers/{provider}/{type}/{name}"


def _plain(part: str) -> bool:
    return bool(NAME.fullmatch(part) or GROUP.fullmatch(part)) and part.strip(".") != ""

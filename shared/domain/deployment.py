"""What a template file becomes in Azure: what of it is there for good, and under which name that stands.

Azure changes next to nothing of a template once it is there. So a file has a form of two digests: of what is
fixed, which another template alone can change, and of what a PATCH may bring up to date.
"""

import hashlib
import re
from typing import Any, Self

import msgspec

from .ids import TemplateId
from .regions import plain

FORM = "imageFactoryForm"
"""The tag that says what a template was made from."""
PATCHABLE = ("distribute", "vmProfile")
"""Properties that a PATCH may set; it may change the targets that there are, and none may be left out."""
_AZURES = ("provisioningState", "provisioningError", "lastRunStatus", "exactStagingResourceGroup")
"""Properties that exported files have and Azure ignores."""
_TARGET = ("type", "runOutputName", "galleryImageId", "imageId", "uri")
"""What makes a target another one."""
_DIGITS = 10
_LONGEST = 64 - 1 - _DIGITS
_TAG = re.compile(rf"([0-9a-f]{{{_DIGITS}}})-([0-9a-f]{{{_DIGITS}}})")


class Form(msgspec.Struct, frozen=True):
    """What a template says, told by two digests."""

    fixed: str
    loose: str

    @classmethod
    def parse(cls, tag: str) -> Self | None:
        """None for a tag that is none, or that somebody else has written."""
        found = _TAG.fullmatch(tag)
        return cls(found[1], found[2]) if found else None

    def __str__(self) -> str:
        return f"{self.fixed}-{self.loose}"


def form_of(body: bytes) -> Form:
    """The form of a template file, which must be a JSON object."""
    document = msgspec.json.decode(body, type=dict[str, Any])
    return Form(_digest(fixed(document)), _digest(loose(document)))


def fixed(document: dict[str, Any]) -> dict[str, Any]:
    """What only another template can change."""
    properties = _object(document.get("properties"))
    targets = properties.get("distribute")
    but = (*PATCHABLE, *_AZURES)
    return {
        "location": plain(str(document.get("location", ""))),
        "properties": {name: value for name, value in properties.items() if name not in but},
        "targets": sorted(map(_target, targets)) if isinstance(targets, list) else [],
        # That there is one: what a PATCH without it would leave of it is not settled.
        "vmProfile": "vmProfile" in properties,
    }


def loose(document: dict[str, Any]) -> dict[str, Any]:
    """What a PATCH can set."""
    properties = _object(document.get("properties"))
    return {
        **{name: document[name] for name in ("identity", "tags") if name in document},
        "properties": {name: properties[name] for name in PATCHABLE if name in properties},
    }


def named(base: TemplateId, form: Form) -> TemplateId:
    """The template in which a file of this form stands, where it has changed since the image was set up."""
    return msgspec.structs.replace(base, name=f"{_head(base.name)}-{form.fixed}")


def is_of(base: TemplateId, id: TemplateId) -> bool:
    """Whether the template may be one of the image that is configured to be built in `base`."""
    if (id.subscription, id.group) != (base.subscription, base.group):
        return False
    head, _, digits = id.name.rpartition("-")
    digest = len(digits) == _DIGITS and not digits.strip("0123456789abcdef")
    return id == base or (digest and head == _head(base.name))


def _head(name: str) -> str:
    """As much of the name as leaves room for a digest; a long one ends in what tells it from its like."""
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 1 - _DIGITS]}-{_digest(name)}"


def _target(target: Any) -> list[str]:
    told = _object(target)
    return [str(told.get(name, "")).lower() for name in _TARGET]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _digest(content: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()[:_DIGITS]

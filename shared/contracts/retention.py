"""What is kept and what goes, as `factory.yaml` says it: policies by kind and image, pace, pins."""

from datetime import timedelta
from typing import Any, Final

from msgspec import UnsetType
from msgspec.structs import replace

from shared.domain.ids import ImageName
from shared.domain.retention import Kind, Patience, Policy, Retention, TagRule, Trip

from .document import Document, ImagePart
from .durations import DAY, SECOND, Range, read
from .faults import Finding
from .given import either, given
from .retention_parts import PoliciesPart, PolicyPart

_YEARS: Final = 3650 * DAY
_RANGES: Final = {
    "younger": Range(timedelta(0), _YEARS),
    "superseded": Range(timedelta(0), _YEARS),
    "minimum_age": Range(timedelta(0), _YEARS),
    "notice": Range(SECOND, _YEARS),
    "grace": Range(SECOND, _YEARS),
    "creating": Range(SECOND, 30 * DAY),
    "running": Range(SECOND, 30 * DAY),
    "cancelling": Range(SECOND, 30 * DAY),
}
_POLICIES: Final = {
    "gallery_versions": Kind.GALLERY_VERSION,
    "managed_images": Kind.MANAGED_IMAGE,
    "archived_vhds": Kind.ARCHIVED_VHD,
}
_AS_THEY_ARE: Final = ("per_sweep", "keep_parents")
_Path = tuple[str | int, ...]


def retention(document: Document, findings: list[Finding]) -> Retention:
    """Every fault is added to the findings."""
    part, path = document.retention, ("retention",)
    policies = _policies(part, path, findings)
    of_images: dict[tuple[ImageName, Kind], Policy] = {}
    parts: dict[str, ImagePart] | UnsetType = document.images  # unset where it is salvaged
    for name, image in either(parts, {}).items():
        own = _policies(image.retention, ("images", name, "retention"), findings, policies)
        of_images |= {(ImageName(name), kind): policy for kind, policy in own.items()}
    if isinstance(part, UnsetType):
        return Retention(policies=policies, of_images=of_images)
    return Retention(
        enforce=either(part.mode, "dry_run") == "enforce",
        policies=policies,
        of_images=of_images,
        left=_policy(part.left_configuration, (*path, "left_configuration"), findings, Retention().left),
        subscriptions=tuple(each.lower() for each in either(part.subscriptions, ())),
        out_of_scope=tuple(each.lower() for each in either(part.out_of_scope, ())),
        trip=Trip(**given(part.trip)),
        pins=tuple(_tag(each) for each in either(part.pins, ())),
        exclusions=tuple(_tag(each) for each in either(part.exclude, ())),
        patience=Patience(**_lengths(given(part.stuck), (*path, "stuck"), findings)),
        **_own(given(part), path, findings),
    )


def _own(told: dict[str, Any], path: _Path, findings: list[Finding]) -> dict[str, Any]:
    return {n: told[n] for n in _AS_THEY_ARE if n in told} | _lengths(told, path, findings)


def _policies(
    part: PoliciesPart | UnsetType,
    path: _Path,
    findings: list[Finding],
    above: dict[Kind, Policy] | None = None,
) -> dict[Kind, Policy]:
    """What a part says; what it leaves out of a policy holds as it stands above."""
    told, known = given(part), above or {}
    return {
        kind: _policy(told[name], (*path, name), findings, known.get(kind, Policy()))
        for name, kind in _POLICIES.items()
        if name in told
    }


def _policy(part: PolicyPart | UnsetType, path: _Path, findings: list[Finding], above: Policy) -> Policy:
    told = given(part)
    values = {n: told[n] for n in ("newest", "until_end_of_life", "floor") if n in told}
    return replace(above, **values, **_lengths(told, path, findings))


def _lengths(told: dict[str, Any], path: _Path, findings: list[Finding]) -> dict[str, timedelta]:
    found = {name: within for name, within in _RANGES.items() if isinstance(told.get(name), str)}
    return {name: read(told[name], within, (*path, name), findings) for name, within in found.items()}


def _tag(text: str) -> TagRule:
    name, given_value, value = text.partition("=")
    return TagRule(name.strip(), value.strip() if given_value else None)

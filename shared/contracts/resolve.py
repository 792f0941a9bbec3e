"""From a well-formed `factory.yaml` to the factory that it describes: references, ids, defaults.

Nothing here stops at the first fault: what is found is collected, and the factory counts only if nothing was.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET

from shared.domain.factory import AfterArchive, Archive, Factory, Image, Limits, Mode, Timing, Verification
from shared.domain.galleries import DefinitionId
from shared.domain.ids import ImageName, TemplateId
from shared.domain.releases import Definition, DefinitionName
from shared.domain.sources import GallerySource, MarketplaceSource, Source

from . import durations, schedules, templatefiles
from .distributors import against
from .document import Document, ImagePart, LimitsPart, Options, TimingPart
from .faults import Finding, nearest
from .graph import cycles
from .releases import definitions

T = TypeVar("T")
U = TypeVar("U")
_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)
_RANGES: Final = {
    "claim": (_SECOND, _DAY, ""),
    "look_again": (_SECOND, _DAY, ""),
    "stagger": (_SECOND, _DAY, ""),
    "retry_after": (_SECOND, 30 * _DAY, ""),
    "copy_slice": (_SECOND, timedelta(minutes=8), ", less than functionTimeout of host.json"),
    "copy_lease": (timedelta(seconds=15), timedelta(seconds=60), ", as the storage service allows"),
    "give_up": (_SECOND, 30 * _DAY, ""),
    "overdue": (_SECOND, _DAY, ""),
    "journal": (_DAY, 3650 * _DAY, ""),
    "follow": (_SECOND, _DAY, ""),
    "update_claim": (timedelta(minutes=3), _DAY, ", more than two requests may take"),
    "cascade": (_SECOND, 30 * _DAY, ""),
}


class Resolved(msgspec.Struct, frozen=True):
    factory: Factory
    """Of no use if anything was found."""
    findings: tuple[Finding, ...]
    files: tuple[Path, ...]
    """The template files, missing ones too."""


def resolve(document: Document, folder: Path) -> Resolved:
    """`folder` is where `factory.yaml` lies: template files are named relative to it."""
    findings: list[Finding] = []
    files: list[Path] = []
    images: dict[ImageName, Image] = {}
    known = definitions(document, findings)
    owners: dict[TemplateId, ImageName] = {}
    for key, part in document.images.items():
        image = _image(key, part, document, folder, known, findings)
        files.append(folder / part.template)
        twin = owners.setdefault(image.template, image.name)
        if twin != image.name and _complete(image.template):
            said = f"is built in the same template as {twin}; each image needs its own"
            findings.append(Finding(("images", key), f"{said}: set template_name"))
        images[image.name] = image
    factory = Factory(
        mode=_or(document.mode, Mode.OBSERVE),
        archive=Archive(document.archive.account, document.archive.container),
        images=images,
        limits=_limits(document.limits),
        timing=_timing(document.timing, findings),
        definitions=known,
    )
    for way in cycles(images.values()):
        said = f"is made from itself: {' -> '.join(way)}"
        findings.append(Finding(("images", way[0]), f"{said}; expected no way back to an image"))
    return Resolved(factory, tuple(findings), tuple(dict.fromkeys(files)))


def _image(
    key: str,
    part: ImagePart,
    document: Document,
    folder: Path,
    definitions: dict[DefinitionName, Definition],
    findings: list[Finding],
) -> Image:
    path = ("images", key)
    template = TemplateId(
        _inherited("subscription", part.subscription, document.subscription, path, findings).lower(),
        _inherited("resource_group", part.resource_group, document.resource_group, path, findings).lower(),
        _or(part.template_name, key).lower(),
    )
    file = _template_file(folder / part.template, part.template, (*path, "template"), findings)
    if file is not _EMPTY:
        known = {each.id: each for each in definitions.values()}
        findings.extend(templatefiles.placed(folder / part.template, list(against(file, known))))
    defaults = _or(document.defaults, Options())
    return Image(
        name=ImageName(key),
        mode=_or(part.mode, _or(document.mode, Mode.OBSERVE)),
        template=template,
        location=file.location,
        body=file.body,
        source=_source(file, template.subscription),
        source_text=file.source_text,
        after_archive=_or(part.after_archive, _or(defaults.after_archive, AfterArchive.KEEP_TEMPLATE)),
        verification=_or(part.verification, _or(defaults.verification, Verification.SAMPLE)),
        build_at_first_sight=_or(part.build_at_first_sight, _or(defaults.build_at_first_sight, False)),
        schedule=schedules.read(part.schedule, (*path, "schedule"), findings),
        feeds=tuple(dict.fromkeys(target.definition for target in file.targets)),
    )


def _source(file: templatefiles.TemplateFile, subscription: str) -> Source | None:
    of = file.watched
    if of is None:
        return None
    if isinstance(of, DefinitionId):
        return GallerySource(of, file.location)
    return MarketplaceSource(subscription, file.location, of.publisher, of.offer, of.sku)


_EMPTY: Final = templatefiles.TemplateFile(msgspec.Raw(b"{}"), "", None, "")


def _template_file(
    file: Path, name: str, path: tuple[str, ...], findings: list[Finding]
) -> templatefiles.TemplateFile:
    if not name:  # a fault of the schema, and reported as one
        return _EMPTY
    try:
        template, found = templatefiles.read(file)
    except FileNotFoundError:
        findings.append(Finding(path, f"{name} does not exist", _neighbour(file, name)))
        return _EMPTY
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        findings.append(Finding(path, f"{name} cannot be read: {said}"))
        return _EMPTY
    findings.extend(found)
    return template or _EMPTY


def _neighbour(file: Path, name: str) -> str:
    """The template file that was probably meant, written like the one that is missing."""
    near = nearest(file.name, (p.name for p in file.parent.glob("*.json")))
    return str(Path(name).with_name(near)) if near else ""


def _inherited(
    what: str,
    own: str | msgspec.UnsetType,
    shared: str | msgspec.UnsetType,
    path: tuple[str, ...],
    findings: list[Finding],
) -> str:
    value = _or(own, shared)
    if isinstance(value, str):
        return value
    findings.append(Finding(path, f"no {what}; expected one here or at the top of the file"))
    return ""


def _complete(template: TemplateId) -> bool:
    return bool(template.subscription and template.group and template.name)


def _limits(part: LimitsPart | msgspec.UnsetType) -> Limits:
    return Limits(**_given(part))


def _timing(part: TimingPart | msgspec.UnsetType, findings: list[Finding]) -> Timing:
    given = _given(part)
    for name, (least, most, why) in _RANGES.items():
        if name not in given:
            continue
        texts = given[name] if isinstance(given[name], list) else [given[name]]
        lengths = tuple(durations.parse(text) or least for text in texts)
        for index, length in enumerate(lengths):
            if not least <= length <= most:
                path = ("timing", name, index) if isinstance(given[name], list) else ("timing", name)
                expected = f"{durations.say(least)} to {durations.say(most)}{why}"
                findings.append(Finding(path, f"{texts[index]} is out of range; expected {expected}"))
        given[name] = lengths if isinstance(given[name], list) else lengths[0]
    return Timing(**given)


def _given(part: msgspec.Struct | msgspec.UnsetType) -> dict[str, Any]:
    """What is written down; the rest is the domain's defaults."""
    if not isinstance(part, msgspec.Struct):
        return {}
    values = msgspec.structs.asdict(part)
    return {name: value for name, value in values.items() if value is not UNSET}


def _or(value: T | msgspec.UnsetType, otherwise: U) -> T | U:
    return otherwise if isinstance(value, msgspec.UnsetType) else value

"""From a well-formed `factory.yaml` to the factory that it describes: references, ids, defaults.

Nothing here stops at the first fault: what is found is collected, and the factory counts only if nothing was.
"""

from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from shared.domain.factory import AfterArchive, Archive, Factory, Image, Limits, Mode, Timing, Verification
from shared.domain.galleries import DefinitionId
from shared.domain.ids import ImageName, TemplateId
from shared.domain.releases import Definition, DefinitionName
from shared.domain.sources import GallerySource, MarketplaceSource, Source

from . import schedules, templatefiles, windows
from .distributors import against
from .document import Document, ImagePart, LimitsPart, Options, TimingPart
from .durations import DAY, SECOND, Range, read
from .faults import Finding, nearest
from .given import either, given, inherited
from .graph import MOST, cycles
from .releases import definitions
from .retention import retention
from .scripts import scripts
from .upgrading import Context

_ANY_DAY: Final = Range(SECOND, DAY)
_RANGES: Final = {
    "claim": _ANY_DAY,
    "look_again": _ANY_DAY,
    "stagger": _ANY_DAY,
    "retry_after": Range(SECOND, 30 * DAY),
    "copy_slice": Range(SECOND, timedelta(minutes=8), "less than functionTimeout of host.json"),
    "copy_lease": Range(timedelta(seconds=15), timedelta(seconds=60), "as the storage service allows"),
    "give_up": Range(SECOND, 30 * DAY),
    "overdue": _ANY_DAY,
    "journal": Range(DAY, 3650 * DAY),
    "follow": _ANY_DAY,
    "update_claim": Range(timedelta(minutes=3), DAY, "more than two requests may take"),
    "cascade": Range(SECOND, 30 * DAY),
}


class Resolved(msgspec.Struct, frozen=True):
    factory: Factory
    """Of no use if anything was found."""
    findings: tuple[Finding, ...]
    files: tuple[Path, ...]
    """The template files, missing ones too."""
    templates: tuple[tuple[Path, templatefiles.TemplateFile], ...] = ()


def resolve(document: Document, folder: Path) -> Resolved:
    """`folder` is where `factory.yaml` lies: template files are named relative to it."""
    findings: list[Finding] = []
    files: dict[Path, templatefiles.TemplateFile] = {}
    images: dict[ImageName, Image] = {}
    known = definitions(document, findings)
    common = either(document.defaults, Options()).window  # told also if no image goes by it
    windows.read(common, msgspec.UNSET, ("defaults", "window"), findings)
    owners: dict[TemplateId, ImageName] = {}
    parts: dict[str, ImagePart] | msgspec.UnsetType = document.images  # unset where it is salvaged
    for key, part in either(parts, {}).items():
        image = _image(key, part, document, folder, known, findings, files)
        twin = owners.setdefault(image.template, image.name)
        if twin != image.name and _complete(image.template):
            said = f"is built in the same template as {twin}; each image needs its own"
            findings.append(Finding(("images", key), f"{said}: set template_name"))
        images[image.name] = image
    factory = Factory(
        mode=either(document.mode, Mode.OBSERVE),
        archive=Archive(document.archive.account, document.archive.container),
        images=images,
        limits=_limits(document.limits),
        timing=_timing(document.timing, findings),
        definitions=known,
        retention=retention(document, findings),
    )
    for way in islice(cycles(images.values()), MOST):
        said = f"is made from itself: {' -> '.join(way)}"
        findings.append(Finding(("images", way[0]), f"{said}; expected no way back to an image"))
    return Resolved(
        factory,
        tuple(findings),
        tuple(
            dict.fromkeys(each for path, file in files.items() for each in templatefiles.files(path, file))
        ),
        tuple(files.items()),
    )


def _image(
    key: str,
    part: ImagePart,
    document: Document,
    folder: Path,
    definitions: dict[DefinitionName, Definition],
    findings: list[Finding],
    files: dict[Path, templatefiles.TemplateFile],
) -> Image:
    path = ("images", key)
    template = TemplateId(
        inherited("subscription", part.subscription, document.subscription, path, findings).lower(),
        inherited("resource_group", part.resource_group, document.resource_group, path, findings).lower(),
        either(part.template_name, key).lower(),
    )
    place = Context(template.subscription, template.group)
    file = _template_file(folder / part.template, part.template, place, (*path, "template"), findings)
    files[folder / part.template] = file
    if faults := list(against(file, {each.id: each for each in definitions.values()})):
        findings.extend(templatefiles.placed(folder / part.template, file, faults))
    defaults = either(document.defaults, Options())
    return Image(
        name=ImageName(key),
        mode=either(part.mode, either(document.mode, Mode.OBSERVE)),
        template=template,
        location=file.location,
        body=file.body,
        source=_source(file, template.subscription),
        source_text=file.source_text,
        after_archive=either(part.after_archive, either(defaults.after_archive, AfterArchive.KEEP_TEMPLATE)),
        verification=either(part.verification, either(defaults.verification, Verification.SAMPLE)),
        build_at_first_sight=either(part.build_at_first_sight, either(defaults.build_at_first_sight, False)),
        schedule=schedules.read(part.schedule, (*path, "schedule"), findings),
        window=windows.read(part.window, defaults.window, (*path, "window"), findings),
        scripts=scripts(bytes(file.body)),
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
    file: Path, name: str, place: Context, path: tuple[str, ...], findings: list[Finding]
) -> templatefiles.TemplateFile:
    if not name:  # a fault of the schema, and reported as one
        return _EMPTY
    try:
        template, found = templatefiles.read(file, place)
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


def _complete(template: TemplateId) -> bool:
    return bool(template.subscription and template.group and template.name)


def _limits(part: LimitsPart | msgspec.UnsetType) -> Limits:
    return Limits(**given(part))


def _timing(part: TimingPart | msgspec.UnsetType, findings: list[Finding]) -> Timing:
    told = given(part)
    for name, within in _RANGES.items():
        path, value = ("timing", name), told.get(name)
        if isinstance(value, list):
            told[name] = tuple(read(text, within, (*path, at), findings) for at, text in enumerate(value))
        elif value is not None:
            told[name] = read(value, within, path, findings)
    return Timing(**told)

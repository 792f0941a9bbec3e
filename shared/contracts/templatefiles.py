"""Template files: plain Image Builder JSON, read for what the factory needs to know of it.

Everything else in it is Azure's to judge. Older files are read as what they are in the current form.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from shared.domain.errors import Invalid
from shared.domain.galleries import DefinitionId
from shared.domain.regions import plain
from shared.domain.versions import Version

from . import distributors, positions
from .faults import Finding, nearest
from .upgrading import NOWHERE, Context, Upgraded, reading

_MEMBERS: Final = ("location", "tags", "identity", "properties")
_SOURCES: Final = {
    "PlatformImage": ("publisher", "offer", "sku", "version"),
    "ManagedImage": ("imageId",),
    "SharedImageVersion": ("imageVersionId",),
}
_NAME: Final = re.compile(r"[A-Za-z0-9_.\-]{1,128}")
_ID: Final = re.compile(r"/[\x21-\x7e]{1,1000}")
_FORMS: Final = {
    "location": (re.compile(r"[A-Za-z0-9 ]{1,64}"), "the name of a region such as westeurope"),
    "publisher": (_NAME, "a publisher such as Canonical"),
    "offer": (_NAME, "an offer such as 0001-com-ubuntu-server-jammy"),
    "sku": (_NAME, "a sku such as 22_04-lts-gen2"),
    "version": (_NAME, "latest, or a version such as 22.04.202611010"),
    "imageId": (_ID, "the resource id of a managed image"),
    "imageVersionId": (_ID, "the resource id of a gallery image version"),
}


class Marketplace(msgspec.Struct, frozen=True):
    """A source that always is the newest version."""

    publisher: str
    offer: str
    sku: str


class TemplateFile(msgspec.Struct, frozen=True):
    body: msgspec.Raw
    location: str
    watched: Marketplace | DefinitionId | None
    source_text: str
    targets: tuple[distributors.GalleryTarget, ...] = ()
    upgraded: Upgraded = Upgraded({})
    """What was changed to bring it to the current form, and where its parts are written."""


def read(file: Path, context: Context = NOWHERE) -> tuple[TemplateFile | None, tuple[Finding, ...]]:
    """What the file says, as far as it can be understood, and what is wrong with it.

    `context` is where the template lives, for those that were written for a deployment.
    """
    try:
        written = reading.read(file, context)
    except reading.Unreadable as fault:
        return None, (Finding((), fault.said, file=fault.file, line=fault.line),)
    findings = _Findings(file, written.text, written.upgraded)
    for refusal in written.upgraded.refused:
        findings.place(refusal.path, refusal.message)
    template = _understand(written.upgraded.content, findings) if written.upgraded.content else None
    if template is not None:
        template = msgspec.structs.replace(template, upgraded=written.upgraded)
    return template, tuple(findings.found)


def files(file: Path, template: TemplateFile) -> Iterator[Path]:
    """Those to watch for a change. A parameter file that is not there yet may be what is missing."""
    yield file
    if template.upgraded.wrapped or not template.location:
        yield reading.parameter_file(file)


class _Findings:
    """Collects what is wrong with one file; lines are looked up only when there is something.

    Parts of a template are told where they are written: an older file has them elsewhere.
    """

    def __init__(self, file: Path, text: str, upgraded: Upgraded) -> None:
        self.found: list[Finding] = []
        self._file = file
        self._text = text
        self._upgraded = upgraded
        self._refused = {refusal.path for refusal in upgraded.refused}
        self._parsed: positions.Parsed | None = None

    def add(self, path: tuple[str | int, ...], message: str, suggestion: str = "") -> None:
        """What is refused as it is has no other faults: it is not in the current form."""
        written = self._upgraded.origin(path)
        if not any(written[:length] in self._refused for length in range(len(written) + 1)):
            self.place(written, message, suggestion)

    def place(self, path: tuple[str | int, ...], message: str, suggestion: str = "") -> None:
        if self._parsed is None:
            self._parsed = positions.parse(self._text)  # JSON is YAML, as far as lines are concerned
        self.found.append(Finding(path, message, suggestion, self._file, self._parsed.line(path)))


def placed(
    file: Path, template: TemplateFile, faults: Iterable[tuple[tuple[str | int, ...], str, str]]
) -> Iterator[Finding]:
    """Faults of a file that was read before, with their lines: path, message, suggestion."""
    findings = _Findings(file, file.read_bytes().decode("utf-8-sig"), template.upgraded)
    for path, message, suggestion in faults:
        findings.add(path, message, suggestion)
    yield from findings.found


def _understand(content: Mapping[str, Any], findings: _Findings) -> TemplateFile:
    for name in content.keys() - set(_MEMBERS):
        findings.add((name,), "not a member of an image template", nearest(name, _MEMBERS))
    location = _text(content, ("location",), findings)
    _check_tags(content.get("tags", {}), findings)
    watched, source_text = _source(content, findings)
    body = json.dumps({name: content[name] for name in _MEMBERS if name in content}, separators=(",", ":"))
    region = plain(location)
    properties = content.get("properties")
    feeds = distributors.targets(properties if isinstance(properties, dict) else {}, findings.add)
    return TemplateFile(msgspec.Raw(body), region, watched, f"{source_text} in {region}", tuple(feeds))


def _check_tags(tags: object, findings: _Findings) -> None:
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        findings.add(("tags",), "expected an object of texts")


def _source(content: Mapping[str, Any], findings: _Findings) -> tuple[Marketplace | DefinitionId | None, str]:
    properties = _object(content, ("properties",), findings)
    source = _object(properties, ("properties", "source"), findings)
    if not source:
        return None, ""
    path = ("properties", "source")
    kind = source.get("type")
    if not isinstance(kind, str) or kind not in _SOURCES:
        message = f"{kind!r} is not a type of source; expected {', '.join(_SOURCES)}"
        findings.add((*path, "type"), message, nearest(str(kind), _SOURCES))
        return None, ""
    parts = [_text(source, (*path, name), findings) for name in _SOURCES[kind]]
    if kind == "SharedImageVersion":
        of = parts[0]
        return distributors.source(of, (*path, "imageVersionId"), findings.add) if of else (None, "")
    if kind != "PlatformImage":
        return None, parts[0]
    publisher, offer, sku, version = parts
    image = f"{publisher}:{offer}:{sku}"
    if version.lower() == "latest":
        return Marketplace(publisher, offer, sku), image
    try:
        Version.parse(version)
    except Invalid as error:
        if version:
            findings.add((*path, "version"), f"{error}, or latest", nearest(version, ["latest"]))
    return None, f"{image}:{version} (a fixed version)"


def _object(content: Mapping[str, Any], path: tuple[str, ...], findings: _Findings) -> Mapping[str, Any]:
    value = content.get(path[-1])
    if isinstance(value, dict) and value:
        return value
    if len(path) == 1 or content:
        written = _misspelt(path, content)
        findings.add(path, f"{_kind(value)}; expected an object", written)
    return {}


def _text(content: Mapping[str, Any], path: tuple[str, ...], findings: _Findings) -> str:
    value = content.get(path[-1])
    form, expected = _FORMS[path[-1]]
    if isinstance(value, str) and form.fullmatch(value):
        return value
    written = _misspelt(path, content)
    findings.add(path, f"{_kind(value)}; expected {expected}", written)
    return ""


def _misspelt(path: tuple[str, ...], content: Mapping[str, Any]) -> str:
    name = path[-1]
    if name in content or len(path) == 1:  # members of the top that are not known are told anyway
        return ""
    written = nearest(name, content)
    return f"{name} in place of {written}" if written else ""


def _kind(value: object) -> str:
    if value is None:
        return "missing"
    if isinstance(value, str):
        return repr(value[:80])
    return {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}[
        type(value)
    ]

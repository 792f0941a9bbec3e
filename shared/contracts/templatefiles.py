"""Template files: plain Image Builder JSON, checked as Azure would, and what the factory has to know of it.

Older files are read as what they are in the current form.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from shared.domain.galleries import DefinitionId
from shared.domain.regions import plain

from . import distributors, imagetemplate, positions
from .faults import Finding
from .upgrading import NOWHERE, Context, Upgraded, reading

_MEMBERS: Final = ("location", "tags", "identity", "properties")


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
        findings.place(refusal.path, refusal.message, refusal.rule)
    if not written.upgraded.content:
        return None, tuple(findings.found)
    for remark in imagetemplate.check(written.upgraded.content, context.subscription):
        findings.remark(remark)
    template = _understand(written.upgraded.content)
    template = msgspec.structs.replace(template, upgraded=written.upgraded)
    return template, tuple(findings.found)


def changes(file: Path, template: TemplateFile) -> Iterator[Finding]:
    """What was changed to bring an older file to the current form, with lines."""
    findings = _Findings(file, file.read_bytes().decode("utf-8-sig"), template.upgraded)
    for change in template.upgraded.changes:
        findings.place(change.path, change.said, "")
    yield from findings.found


def advice(file: Path, template: TemplateFile) -> Iterator[Finding]:
    """What is better done in another way, with lines; nothing that runs asks for it."""
    findings = _Findings(file, file.read_bytes().decode("utf-8-sig"), template.upgraded)
    if changes := len(template.upgraded.changes):
        said = f"an older form, read as if upgraded: {changes} change(s)"
        findings.place((), f"{said}; `upgrade --write` writes them down", "older-form")
    for remark in imagetemplate.advise(template.upgraded.content):
        findings.remark(remark)
    yield from findings.found


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

    def remark(self, remark: imagetemplate.Remark) -> None:
        self.add(remark.path, remark.message, remark.suggestion, remark.rule)

    def add(self, path: positions.Path, message: str, suggestion: str = "", rule: str = "") -> None:
        """What is refused as it is has no other faults: it is not in the current form."""
        written = self._upgraded.origin(path)
        if not any(written[:length] in self._refused for length in range(len(written) + 1)):
            self.place(written, message, rule, suggestion)

    def place(self, path: positions.Path, message: str, rule: str, suggestion: str = "") -> None:
        if self._parsed is None:
            self._parsed = positions.parse(self._text)  # JSON is YAML, as far as lines are concerned
        line = self._parsed.line(path)
        self.found.append(Finding(path, message, suggestion, self._file, line, rule))


def placed(
    file: Path, template: TemplateFile, faults: Iterable[tuple[tuple[str | int, ...], str, str]]
) -> Iterator[Finding]:
    """Faults of a file that was read before, with their lines: path, message, suggestion."""
    findings = _Findings(file, file.read_bytes().decode("utf-8-sig"), template.upgraded)
    for path, message, suggestion in faults:
        findings.add(path, message, suggestion)
    yield from findings.found


def _understand(content: Mapping[str, Any]) -> TemplateFile:
    """As much as a faulty template says; the checker tells of the rest."""
    properties = _object(content, "properties")
    region = plain(_text(content, "location"))
    watched, source_text = _source(_object(properties, "source"))
    body = json.dumps({name: content[name] for name in _MEMBERS if name in content}, separators=(",", ":"))
    feeds = tuple(distributors.targets(properties))
    return TemplateFile(msgspec.Raw(body), region, watched, f"{source_text} in {region}", feeds)


def _source(source: Mapping[str, Any]) -> tuple[Marketplace | DefinitionId | None, str]:
    kind = source.get("type")
    if kind == "SharedImageVersion":
        return distributors.source(_text(source, "imageVersionId"))
    if kind != "PlatformImage":
        return None, _text(source, "imageId")
    publisher, offer, sku, version = (
        _text(source, name) for name in ("publisher", "offer", "sku", "version")
    )
    image = f"{publisher}:{offer}:{sku}"
    if version.lower() == "latest":
        return Marketplace(publisher, offer, sku), image
    return None, f"{image}:{version} (a fixed version)"


def _object(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = of.get(name)
    return value if isinstance(value, dict) else {}


def _text(of: Mapping[str, Any], name: str) -> str:
    value = of.get(name)
    return value if isinstance(value, str) else ""

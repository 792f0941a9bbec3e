"""What Image Builder takes, and people regret: told by `validate`, and by nothing that runs."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.contracts.faults import dotted, nearest
from shared.contracts.positions import Path
from shared.domain import regions

from .kinds import Remark
from .parts import child, rows, text
from .system import LINUX, WINDOWS, of, steps

_LEAST_FOR_WINDOWS: Final = 60
_LARGE: Final = (
    ".zip .7z .rar .tar .gz .tgz .bz2 .xz .msi .msix .msu .exe .cab .iso .img .vhd .vhdx .wim .deb .rpm"
)
_FETCH: Final = {LINUX: "curl in a Shell step", WINDOWS: "Invoke-WebRequest in a PowerShell step"}


def advise(content: Mapping[str, Any]) -> Iterator[Remark]:
    """Whatever the template holds; faults are somebody else's to tell."""
    for rule in (_region, _timeout, _machine, _runs, _steps, _targets):
        yield from rule(content)


def _advice(path: Path, message: str, rule: str, suggestion: str = "") -> Remark:
    return Remark(path, message, rule, suggestion, advice=True)


def _region(content: Mapping[str, Any]) -> Iterator[Remark]:
    places: list[tuple[Path, str]] = [(("location",), text(content, "location"))]
    for path, target in rows(child(content, "properties"), "distribute", ("properties",)):
        places.append(((*path, "location"), text(target, "location")))
        places += [((*at, "name"), text(row, "name")) for at, row in rows(target, "targetRegions", path)]
    for path, name in places:
        if name and regions.unknown(name):
            near = nearest(regions.plain(name), regions.REGIONS)
            yield _advice(path, f"{name[:64]!r} is no region that was known in 2026", "known-region", near)


def _timeout(content: Mapping[str, Any]) -> Iterator[Remark]:
    minutes = child(content, "properties").get("buildTimeoutInMinutes")
    short = type(minutes) is int and 0 < minutes < _LEAST_FOR_WINDOWS
    if short and of(content).name == WINDOWS:
        said = f"{minutes} minutes are short for Windows; better {_LEAST_FOR_WINDOWS} or more, or 0 for 240"
        yield _advice(("properties", "buildTimeoutInMinutes"), said, "windows-timeout")


def _machine(content: Mapping[str, Any]) -> Iterator[Remark]:
    profile = child(content, "properties", "vmProfile")
    path: Path = ("properties", "vmProfile", "vnetConfig", "proxyVmSize")
    network = child(profile, "vnetConfig")
    if text(network, "proxyVmSize") and not text(network, "subnetId"):
        yield _advice(path, "counts only where subnetId names a subnet", "proxy-size")


def _runs(content: Mapping[str, Any]) -> Iterator[Remark]:
    properties = child(content, "properties")
    if text(child(properties, "autoRun"), "state") == "Enabled":
        said = "Enabled starts a run when the template is made, beside those that the factory starts"
        yield _advice(("properties", "autoRun", "state"), said, "auto-run")
    if child(properties, "validate").get("sourceValidationOnly") is True:
        said = "true makes no image: the source is tried, and there is nothing to archive or to release"
        yield _advice(("properties", "validate", "sourceValidationOnly"), said, "source-only")
    for name, value in child(properties, "errorHandling").items():
        if value == "abort":
            said = "abort leaves the machine of a failed build behind, and its cost; cleanup takes it away"
            yield _advice(("properties", "errorHandling", name), said, "abort")


def _steps(content: Mapping[str, Any]) -> Iterator[Remark]:
    system = of(content).name
    tried: dict[str, Path] = {}
    for path, step in steps(content):
        kind = text(step, "type")
        yield from _address(path, step)
        if kind == "File":
            yield from _file(path, step, system)
        elif text(step, "sha256Checksum") and not text(step, "scriptUri"):
            yield _advice((*path, "sha256Checksum"), "counts for scriptUri alone", "checksum-of-script")
        if any(letter.isupper() for letter in text(step, "sha256Checksum")):
            said = "in upper case; the reference asks for lower case, as sha256sum prints it"
            yield _advice((*path, "sha256Checksum"), said, "checksum-case")
        for at, each in enumerate(_listed(step, "filters")):
            if not str(each).startswith(("include:", "exclude:")):
                said = f"{str(each)[:80]!r}; filters begin with include: or exclude:"
                yield _advice((*path, "filters", at), said, "update-filter")
        name = text(step, "name")
        if "validate" in path and name and tried.setdefault(name, path) != path:
            said = f"{name!r} is the name of {dotted(tried[name])} too: the log does not tell them apart"
            yield _advice((*path, "name"), said, "validator-names")


def _address(path: Path, step: Mapping[str, Any]) -> Iterator[Remark]:
    for name in ("scriptUri", "sourceUri"):
        address, here = text(step, name), (*path, name)
        if "sig=" in address.partition("?")[2]:
            said = (
                "a signature within the template, which many can read; better the template's identity alone"
            )
            yield _advice(here, said, "signature")
        if address.startswith("http://"):
            yield _advice(here, "fetched without encryption; better https://", "https")
        if address.startswith("https://github.com/") and "/blob/" in address:
            said = "the page that shows the file; its content is at https://raw.githubusercontent.com/"
            yield _advice(here, said, "github-page")


def _file(path: Path, step: Mapping[str, Any], system: str) -> Iterator[Remark]:
    source, destination = text(step, "sourceUri").partition("?")[0], text(step, "destination")
    ending = next((each for each in _LARGE.split() if source.lower().endswith(each)), "")
    if ending:
        fetch = _FETCH.get(system, "curl or Invoke-WebRequest in a script")
        said = f"File is for less than 20 MB, and a {ending} may be larger; better {fetch}"
        yield _advice((*path, "sourceUri"), said, "file-size")
    if source.endswith("/"):
        yield _advice((*path, "sourceUri"), "a folder, it seems; File fetches one file", "one-file")
    if destination.endswith(("/", "\\")):
        said = "a folder, it seems; the whole path is expected, with the file's name"
        yield _advice((*path, "destination"), said, "file-name")
    elif not system and destination.startswith("/") and not destination.startswith("/tmp/"):  # noqa: S108
        said = "on Linux Image Builder can write in /tmp alone"
        yield _advice((*path, "destination"), said, "file-in-tmp")


def _targets(content: Mapping[str, Any]) -> Iterator[Remark]:
    made: dict[str, Path] = {}
    for path, target in rows(child(content, "properties"), "distribute", ("properties",)):
        id = text(target, "galleryImageId")
        if "/versions/" in id.lower():
            said = "names a version, which can be made once: the next run will fail"
            yield _advice((*path, "galleryImageId"), said, "numbered-version")
        if target.get("type") == "SharedImage" and not _listed(target, "targetRegions"):
            said = "without targetRegions the version stays where its definition is"
            yield _advice(path, said, "no-regions")
        for name in ("galleryImageId", "imageId"):
            same = text(target, name).lower()
            if same and made.setdefault(same, path) != path:
                said = f"the same as in {dotted(made[same])}: the image is made twice"
                yield _advice((*path, name), said, "same-target")
        if "?" in text(target, "uri"):
            yield _advice(
                (*path, "uri"), "written with the template's identity; no signature is needed", "signature"
            )


def _listed(of_: Mapping[str, Any], name: str) -> list[Any]:
    found = of_.get(name)
    return found if isinstance(found, list) else []

"""Templates that bring the command which generalizes their image, in place of Image Builder's own.

Image Builder runs a file of a fixed name at the end of customization, if it is there. What a script does that
is only named by its address cannot be seen; a command that writes the file can, in the ways that people use.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

LINUX: Final = "/tmp/DeprovisioningScript.sh"  # noqa: S108 # where Image Builder looks for it
WINDOWS: Final = r"c:\DeprovisioningScript.ps1"

_THERE: Final = "\0"
"""Stands for the file in a line, however it is written there."""
_END: Final = r"[\"']?\0[\"']?(?:\s+-\w+)*\s*(?:$|[|;&)}])"
_REDIRECTED: Final = r">{1,2}\|?\s*[\"']?\0"
_BY_SHELL: Final = (
    _REDIRECTED,
    r"\btee\b[^|;&<]*\0",
    rf"\b(?:cp|mv|install|ln|rsync|scp|azcopy)\b[^|;&]*\s{_END}",
    r"\bcurl\b[^|;&]*\s(?:-\w*o|--output)[\s=]*[\"']?\0",
    r"\bwget\b[^|;&]*\s(?:-\w*O|--output-document)[\s=]*[\"']?\0",
    r"\b(?:sed|perl)\b[^|;&]*\s(?:-\w*i|--in-place)[^|;&]*\0",
    r"\bdd\b[^|;&]*\bof=[\"']?\0",
)
_BY_POWERSHELL: Final = (
    _REDIRECTED,
    r"\b(?:set-content|add-content|out-file|tee-object|tee|new-item|ni)\b[^|;]*\0",
    rf"\b(?:copy-item|move-item|copy|move|cp|mv)\b[^|;]*\s(?:-destination\s+[\"']?\0|{_END})",
    r"\s-(?:outfile|outpath|destination)\s+[\"']?\0",
    r"\b(?:write|append)all(?:text|lines|bytes)\s*\(\s*[\"']?\0",
    r"\bdownloadfile\s*\([^)]*,\s*[\"']?\0",
)
# As texts: the app imports this, and few templates ever come to it.
_WRITES: Final = {
    "shell": (LINUX, r"(?<![\w.-])/+tmp/+DeprovisioningScript\.sh(?![\w.-])", "|".join(_BY_SHELL)),
    "powershell": (
        WINDOWS,
        r"(?i)(?<![\w.])(?:c:|\$\{?env:systemdrive\}?|%systemdrive%)[\\/]+deprovisioningscript\.ps1(?![\w.])",
        f"(?i){'|'.join(_BY_POWERSHELL)}",
    ),
}
_SET: Final = r"(?:^|[;&\s])\$?(\w+)\s*=\s*[\"']?\0[\"']?\s*(?:;|$)"
_QUOTED: Final = r"'[^'\0]*'|\"[^\"\0]*\""


def generalized_by(customizers: object) -> str:
    """Which file is put in place; empty if Image Builder's own command generalizes the image."""
    for step in _listed(customizers):
        if isinstance(step, Mapping) and (path := _put_by(step)):
            return f"custom command: {path}"
    return ""


def _put_by(step: Mapping[str, Any]) -> str:
    kind = str(step.get("type", "")).lower()
    if kind == "file":
        destination = str(step.get("destination", "")).strip()
        return next((path for path, form, _ in _WRITES.values() if re.fullmatch(form, destination)), "")
    if kind not in _WRITES:
        return ""
    path, form, writes = _WRITES[kind]
    return path if any(re.search(writes, line) for line in _lines(step.get("inline"), form)) else ""


def _lines(inline: object, form: str) -> Iterator[str]:
    """Those that speak of the file, by its name or by a variable that was set to it before."""
    variables: set[str] = set()
    text = "\n".join(each for each in _listed(inline) if isinstance(each, str))
    for line in text.splitlines() if "deprovisioningscript" in text.lower() else ():
        if line.lstrip().startswith("#"):
            continue
        said = re.sub(form, _THERE, line.replace(_THERE, ""))
        for name in variables:
            said = re.sub(rf"\$\{{?{name}\b\}}?", _THERE, said, flags=re.IGNORECASE)
        variables.update(found[1] for found in re.finditer(_SET, said))
        if _THERE in said:
            yield re.sub(_QUOTED, "''", said)  # marks within quotes would pass for ends of the command


def _listed(value: object) -> Sequence[Any]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()

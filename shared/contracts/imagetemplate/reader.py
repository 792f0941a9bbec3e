"""Holds a template against the tables of its form: kinds, choices, bounds, and names that nobody knows."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from shared.contracts.faults import nearest
from shared.contracts.positions import Path
from shared.domain.errors import Invalid
from shared.domain.ids import SUBSCRIPTION, ResourceId

from .form import GROUP, TEMPLATE
from .kinds import Flag, Form, Ids, Kind, Many, Number, Remark, Tags, Text, Union, shown, wrong

Found = list[Remark]

_OF_IDENTITIES: Final = frozenset(("principalId", "clientId"))
"""What Azure itself has written there; it does not mind to read it again."""
MOST_TAGS: Final = 50
LONGEST_TAG: Final = 512
LONGEST_TAG_VALUE: Final = 256
_NOT_IN_TAGS: Final = r"[<>%&\\?/\x00-\x1f]"
_GROUP_ID: Final = (
    rf"/subscriptions/{SUBSCRIPTION.pattern}/resourceGroups/[a-z0-9_().\-]{{0,89}}[a-z0-9_()\-]"
)


def read(kind: Kind, value: Any, path: Path, found: Found) -> None:
    """Null is no value: Azure reads it as a member that is left out."""
    _READERS[type(kind)](kind, value, path, found)


def _text(kind: Text, value: Any, path: Path, found: Found) -> None:
    if not isinstance(value, str):
        found.append(Remark(path, f"{shown(value)}; expected {kind.expected}", "kind"))
    elif not value and kind.or_empty:
        return
    elif kind.choices:
        if value not in kind.choices:
            near = nearest(value, kind.choices)
            found.append(Remark(path, f"{shown(value)}; expected {kind.expected}", "choice", near))
    elif (kind.pattern and not re.fullmatch(kind.pattern, value)) or (kind.of and not _is_id(kind.of, value)):
        found.append(Remark(path, f"{wrong(value)}; expected {kind.expected}", kind.rule))


def _is_id(of: str, value: str) -> bool:
    if of == GROUP:
        return re.fullmatch(_GROUP_ID, value, re.IGNORECASE) is not None
    try:
        return ResourceId.parse(value).type == of
    except Invalid:
        return False


def _flag(kind: Flag, value: Any, path: Path, found: Found) -> None:
    if not isinstance(value, bool):
        quotes = ", without quotes" if isinstance(value, str) and value.lower() in ("true", "false") else ""
        found.append(Remark(path, f"{shown(value)}; expected {kind.expected}{quotes}", "kind"))


def _number(kind: Number, value: Any, path: Path, found: Found) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        quotes = ", without quotes" if isinstance(value, str) and value.strip("-").isdecimal() else ""
        said = str(value) if isinstance(value, float) else shown(value)
        found.append(Remark(path, f"{said}; expected {kind.expected}{quotes}", "kind"))
    elif not kind.least <= value <= kind.most:
        found.append(Remark(path, f"{value}; expected {kind.expected}", "bounds"))


def _tags(kind: Tags, value: Any, path: Path, found: Found) -> None:
    if not isinstance(value, dict):
        found.append(Remark(path, f"{shown(value)}; expected {kind.expected}", "kind"))
        return
    if len(value) > MOST_TAGS:
        found.append(Remark(path, f"{len(value)} tags; expected at most {MOST_TAGS}", "tags"))
    seen: dict[str, str] = {}
    for name, each in value.items():
        here = (*path, name)
        if not isinstance(each, str):
            found.append(Remark(here, f"{shown(each)}; expected a text in quotes", "kind"))
        elif len(each) > LONGEST_TAG_VALUE:
            said = f"a value of {len(each)} characters; expected at most {LONGEST_TAG_VALUE}"
            found.append(Remark(here, said, "tags"))
        if not name.strip() or len(name) > LONGEST_TAG or re.search(_NOT_IN_TAGS, name):
            said = f"{shown(name)} as a name; expected 1 to {LONGEST_TAG} characters without any of <>%&\\?/"
            found.append(Remark(here, said, "tags"))
        first = seen.setdefault(name.lower(), name)
        if first != name:
            said = f"the same tag as {first}: case does not count in their names; expected one of them"
            found.append(Remark(here, said, "tags"))


def _many(kind: Many, value: Any, path: Path, found: Found) -> None:
    if not isinstance(value, list):
        found.append(Remark(path, f"{shown(value)}; expected {kind.expected}", "kind"))
        return
    if len(value) < kind.least:
        found.append(Remark(path, f"an empty list; expected {kind.expected}, at least one", "missing"))
    reader = _READERS[type(kind.of)]
    for at, each in enumerate(value):
        reader(kind.of, each, (*path, at), found)


def _ids(kind: Ids, value: Any, path: Path, found: Found) -> None:
    if not isinstance(value, dict):
        found.append(Remark(path, f"{shown(value)}; expected {kind.expected}", "kind"))
        return
    for id, each in value.items():
        _text(kind.of, id, (*path, id), found)
        if each is not None and not (isinstance(each, dict) and each.keys() <= _OF_IDENTITIES):
            found.append(Remark((*path, id), f"{shown(each)}; expected {{}}", "kind"))


def _form(kind: Form, value: Any, path: Path, found: Found) -> None:
    if not isinstance(value, dict):
        found.append(Remark(path, f"{shown(value)}; expected {kind.expected}", "kind"))
    else:
        _members(kind, value, path, found, ())


def _union(kind: Union, value: Any, path: Path, found: Found) -> None:
    if not isinstance(value, dict):
        found.append(Remark(path, f"{shown(value)}; expected {kind.expected}", "kind"))
        return
    chosen = value.get(kind.by)
    variant = kind.variants.get(chosen) if isinstance(chosen, str) else None
    if variant is None:
        variant = _nearest_variant(kind, value, path, found)
    if variant is not None:
        _members(variant, value, path, found, tuple(kind.variants.items()))


def _nearest_variant(kind: Union, value: Mapping[str, Any], path: Path, found: Found) -> Form | None:
    """The one that was meant but for upper and lower case: the rest of it can be checked all the same."""
    chosen = value.get(kind.by)
    if chosen is None:
        twin = next((name for name in value if name.lower() == kind.by), "")
        written = value.get(twin)
        if isinstance(written, str) and written in kind.variants:
            return kind.variants[written]  # its members tell of the name
        if twin:
            found.append(_unknown(twin, kind.what, kind.by, (*path, twin), ()))
        else:
            found.append(Remark((*path, kind.by), f"missing; expected {kind.choices()}", "missing"))
        return None
    near = nearest(chosen, kind.variants) if isinstance(chosen, str) else ""
    said = f"{shown(chosen)} is not a {kind.by} of {kind.what}; expected {kind.choices()}"
    found.append(Remark((*path, kind.by), said, "choice", near))
    return kind.variants[near] if near and near.lower() == str(chosen).lower() else None


def _members(
    kind: Form,
    value: Mapping[str, Any],
    path: Path,
    found: Found,
    siblings: tuple[tuple[str, Form], ...],
) -> None:
    meant: set[str] = set()
    for name, each in value.items():
        member = kind.members.get(name)
        if member is None:
            near = nearest(name, (known for known in kind.members if known not in value))
            meant.add(near)
            found.append(_unknown(name, kind.what, near, (*path, name), siblings))
        elif each is not None:
            _READERS[type(member)](member, each, (*path, name), found)
    for name in kind.required:
        if value.get(name) is None and name not in meant:
            said = f"missing; expected {kind.members[name].expected}"
            found.append(Remark((*path, name), said, "missing"))


def _unknown(name: str, what: str, near: str, path: Path, siblings: tuple[tuple[str, Form], ...]) -> Remark:
    of = f"not a member of {what}"
    if near.lower() == name.lower():
        said = f"{of}: upper and lower case count since api-version 2024-02-01"
        return Remark(path, said, "case", near)
    owners = [other for other, form in siblings if name in form.members] or _elsewhere(name)
    if owners:
        return Remark(
            path, f"{of}; {' and '.join(owners)} {'has' if len(owners) == 1 else 'have'} it", _UNKNOWN
        )
    return Remark(path, f"{of}; unknown ones are refused since api-version 2024-02-01", _UNKNOWN, near)


def _elsewhere(name: str) -> list[str]:
    """The one object that has such a member; none if there are several, for it is a common word."""
    owners = {form.what for form in _forms(TEMPLATE) if name in form.members}
    return list(owners) if len(owners) == 1 else []


def _forms(kind: Kind) -> Iterator[Form]:
    if isinstance(kind, Form):
        yield kind
    parts = kind.variants if isinstance(kind, Union) else kind.members if isinstance(kind, Form) else {}
    within = [kind.of] if isinstance(kind, Many) else parts.values()
    for each in within:
        yield from _forms(each)


_UNKNOWN: Final = "unknown-member"
_READERS: Final[Mapping[type, Callable[[Any, Any, Path, Found], None]]] = {
    Text: _text,
    Flag: _flag,
    Number: _number,
    Tags: _tags,
    Many: _many,
    Ids: _ids,
    Form: _form,
    Union: _union,
}

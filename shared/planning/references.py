"""Who uses which image, and which templates are built from it: an index over everything that was seen."""

import re
from collections import defaultdict
from collections.abc import Iterable

import msgspec

from shared.domain.estate import Reference, Seen, SeenTemplate, SeenVersion, User
from shared.domain.factory import Factory

_SHARED = re.compile(
    r"/sharedgalleries/(?P<subscription>[0-9a-f\-]{36})-(?P<gallery>[^/]+)/images/(?P<name>[^/]+)(?P<rest>/.*)?"
)
_COMMUNITY = re.compile(r"/communitygalleries/[^/]+/images/(?P<name>[^/]+)(?P<rest>/.*)?")
_GALLERY = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourcegroups/[^/]+/providers/microsoft\.compute"
    r"/galleries/(?P<gallery>[^/]+)/images/(?P<name>[^/]+)"
)


class References(msgspec.Struct, frozen=True):
    """By the id of an image: names of what uses it, and of templates that are built from it."""

    used_by: dict[str, tuple[str, ...]]
    source_of: dict[str, tuple[str, ...]]
    unclear: dict[str, tuple[str, ...]]
    """By definition: machines that came from one of its versions without saying from which."""


class _Source(msgspec.Struct, frozen=True):
    imageVersionId: str = ""  # noqa: N815  as Image Builder spells it
    imageId: str = ""  # noqa: N815


class _Properties(msgspec.Struct, frozen=True):
    source: _Source = _Source()


class _Body(msgspec.Struct, frozen=True):
    properties: _Properties = _Properties()


def references(seen: Iterable[Seen], factory: Factory) -> References:
    seen = tuple(seen)
    shared = _shared_names(each.definition for each in seen if isinstance(each, SeenVersion))
    used, sources, unclear = (defaultdict[str, set[str]](set) for _ in range(3))
    for each in seen:
        if isinstance(each, User):
            for reference in (r for told in each.references for r in _meant(told, shared)):
                id, version = _split(reference)
                _note(used, unclear if each.runs else None, id, version, each.name)
        elif isinstance(each, SeenTemplate) and each.source:
            id, version = _split(_own(each.source, shared))
            _note(sources, None, id, version, each.id.rsplit("/", 1)[1])
    for image in factory.images.values():
        id, version = _split(_own(_configured(bytes(image.body)), shared))
        _note(sources, None, id, version, image.template.name)
    return References(_told(used), _told(sources), _told(unclear))


def _note(
    found: dict[str, set[str]], unclear: dict[str, set[str]] | None, id: str, version: str, by: str
) -> None:
    if "/galleries/" not in id:
        found[id].add(by)
    elif version:
        found[f"{id}/versions/{version}"].add(by)
    elif unclear is not None:
        unclear[id].add(by)


def _split(reference: Reference) -> tuple[str, str]:
    """A definition and the version of it, which may be unknown; or a managed image."""
    id, _, version = reference.id.partition("/versions/")
    exact = reference.exact.rpartition("/")[2]
    return id, exact if version in ("", "latest") else version


def _configured(body: bytes) -> Reference:
    try:
        source = msgspec.json.decode(body, type=_Body).properties.source
    except msgspec.DecodeError:  # a source of another form than these two
        return Reference("")
    return Reference((source.imageVersionId or source.imageId).lower())


def _shared_names(definitions: Iterable[str]) -> dict[tuple[str, str, str], str]:
    found = {}
    for id in set(definitions):
        if parts := _GALLERY.fullmatch(id):
            found[parts["subscription"], parts["gallery"], parts["name"]] = id
    return found


def _meant(reference: Reference, shared: dict[tuple[str, str, str], str]) -> list[Reference]:
    """A community gallery's public name does not say whose it is: any definition of that name may be."""
    parts = _COMMUNITY.fullmatch(reference.id)
    if parts is None:
        return [_own(reference, shared)]
    ids = [id for (_, _, name), id in shared.items() if name == parts["name"]]
    return [Reference(f"{id}{parts['rest'] or ''}", reference.exact) for id in ids]


def _own(reference: Reference, shared: dict[tuple[str, str, str], str]) -> Reference:
    """A version that is named by way of its gallery's sharing is the version all the same."""
    parts = _SHARED.fullmatch(reference.id)
    id = shared.get((parts["subscription"], parts["gallery"], parts["name"])) if parts else None
    return Reference(f"{id}{(parts and parts['rest']) or ''}", reference.exact) if id else reference


def _told(found: dict[str, set[str]]) -> dict[str, tuple[str, ...]]:
    return {id: tuple(sorted(names)) for id, names in found.items() if id}

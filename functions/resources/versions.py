"""Gallery versions."""

from collections.abc import Callable
from typing import Any

from functions.answers import Handler, Reply
from shared.contracts.api import versions
from shared.contracts.api.names import Because
from shared.contracts.api.operations import Nothing
from shared.contracts.api.paging import going_on, token
from shared.contracts.api.requests import Given
from shared.contracts.api.versions import OfVersion
from shared.usecases import lineage, progress, rulings, withdrawals
from shared.usecases.asking import Ask


def list_versions(ask: Ask, given: Given[Nothing, versions.VersionFilter, Nothing]) -> Reply:
    wanted = given.query
    after = going_on("versions", wanted)
    page = progress.page(ask.out, ask.factory, wanted.definition, wanted.stage, after, wanted.limit)
    last = page.records[-1].version.text if page.more else None
    more = token("versions", wanted, last) if last else None
    return Reply(versions.VersionList(tuple(map(versions.item, page.records)), more))


def show_version(ask: Ask, given: Given[OfVersion, Nothing, Nothing]) -> Reply:
    name = _name(given.at)
    told = progress.progress(ask.out, ask.factory, name)
    both = lineage.lineage(ask.out, ask.factory, name)
    regions = tuple(versions.Place(p.ring, p.region, p.state, p.since, p.why) for p in told.places)
    above = tuple(map(_node, both.ancestors))
    return Reply(versions.view(told.record, told.next, regions, above, _node(both.of)))


def promote(ask: Ask, given: Given[OfVersion, Nothing, versions.Promotion]) -> Reply:
    word = _word(ask, given.at, given.body.reason)
    withdrawals.promote(ask.out, ask.factory, word, through=given.body.through)
    return _noted(ask, given.at)


def pin(ask: Ask, given: Given[OfVersion, Nothing, Because]) -> Reply:
    why = given.body.reason or "by hand"
    rulings.pin(ask.out, ask.factory, _name(given.at), why, correlation=ask.correlation, by=ask.by)
    return Reply(_said(ask, given.at))


def unpin(ask: Ask, given: Given[OfVersion, Nothing, Nothing]) -> Reply:
    rulings.unpin(ask.out, ask.factory, _name(given.at), correlation=ask.correlation, by=ask.by)
    return Reply(_said(ask, given.at))


def undelete(ask: Ask, given: Given[OfVersion, Nothing, Nothing]) -> Reply:
    left = rulings.undelete(ask.out, ask.factory, _name(given.at), ask.correlation, by=ask.by)
    return _noted(ask, given.at, left)


def _saying(say: Callable[..., None]) -> Handler:
    def handle(ask: Ask, given: Given[Any, Any, Any]) -> Reply:
        say(ask.out, ask.factory, _word(ask, given.at, given.body.reason))
        return _noted(ask, given.at)

    return handle


def _word(ask: Ask, at: OfVersion, reason: str) -> withdrawals.Word:
    return withdrawals.Word(_name(at), reason or "by hand", ask.correlation, ask.by, ask.id)


def _noted(ask: Ask, at: OfVersion, left: str = "") -> Reply:
    return Reply(_said(ask, at, left), f"/versions/{_name(at)}")


def _said(ask: Ask, at: OfVersion, left: str = "") -> versions.VersionSaid:
    return versions.VersionSaid(at.definition, at.version, ask.correlation, left)


def _name(at: OfVersion) -> str:
    return f"{at.definition}/{at.version}"


def _node(of: lineage.Node) -> versions.LineageNode:
    return versions.LineageNode(of.kind, of.name, of.told, tuple(map(_node, of.children)))


HANDLERS: dict[str, Handler] = {
    "listVersions": list_versions,
    "showVersion": show_version,
    "holdVersion": _saying(withdrawals.hold),
    "resumeVersion": _saying(withdrawals.resume),
    "promoteVersion": promote,
    "withdrawVersion": _saying(withdrawals.withdraw),
    "pinVersion": pin,
    "unpinVersion": unpin,
    "undeleteVersion": undelete,
}

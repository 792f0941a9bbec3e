"""The archive."""

from functions.answers import Handler, Reply
from shared.contracts import manifest
from shared.contracts.api import archive
from shared.contracts.api.operations import Nothing
from shared.contracts.api.paging import going_on, token
from shared.contracts.api.requests import Given
from shared.usecases import shelf
from shared.usecases.asking import Ask
from shared.usecases.pages import Span


def list_archive(ask: Ask, given: Given[Nothing, archive.ArchiveFilter, Nothing]) -> Reply:
    wanted = given.query
    image = ask.factory.image(wanted.image).name if wanted.image else None
    after = going_on("archive", wanted)
    span = Span(wanted.since, wanted.until, after, wanted.limit)
    page = shelf.archived(ask.out, image, span)
    more = token("archive", wanted, page.last) if page.last else None
    return Reply(archive.VhdList(tuple(map(archive.item, page.records)), more))


def show_vhd(ask: Ask, given: Given[archive.OfVhd, Nothing, Nothing]) -> Reply:
    at = given.at
    return Reply(archive.view(shelf.vhd(ask.out, ask.factory, at.image, at.run, at.output)))


def show_manifest(ask: Ask, given: Given[archive.OfVhd, Nothing, Nothing]) -> Reply:
    at = given.at
    found = shelf.manifest(ask.out, ask.factory, at.image, at.run, at.output)
    return Reply(manifest.document(found))


HANDLERS: dict[str, Handler] = {
    "listArchive": list_archive,
    "showVhd": show_vhd,
    "showManifest": show_manifest,
}

"""Runs, and the orders that start them."""

from functions.answers import Handler, Reply
from shared.contracts.api import runs
from shared.contracts.api.names import Because, OfImage
from shared.contracts.api.operations import Nothing
from shared.contracts.api.paging import going_on, token
from shared.contracts.api.requests import Given
from shared.domain.orders import OrderKind
from shared.usecases import listing, orders, reading
from shared.usecases.asking import Ask
from shared.usecases.pages import Span


def list_runs(ask: Ask, given: Given[Nothing, runs.RunFilter, Nothing]) -> Reply:
    wanted = given.query
    image = ask.factory.image(wanted.image).name if wanted.image else None
    after = going_on("runs", wanted)
    span = Span(wanted.since, wanted.until, after, wanted.limit)
    page = listing.runs(ask.out, image, span)
    more = token("runs", wanted, page.last) if page.last else None
    return Reply(runs.RunList(tuple(map(runs.item, page.records)), more))


def show_run(ask: Ask, given: Given[runs.OfRun, Nothing, Nothing]) -> Reply:
    image, start = given.at.image, given.at.run
    found = reading.run(ask.out, ask.factory, image, start)
    if isinstance(found, reading.Over):
        return Reply(runs.over(found.run, found.outputs))
    return Reply(runs.under_way(image, str(found.template), found.run))


def start_run(ask: Ask, given: Given[OfImage, Nothing, Because]) -> Reply:
    return _order(ask, given.at.image, OrderKind.START, given.body.reason)


def cancel_run(ask: Ask, given: Given[runs.OfRun, Nothing, Because]) -> Reply:
    at = given.at
    reading.run(ask.out, ask.factory, at.image, at.run)  # one that there never was is not found
    return _order(ask, at.image, OrderKind.CANCEL, given.body.reason, at.run)


def delete_template(ask: Ask, given: Given[OfImage, Nothing, Nothing]) -> Reply:
    return _order(ask, given.at.image, OrderKind.DELETE, "")


def _order(ask: Ask, image: str, kind: OrderKind, reason: str, run: str | None = None) -> Reply:
    """An order: under the request's own id, so that the same request again is the same order."""
    placed = orders.order(ask.out, ask.factory, image, kind, ask.id, ask.by, reason, ask.correlation, run=run)
    return Reply(runs.order(placed), f"/images/{placed.image}/orders/{placed.id}")


def show_order(ask: Ask, given: Given[runs.OfOrder, Nothing, Nothing]) -> Reply:
    return Reply(runs.order(reading.order(ask.out, ask.factory, given.at.image, given.at.order)))


HANDLERS: dict[str, Handler] = {
    "listRuns": list_runs,
    "showRun": show_run,
    "startRun": start_run,
    "cancelRun": cancel_run,
    "deleteTemplate": delete_template,
    "showOrder": show_order,
}

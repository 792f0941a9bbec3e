"""Failed work."""

from functions.answers import Handler, Reply
from shared.contracts.api import work
from shared.contracts.api.operations import Nothing
from shared.contracts.api.paging import going_on, token
from shared.contracts.api.requests import Given
from shared.usecases import reading
from shared.usecases import work as failures
from shared.usecases.asking import Ask


def list_work(ask: Ask, given: Given[Nothing, work.WorkFilter, Nothing]) -> Reply:
    wanted = given.query
    page = reading.failed(ask.out, going_on("work", wanted), wanted.limit)
    more = token("work", wanted, page.last) if page.last else None
    return Reply(work.WorkList(tuple(map(work.view, page.records)), more))


def show_work(ask: Ask, given: Given[work.OfWork, Nothing, Nothing]) -> Reply:
    return Reply(work.view(failures.failed(ask.out, given.at.key)))


def send_again(ask: Ask, given: Given[work.OfWork, Nothing, Nothing]) -> Reply:
    id = failures.failed(ask.out, given.at.key).id
    failures.send_again(ask.out, id, correlation=ask.correlation, by=ask.by)
    return Reply(work.view(failures.failed(ask.out, given.at.key)), f"/failed-work/{given.at.key}")


HANDLERS: dict[str, Handler] = {"listWork": list_work, "showWork": show_work, "sendAgain": send_again}

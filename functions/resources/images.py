"""Images."""

from functions.answers import Handler, Reply
from shared.contracts.api import images
from shared.contracts.api.names import Because, OfImage
from shared.contracts.api.operations import Nothing
from shared.contracts.api.paging import going_on, token
from shared.contracts.api.requests import Given
from shared.usecases import listing, orders, status
from shared.usecases.asking import Ask


def list_images(ask: Ask, given: Given[Nothing, images.ImageFilter, Nothing]) -> Reply:
    wanted = given.query
    after = going_on("images", wanted)
    page = listing.images(ask.out, ask.factory, wanted.prefix, after, wanted.limit)
    items = tuple(images.item(each.image, each.line) for each in page.images)
    return Reply(images.ImageList(items, token("images", wanted, items[-1].name) if page.more else None))


def show_image(ask: Ask, given: Given[OfImage, Nothing, Nothing]) -> Reply:
    return Reply(_view(ask, given.at.image))


def look_at_image(ask: Ask, given: Given[OfImage, Nothing, Nothing]) -> Reply:
    name = given.at.image
    status.ask_for_look(ask.out, ask.factory, name, ask.correlation, by=ask.by)
    return Reply(images.Looking(name, ask.correlation), f"/images/{name}")


def pause_image(ask: Ask, given: Given[OfImage, Nothing, Because]) -> Reply:
    name = given.at.image
    orders.pause(ask.out, ask.factory, name, ask.by, given.body.reason, ask.correlation)
    return Reply(_view(ask, name))


def resume_image(ask: Ask, given: Given[OfImage, Nothing, Nothing]) -> Reply:
    name = given.at.image
    status.resume(ask.out, ask.factory, name, ask.correlation, by=ask.by)
    return Reply(_view(ask, name))


def _view(ask: Ask, name: str) -> images.ImageView:
    stands = status.of_image(ask.out, ask.factory, name)
    return images.view(ask.factory.image(name), stands.record, stands.next)


HANDLERS: dict[str, Handler] = {
    "listImages": list_images,
    "showImage": show_image,
    "lookAtImage": look_at_image,
    "pauseImage": pause_image,
    "resumeImage": resume_image,
}

"""Images: what they are built from, where they stand, and what people can have done with them."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from shared.domain.callers import Role
from shared.domain.factory import Image
from shared.domain.listings import ImageLine
from shared.domain.records import ImageRecord

from .names import Because, ImageText, OfImage
from .operations import Operation
from .paging import Paging


class ImageFilter(Paging, frozen=True, rename="camel", kw_only=True):
    prefix: Annotated[str, Meta(max_length=64, description="Only images whose name begins so.")] = ""


class LastRun(msgspec.Struct, frozen=True, rename="camel"):
    run: str
    state: str


class ImageItem(msgspec.Struct, frozen=True, rename="camel"):
    """An image in short. What the factory knows is written into the list after each change."""

    name: ImageText
    mode: str
    source: str
    template: str
    """Its id in Azure."""
    built: str | None
    """The source version that it was last built from."""
    last_run: LastRun | None
    running: str | None
    """The run that is under way."""
    paused: str
    """Why automatic runs are paused; empty when they are not."""
    failures: int
    """Runs in a row that failed."""


class ImageList(msgspec.Struct, frozen=True, rename="camel"):
    items: tuple[ImageItem, ...]
    next: str | None
    """Where the list goes on; null at its end."""


class BuiltFrom(msgspec.Struct, frozen=True, rename="camel"):
    version: str
    inferred: bool
    """It is the newest that was listed when the run began, not one that Azure told."""


class Trouble(msgspec.Struct, frozen=True, rename="camel"):
    """The last look failed; it is tried again by itself."""

    since: datetime
    again: datetime
    why: str


class ImageView(msgspec.Struct, frozen=True, rename="camel"):
    """Everything about an image."""

    name: ImageText
    mode: str
    source: str
    template: str
    """Its id in Azure."""
    former: tuple[str, ...]
    """Templates that it was built in before its file changed: they go once their outputs are safe."""
    location: str
    after_archive: str
    verification: str
    built: BuiltFrom | None
    wanted: str | None
    """The newest source version that it should be built from."""
    wanted_since: datetime | None
    last_run: LastRun | None
    running: str | None
    requested: datetime | None
    """A run was requested then and is not visible yet."""
    next_scheduled: datetime | None
    reason: str
    """Why it is not being built now, or what is under way."""
    trouble: Trouble | None
    paused: str
    failures: int
    retry_at: datetime | None
    unsettled: tuple[str, ...]
    """Outputs, as `run/name`, neither archived nor given up: they hold the next run and the template."""
    orders: tuple[str, ...]
    """Ids of orders that wait to be carried out."""


class Looking(msgspec.Struct, frozen=True, rename="camel"):
    """A look is queued. What comes of it is in the reason of the image, and in its journal."""

    image: ImageText
    correlation: str


def item(image: Image, known: ImageLine | None) -> ImageItem:
    line = known or ImageLine(image.name)
    last = LastRun(line.last, line.last_state.value) if line.last and line.last_state else None
    return ImageItem(
        name=image.name,
        mode=image.mode.value,
        source=image.source_text,
        template=str(image.in_use(line)),
        built=str(line.built) if line.built else None,
        last_run=last,
        running=line.running,
        paused=line.paused,
        failures=line.failures,
    )


def view(image: Image, known: ImageRecord | None, next_scheduled: datetime | None) -> ImageView:
    record = known or ImageRecord(image.name, reason="not looked at yet")
    last, trouble = record.recorded_state, record.trouble
    return ImageView(
        name=image.name,
        mode=image.mode.value,
        source=image.source_text,
        template=str(image.in_use(known)),
        former=tuple(str(each.id) for each in record.former),
        location=image.location,
        after_archive=image.after_archive.value,
        verification=image.verification.value,
        built=BuiltFrom(str(record.built), record.built_inferred) if record.built else None,
        wanted=str(record.wanted) if record.wanted else None,
        wanted_since=record.wanted_since,
        last_run=LastRun(record.recorded, last.value) if record.recorded and last else None,
        running=record.run.start if record.run else None,
        requested=record.claim.at if record.claim else None,
        next_scheduled=next_scheduled,
        reason=record.reason,
        trouble=Trouble(trouble.since, trouble.due, trouble.why) if trouble else None,
        paused=record.paused,
        failures=record.failures,
        retry_at=record.retry_at,
        unsettled=record.unsettled,
        orders=tuple(order.id for order in record.orders if order.open),
    )


OPERATIONS: Final = (
    Operation(
        id="listImages",
        method="GET",
        path="/images",
        tag="Images",
        summary="The configured images, by name",
        role=Role.READ,
        query=ImageFilter,
        answer=ImageList,
        etag=True,
    ),
    Operation(
        id="showImage",
        method="GET",
        path="/images/{image}",
        tag="Images",
        summary="An image: what it is built from, where it stands and why",
        role=Role.READ,
        at=OfImage,
        answer=ImageView,
        etag=True,
    ),
    Operation(
        id="lookAtImage",
        method="POST",
        path="/images/{image}/look",
        tag="Images",
        summary="Look at an image now: whatever is due is done",
        role=Role.OPERATE,
        at=OfImage,
        answer=Looking,
        status=HTTPStatus.ACCEPTED,
        acts_on="showImage",
    ),
    Operation(
        id="pauseImage",
        method="POST",
        path="/images/{image}/pause",
        tag="Images",
        summary="No automatic runs until somebody resumes them; runs by hand go on",
        role=Role.OPERATE,
        at=OfImage,
        body=Because,
        answer=ImageView,
        acts_on="showImage",
    ),
    Operation(
        id="resumeImage",
        method="POST",
        path="/images/{image}/resume",
        tag="Images",
        summary="Automatic runs again: failures are forgotten, refused outputs set aside",
        role=Role.OPERATE,
        at=OfImage,
        answer=ImageView,
        acts_on="showImage",
    ),
)

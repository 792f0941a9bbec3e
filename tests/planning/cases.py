"""Plain data for planners: one image, one template, and how they change."""

from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from shared.domain.factory import AfterArchive, Image, Mode, Timing
from shared.domain.ids import ImageName, RunStart, TemplateId
from shared.domain.orders import Order, OrderKind
from shared.domain.records import Claim, CurrentRun, ImageRecord
from shared.domain.sources import MarketplaceSource
from shared.domain.templates import LastRun, Provisioning, RunState, Template
from shared.domain.versions import Version
from shared.planning.builds import Situation

NOW = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
TEMPLATE = TemplateId(SUBSCRIPTION, "image-factory", "ubuntu")
SOURCE = MarketplaceSource(SUBSCRIPTION, "westeurope", "Canonical", "jammy", "gen2")
FIRST, SECOND = RunStart("2026-11-10T11:00:00.123456789Z"), RunStart("2026-11-10T11:30:00.5Z")


def v(text: str) -> Version:
    return Version.parse(text)


IMAGE = Image(
    name=ImageName("ubuntu"),
    mode=Mode.ACT,
    template=TEMPLATE,
    location="westeurope",
    body=msgspec.Raw(b"{}"),
    source=SOURCE,
    source_text=str(SOURCE),
)
DELETING = replace(IMAGE, after_archive=AfterArchive.DELETE_TEMPLATE)
READY = Template(TEMPLATE, "westeurope", Provisioning.SUCCEEDED, owner="ubuntu", exact_version="1.0.0")
ORDER = Order("o1", IMAGE.name, OrderKind.START, "ada", "new agents", NOW, "c")
CLAIM = Claim(None, NOW - MINUTE, 1, v("1.0.1"), "1.0.0", "source version 1.0.1 is newer than 1.0.0")


def ran(template: Template, start: RunStart, state: RunState, message: str = "") -> Template:
    run = LastRun(start, state, NOW - 30 * MINUTE, NOW if state.over else None, message)
    return replace(template, last_run=run)


def wanting(record: ImageRecord | None = None) -> ImageRecord:
    base = record or ImageRecord(ImageName("ubuntu"), baseline=v("1.0.0"), scheduled=NOW)
    return replace(base, wanted=v("1.0.1"), wanted_since=NOW - MINUTE)


def situation(
    record: ImageRecord | None = None, template: Template | None = READY, image: Image = IMAGE
) -> Situation:
    return Situation(image, Timing(), record or wanting(), template, NOW)


def archived(record: ImageRecord, start: RunStart = FIRST) -> ImageRecord:
    """The run of `start` is recorded, built what was wanted, and its one VHD is archived."""
    return replace(
        record,
        built=record.wanted,
        recorded=start,
        recorded_state=RunState.SUCCEEDED,
        vhds=1,
        manifests=1,
    )


def current(start: RunStart, claim: Claim | None) -> CurrentRun:
    return CurrentRun(start, NOW, claim)

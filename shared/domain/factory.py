"""The factory as its owners want it: `factory.yaml`, decoded, checked and with every default filled in."""

import enum
from datetime import timedelta

import msgspec

from .deployment import Form, form_of, is_of
from .errors import Unknown
from .galleries import DefinitionId
from .ids import ImageName, TemplateId
from .listings import ImageLine
from .records import ImageRecord
from .releases import Definition, DefinitionName
from .retention import Retention
from .schedules import Schedule
from .sources import GallerySource, Source
from .windows import Window


class Mode(enum.Enum):
    """Observe plans and journals everything and applies nothing; act is the customer's decision."""

    OBSERVE = "observe"
    ACT = "act"


class AfterArchive(enum.Enum):
    """What becomes of a template once every VHD of its last run is archived."""

    KEEP_TEMPLATE = "keep_template"
    DELETE_TEMPLATE = "delete_template"


class Verification(enum.Enum):
    """How a copied VHD's content is checked: its footer alone, a sample of chunks, or all of it."""

    FOOTER = "footer"
    SAMPLE = "sample"
    FULL = "full"


class Image(msgspec.Struct, frozen=True):
    """One image: the template it is built in, what it is built from, and what becomes of its outputs."""

    name: ImageName
    mode: Mode
    template: TemplateId
    """As configured. Once its file has changed, the image is built in another one: see `in_use`."""
    location: str
    """Region of the template, as in its file."""
    body: msgspec.Raw
    """The template file as JSON, ready to be put."""
    source: Source | None
    """None when the source version is fixed or the source is a managed image: nothing to watch."""
    source_text: str
    """The source as a person would name it."""
    after_archive: AfterArchive = AfterArchive.KEEP_TEMPLATE
    verification: Verification = Verification.SAMPLE
    build_at_first_sight: bool = False
    schedule: Schedule | None = None
    window: Window | None = None
    """When automatic runs may start; None for at any time."""
    scripts: tuple[str, ...] = ()
    """Addresses of what the template names without a checksum: it may change while the template does not."""
    feeds: tuple[DefinitionId, ...] = ()
    """The gallery definitions that its runs put versions into."""

    @property
    def form(self) -> Form:
        return form_of(bytes(self.body))

    def in_use(self, record: ImageRecord | ImageLine | None) -> TemplateId:
        """The template in which the image is built now, or would be."""
        return (record.template if record else None) or self.template


class Archive(msgspec.Struct, frozen=True):
    """Where archived VHDs live."""

    account: str
    container: str


class Limits(msgspec.Struct, frozen=True):
    """How much happens at once."""

    runs_at_once: int = 10
    """Per subscription and region."""
    copy_workers: int = 16
    copy_rate_mib: int = 60
    """MiB/s that a copy starts with: the published target of one page blob."""
    copy_requests: int = 500
    """Requests/s that a copy starts with: the published target of one page blob."""


class Timing(msgspec.Struct, frozen=True):
    """How long things are given."""

    claim: timedelta = timedelta(minutes=10)
    """How long a requested run may stay invisible before it is requested again."""
    look_again: timedelta = timedelta(minutes=1)
    """While something short is under way, such as a template being created."""
    stagger: timedelta = timedelta(minutes=5)
    """Between looks while too many runs are under way."""
    retry_after: tuple[timedelta, ...] = (timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8))
    """After the first, second, third ... failure in a row; the last one repeats."""
    pause_after: int = 3
    """Failures in a row after which automatic runs pause."""
    older_tries: int = 3
    """Runs in a row that may yield an older version than wanted before the factory settles for it."""
    copy_slice: timedelta = timedelta(minutes=4)
    copy_lease: timedelta = timedelta(seconds=60)
    """15 to 60 seconds, as the storage service allows."""
    follow: timedelta = timedelta(minutes=5)
    """Between looks at a version that replicates; the end of it is an event as well."""
    update_claim: timedelta = timedelta(minutes=5)
    """How long one worker alone may write a version."""
    cascade: timedelta = timedelta(hours=24)
    """How long an image waits at most for its ancestors to be built and released."""
    give_up: timedelta = timedelta(hours=24)
    """How long a look is retried before it is reported as failed work."""
    overdue: timedelta = timedelta(minutes=5)
    """How late a look may be before the sweep sends it again."""
    journal: timedelta = timedelta(days=400)


class Factory(msgspec.Struct, frozen=True):
    """The whole configuration."""

    mode: Mode
    archive: Archive
    images: dict[ImageName, Image]
    limits: Limits = Limits()
    timing: Timing = Timing()
    definitions: dict[DefinitionName, Definition] = {}
    retention: Retention = Retention()

    @property
    def sources(self) -> dict[str, Source]:
        """Every watched source once, by key, however many images use it."""
        return {i.source.key: i.source for i in self.images.values() if i.source is not None}

    @property
    def subscriptions(self) -> tuple[str, ...]:
        return tuple(sorted({i.template.subscription for i in self.images.values()}))

    @property
    def scope(self) -> tuple[str, ...]:
        """Subscriptions in which images may be in use."""
        defined = {d.id.subscription for d in self.definitions.values()}
        return tuple(sorted({*self.subscriptions, *defined, *self.retention.subscriptions}))

    def image(self, name: str) -> Image:
        """Raises Unknown for a name that is not configured."""
        try:
            return self.images[ImageName(name)]
        except KeyError:
            known = ", ".join(sorted(self.images)) or "none"
            raise Unknown(f"no image {name[:80]!r} is configured; configured are: {known}") from None

    def made_from(self, source_key: str) -> tuple[Image, ...]:
        return tuple(i for i in self.images.values() if i.source is not None and i.source.key == source_key)

    def definition(self, name: str) -> Definition:
        """Raises Unknown for a name that is not configured."""
        try:
            return self.definitions[DefinitionName(name)]
        except KeyError:
            known = ", ".join(sorted(self.definitions)) or "none"
            raise Unknown(f"no definition {name[:80]!r} is configured; configured are: {known}") from None

    def defined(self, id: DefinitionId) -> Definition | None:
        """The configured definition that this one is."""
        return next((d for d in self.definitions.values() if d.id == id), None)

    def fed_by(self, id: DefinitionId) -> tuple[Image, ...]:
        """The images whose runs put versions into the definition."""
        return tuple(i for i in self.images.values() if id in i.feeds)

    def ancestors(self, image: Image) -> tuple[Image, ...]:
        """Every image that this one is made from, at any depth, nearest first."""
        found: dict[ImageName, Image] = {}
        waiting = [image]
        while waiting:
            source = waiting.pop(0).source
            parents = self.fed_by(source.definition) if isinstance(source, GallerySource) else ()
            fresh = [p for p in parents if p.name not in found and p.name != image.name]
            found |= {p.name: p for p in fresh}
            waiting += fresh
        return tuple(found.values())

    def built_in(self, template: TemplateId) -> Image | None:
        """The image that is built in the template, or was before its file changed."""
        images = self.images.values()
        exact = next((i for i in images if i.template == template), None)
        return exact or next((i for i in images if is_of(i.template, template)), None)

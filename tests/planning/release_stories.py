"""What may happen to the versions of a definition, as data: time, workers, faults, people, other writers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.errors import FactoryError
from shared.domain.galleries import Target, Update
from shared.domain.releases import Definition, DefinitionName, Promotion, Ring, RingRegion
from shared.planning import withdrawals

from .azure_gallery import ID
from .cases import MINUTE
from .release_world import Fault, Worker, World, finish, step

NAMES = ("northeurope", "eastus", "westus3", "uksouth", "japaneast", "brazilsouth")
FOREIGN = "swedencentral"
PAUSES = (MINUTE, 6 * MINUTE, 25 * MINUTE, timedelta(hours=3), timedelta(hours=30))
FAULTS: tuple[Fault, ...] = ("throttled", "lost", "unanswered", "")
Event = tuple[str, int, int]


@st.composite
def definitions(draw: st.DrawFn, *, by_hand: bool = True) -> Definition:
    """One to three rings over up to six regions; the home may be in any of them."""
    homes = draw(st.lists(st.integers(0, 2), min_size=1, max_size=len(NAMES)))
    promotions = list(Promotion) if by_hand else [Promotion.AUTOMATIC]
    rings = []
    for number in sorted(set(homes)):
        names = [name for name, ring in zip(NAMES, homes, strict=False) if ring == number]
        regions = tuple(RingRegion(name, draw(st.integers(1, 2))) for name in names)
        soak = draw(st.sampled_from((timedelta(0), timedelta(hours=2))))
        rings.append(Ring(f"r{number}", regions, soak, draw(st.sampled_from(promotions))))
    return Definition(
        name=DefinitionName("ubuntu"),
        id=ID,
        home=draw(st.sampled_from(NAMES[: len(homes)])),
        rings=tuple(rings),
        act=True,
        end_of_life=draw(st.sampled_from((None, timedelta(days=90)))),
        in_flight=draw(st.integers(1, 3)),
    )


@dataclass(slots=True)
class Story:
    """A world, the workers in it, and what other people have read."""

    world: World
    workers: list[Worker] = field(default_factory=list)
    sending: list[Worker] = field(default_factory=list)
    """Those of them whose update is on its way: it arrives within two request time-outs."""
    copies: list[tuple[str, tuple[Target, ...]]] = field(default_factory=list)
    dropped: set[tuple[str, str]] = field(default_factory=set)
    """Regions, by version, that others have dropped while they replicated and the factory knew them."""

    def happens(self, event: Event) -> None:
        what, a, b = event
        EVENTS[what](self, a, b)
        world = self.world
        for text in world.heeded:
            stored = world.azure.stored[text]
            assert not any(world.azure.offered(stored, name) for name in stored.regions)

    def version(self, number: int) -> str:
        """Mostly the newest."""
        texts = sorted(self.world.azure.stored, reverse=True)
        return texts[number % len(texts) if number < 8 else 0]

    def region(self, number: int) -> str:
        """One of the rings, or somebody else's."""
        named = [r.name for ring in self.world.definition.rings for r in ring.regions]
        return (*named, FOREIGN)[number % (len(named) + 1)]

    def others_write(self, text: str, regions: tuple[Target, ...]) -> None:
        """Somebody who knows nothing of the factory sends a list; the guard is on."""
        world, before = self.world, set(self.world.azure.stored[text].regions)
        try:
            world.azure.update(text, Update(regions))
        except FactoryError:
            return
        world.heeded.discard(text)
        row, gone = world.rows.get(text), before - {t.name for t in regions}
        known = {r.name for r in row.record.regions if not r.replicated} if row else set()
        self.dropped |= {(text, name) for name in gone & known}

    def arrive(self) -> None:
        while self.sending:
            finish(self.sending.pop())

    def all_end(self) -> None:
        self.arrive()
        while self.workers:
            finish(self.workers.pop())


def _wait(story: Story, a: int, b: int) -> None:
    story.arrive()
    azure = story.world.azure
    azure.advance(azure.now + PAUSES[a % len(PAUSES)])


def _due(story: Story, a: int, b: int) -> None:
    story.arrive()
    azure = story.world.azure
    story.world.run_due(azure.now + PAUSES[a % 3])


def _look(story: Story, a: int, b: int) -> None:
    story.world.look(story.version(a))


def _lose(story: Story, a: int, b: int) -> None:
    story.world.due.pop(story.version(a), None)


def _start(story: Story, a: int, b: int) -> None:
    if len(story.workers) < 3:
        story.workers.append(story.world.worker(story.version(a)))


def _step(story: Story, a: int, b: int) -> None:
    if story.workers:
        worker = story.workers[a % len(story.workers)]
        following = step(worker)
        if worker in story.sending:
            story.sending.remove(worker)
        if following == "sending":
            story.sending.append(worker)
        if not following:
            story.workers.remove(worker)


def _new(story: Story, a: int, b: int) -> None:
    azure = story.world.azure
    if len(azure.stored) < 4:
        text = f"1.0.{len(azure.stored) + 1}"
        more = [azure.home, *([story.region(b)] if a % 3 == 0 else [])]
        azure.create(text, [Target(n, 1, "Standard_LRS", a % 4 != 3) for n in more], excluded=a % 4 == 0)
        story.world.due[text] = azure.now


def _fault(story: Story, a: int, b: int) -> None:
    story.world.fault = FAULTS[a % len(FAULTS)]


def _refuse(story: Story, a: int, b: int) -> None:
    story.world.azure.refuses_while_busy, story.world.azure.refuses_removal = bool(a % 2), b == 0


def _hold(story: Story, a: int, b: int) -> None:
    story.world.say(story.version(a), lambda record: withdrawals.held(record, "it does not boot"))


def _resume(story: Story, a: int, b: int) -> None:
    story.world.say(story.version(a), withdrawals.resumed)


def _promote(story: Story, a: int, b: int) -> None:
    definition, now = story.world.definition, story.world.azure.now
    through = b % 2 == 1
    story.world.say(
        story.version(a), lambda record: withdrawals.promoted(record, definition, now, through=through)
    )


def _withdraw(story: Story, a: int, b: int) -> None:
    now = story.world.azure.now
    story.world.say(story.version(a), lambda record: withdrawals.withdrawn(record, "it leaks", now))


def _fail(story: Story, a: int, b: int) -> None:
    story.world.azure.fails[story.version(a), story.region(b)] = (1, 2, 3, 9, -1)[a % 5]


def _deny(story: Story, a: int, b: int) -> None:
    story.world.azure.denied = {story.region(b)} - {story.world.azure.home} if a % 2 else set()


def _add(story: Story, a: int, b: int) -> None:
    text, name = story.version(a), story.region(b)
    regions = tuple(t for t in _targets(story, text) if t.name != name)
    story.others_write(text, (*regions, Target(name, 1, "Standard_LRS", a % 2 == 0)))


def _flip(story: Story, a: int, b: int) -> None:
    text, name = story.version(a), story.region(b)
    story.others_write(
        text,
        tuple(
            Target(t.name, t.replicas, t.storage, t.excluded != (t.name == name))
            for t in _targets(story, text)
        ),
    )


def _scale(story: Story, a: int, b: int) -> None:
    text, name = story.version(a), story.region(b)
    more = (replace(t, replicas=t.replicas + (t.name == name)) for t in _targets(story, text))
    story.others_write(text, tuple(more))


def _drop(story: Story, a: int, b: int) -> None:
    text, name = story.version(a), story.region(b)
    story.others_write(text, tuple(t for t in _targets(story, text) if t.name != name))


def _copy(story: Story, a: int, b: int) -> None:
    text = story.version(a)
    story.copies.append((text, _targets(story, text)))


def _stale(story: Story, a: int, b: int) -> None:
    if story.copies:
        story.others_write(*story.copies[a % len(story.copies)])


def _targets(story: Story, text: str) -> tuple[Target, ...]:
    regions = story.world.azure.stored[text].regions.values()
    return tuple(Target(r.name, r.replicas, r.storage, r.excluded) for r in regions)


EVENTS: dict[str, Callable[[Story, int, int], None]] = {
    "nothing": lambda story, a, b: None,
    "wait": _wait,
    "due": _due,
    "look": _look,
    "lose": _lose,
    "start": _start,
    "step": _step,
    "new": _new,
    "fault": _fault,
    "refuse": _refuse,
    "hold": _hold,
    "resume": _resume,
    "promote": _promote,
    "withdraw": _withdraw,
    "fail": _fail,
    "deny": _deny,
    "add": _add,
    "flip": _flip,
    "scale": _scale,
    "drop": _drop,
    "copy": _copy,
    "stale": _stale,
}
GENTLE = ("wait", "due", "look", "lose", "start", "step", "step", "new", "fault", "refuse")
WORDS = ("hold", "resume", "resume", "promote", "withdraw")
OTHERS = ("add", "flip", "scale", "drop", "copy", "stale")
MIXTURES = {
    "everything": (*GENTLE, "wait", "due", *WORDS, *OTHERS, "fail", "deny"),
    "words": (*GENTLE, *WORDS),
    "others": (*GENTLE, "due", *OTHERS, *OTHERS),
    "failures": (
        "wait",
        "due",
        "due",
        "look",
        "refuse",
        "fault",
        "fault",
        "fail",
        "fail",
        "fail",
        "deny",
        "new",
        *WORDS,
    ),
}


def events(kinds: tuple[str, ...], many: int) -> st.SearchStrategy[list[Event]]:
    """So many of them, each drawn as one number; the smallest ones are nothing at all."""
    named = ("nothing", *kinds)

    def event(number: int) -> Event:
        rest, b = divmod(number, 7)
        kind, a = divmod(rest, 12)
        return named[kind], a, b

    return st.lists(st.integers(0, len(named) * 84 - 1).map(event), min_size=many, max_size=many)

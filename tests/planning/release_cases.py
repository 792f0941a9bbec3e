"""A definition of three rings over five regions, and worlds in which its versions are looked at."""

from collections.abc import Callable
from datetime import timedelta

from msgspec.structs import replace

from shared.domain.galleries import Target, Update
from shared.domain.releases import Definition, DefinitionName, Promotion, ReleaseRecord, Ring, RingRegion
from shared.planning import withdrawals

from .azure_gallery import ID, AzureGallery
from .cases import NOW
from .release_judges import every_rule
from .release_world import World

HOUR = timedelta(hours=1)
CANARY = Ring("canary", (RingRegion("northeurope"),), HOUR)
EARLY = Ring("early", (RingRegion("eastus", 2), RingRegion("westus3")), 2 * HOUR)
BROAD = Ring("broad", (RingRegion("uksouth"), RingRegion("japaneast")))
RINGS = Definition(DefinitionName("ubuntu"), ID, "northeurope", (CANARY, EARLY, BROAD), act=True)
BY_HAND = replace(RINGS, rings=(replace(CANARY, promotion=Promotion.BY_HAND), EARLY, BROAD))
AT_ONCE = replace(RINGS, rings=tuple(replace(ring, soak=timedelta(0)) for ring in RINGS.rings))
EVERYWHERE = frozenset(("northeurope", "eastus", "westus3", "uksouth", "japaneast"))
ONE, TWO, THREE = "1.0.1", "1.0.2", "1.0.3"


def world(definition: Definition = RINGS, *texts: str) -> World:
    """The versions have been made, and looked at for the first time."""
    told = World(definition, AzureGallery(definition.home, NOW), every_rule)
    for text in texts or (ONE,):
        appears(told, text)
    return told


def appears(told: World, text: str) -> None:
    told.azure.create(text)
    told.look(text)


def released(definition: Definition = AT_ONCE, text: str = ONE) -> World:
    """A world in which the version is where it shall be."""
    told = world(definition, text)
    passes(told, hours=24)
    assert latest(told, text) == EVERYWHERE
    return told


def passes(told: World, *, minutes: int = 0, hours: int = 0) -> None:
    """Time, with every look that a version asks for."""
    told.run_due(told.azure.now + timedelta(minutes=minutes, hours=hours))


def regions(told: World, text: str) -> frozenset[str]:
    """Where Azure has the version, or brings it."""
    return frozenset(told.azure.stored[text].regions)


def latest(told: World, text: str) -> frozenset[str]:
    """Where `latest` may mean the version."""
    stored = told.azure.stored[text]
    return frozenset(name for name in stored.regions if told.azure.offered(stored, name))


def hold(told: World, text: str) -> None:
    says(told, text, lambda record: withdrawals.held(record, "it does not boot"))


def resume(told: World, text: str) -> None:
    says(told, text, withdrawals.resumed)


def promote(told: World, text: str, *, through: bool = False) -> None:
    now = told.azure.now
    says(told, text, lambda r: withdrawals.promoted(r, told.definition, now, through=through))


def withdraw(told: World, text: str) -> None:
    now = told.azure.now
    says(told, text, lambda record: withdrawals.withdrawn(record, "it leaks", now))


def says(told: World, text: str, word: Callable[[ReleaseRecord], ReleaseRecord]) -> None:
    assert told.say(text, word), "the word was refused"


def others_write(told: World, text: str, *dropped: str, more: str = "", **excluded: bool) -> None:
    """Somebody replaces the list: without some, with `more` replicas in one, with these, as latest or not."""
    kept = {n: r for n, r in told.azure.stored[text].regions.items() if n not in dropped}
    targets = {n: Target(n, r.replicas + 3 * (n == more), r.storage, r.excluded) for n, r in kept.items()}
    for name, flag in excluded.items():
        known = kept.get(name)
        targets[name] = Target(name, known.replicas if known else 1, "Premium_LRS", flag)
    told.azure.update(text, Update(tuple(targets.values())))

"""Small worlds in which everything collides: few images, places, versions and dates, and facts that lie.

Ages and durations are counted in the same few days, so that a thing often is exactly as old as a rule says.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec

from shared.domain.ids import ImageName
from shared.domain.retention import (
    PIN,
    Going,
    Inventory,
    Kind,
    Policy,
    Retention,
    Stage,
    TagRule,
    Thing,
    Trip,
)

from .cases import NOW

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
LAG = timedelta(minutes=15)

Draw = Callable[[Random], Any]


class World(msgspec.Struct, frozen=True):
    """Everything that a plan is made of."""

    inventory: Inventory
    rules: Retention
    lag: timedelta = LAG
    tried: dict[tuple[Kind, str], datetime] = {}


def one_of(*values: Any) -> Draw:
    return lambda random: values[int(random.random() * len(values))]


KINDS = one_of(*3 * (Kind.GALLERY_VERSION,), *2 * (Kind.MANAGED_IMAGE,), *Kind)
CROWDS = one_of(("ubuntu",), ("ubuntu",), ("ubuntu", "windows"))
PLACES = one_of(("here",), ("here",), ("here", "there"))
RANKS = one_of((1, 0, 0), (1, 0, 1), (1, 0, 2), (1, 0, 10), (1, 1, 0), (2, 0, 0), ())
AGES = one_of(*(DAY * n + TICK * m for n in range(7) for m in (-1, 0, 0, 0, 0, 1)))
STAGES = one_of(*4 * (Stage.NONE,), *Stage)
SOON = one_of(DAY, timedelta(hours=4), LAG, LAG - TICK, timedelta(0), DAY * 2, DAY * 3, DAY * 5, -TICK)
PROMISES = one_of(None, None, DAY, TICK, timedelta(0), -DAY)

ODD: dict[str, Draw] = {
    "image": one_of(ImageName("")),
    "configured": one_of(False),
    "act": one_of(False),
    "owned": one_of(False),
    "recorded": one_of(False),
    "made": one_of(None, NOW + DAY),
    "good": one_of(False),
    "tags": one_of(
        {PIN: ""},
        {"IMAGEFACTORYKEEP": "mine"},
        {"pet": "yes"},
        {"Pet": " YES"},
        {"Pet": "no"},
        {"other": "1"},
    ),
    "guarded": one_of(True),
    "offered": one_of(("west",), ("north",), ("west", "north")),
    "taken": one_of(("west",), ("north",)),
    "settled": one_of(False),
    "busy": one_of("it is soaking"),
    "source_of": one_of(("a-template",)),
    "used_by": one_of(("a-machine",), ("a-machine", "a-lab")),
    "doubts": one_of(("its tag names another image",)),
    "stuck": one_of("it is creating for 3 hours"),
    "cancellable": one_of(True),
}
"""What seldom is so: every thing differs from the plain one in a few of these, or in none."""


class Scene(msgspec.Struct, frozen=True):
    """What the things of a world have to choose from."""

    ids: Sequence[str]
    kinds: Draw
    images: Draw
    places: Draw
    odd: float
    """How often a fact is odd."""


def _thing(random: Random, number: int, scene: Scene) -> Thing:
    ids, odd = scene.ids, scene.odd
    image, stage, promise = scene.images(random), STAGES(random), PROMISES(random)
    facts: dict[str, Any] = {
        "made": NOW - AGES(random),
        "rank": RANKS(random),
        "end_of_life": None if promise is None else NOW + promise,
        "parent": ids[int(random.random() * len(ids))] if random.random() < 0.2 else "",
        "offered": ("west",) if random.random() < 0.1 else (),
    }
    for name, draw in ODD.items():
        if random.random() < odd:
            facts[name] = draw(random)
    since = None if stage is Stage.NONE or random.random() < 0.02 else NOW - SOON(random)
    facts.setdefault("image", image)
    return Thing(
        kind=scene.kinds(random),
        id=ids[number],
        name=f"{image}/{number}",
        place=scene.places(random),
        going=Going(stage, since, stage is not Stage.NONE or random.random() < 0.1),
        **facts,
    )


_COUNTS = one_of(None, 0, 1, 2, 3)
_DAYS = one_of(None, timedelta(0), DAY, DAY * 2, DAY * 4)
_FLOORS = one_of(0, 0, 1, 2, 3)
_EITHER = one_of(True, False)


def _policy(random: Random) -> Policy:
    if random.random() < 0.3:
        return Policy(newest=None, younger=None, superseded=None, until_end_of_life=False, floor=0)
    return Policy(_COUNTS(random), _DAYS(random), _DAYS(random), _EITHER(random), _FLOORS(random))


def _rules(random: Random) -> Retention:
    return Retention(
        enforce=random.random() < 0.8,
        policies={kind: _policy(random) for kind in Kind if kind.counted and random.random() < 0.9},
        of_images={(ImageName("windows"), KINDS(random)): _policy(random)},
        left=_policy(random),
        minimum_age=one_of(timedelta(0), DAY, DAY * 2)(random),
        notice=one_of(timedelta(0), DAY, DAY * 2)(random),
        grace=one_of(timedelta(0), DAY, DAY * 3)(random),
        per_sweep=one_of(0, 1, 2, 10)(random),
        trip=Trip(one_of(0, 1, 3, 100)(random), one_of(0, 10, 50, 100)(random)),
        keep_parents=_EITHER(random),
        pins=one_of((), (TagRule("pet", "yes"),))(random),
        exclusions=one_of((), (TagRule("PET"),), (TagRule("other", "1"),))(random),
    )


def world(random: Random) -> World:
    """Any world; the same one for the same dice."""
    count = int(random.random() * 15)
    ids = [f"id-{n:02}" for n in range(count)]
    random.shuffle(ids)
    scene = Scene(
        ids,
        one_of(*(KINDS(random) for _ in range(2))),
        one_of(*CROWDS(random)),
        one_of(*PLACES(random)),
        odd=one_of(0.0, 0.01, 0.03, 0.1)(random),
    )
    things = tuple(_thing(random, number, scene) for number in range(count))
    blind = ("a subscription",) if random.random() < 0.02 else ()
    tried = {(t.kind, t.id): NOW - SOON(random) for t in things if random.random() < 0.3}
    return World(Inventory(things, blind), _rules(random), one_of(LAG, DAY * 2)(random), tried)

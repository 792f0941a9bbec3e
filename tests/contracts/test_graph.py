"""Images that are made from each other in a circle: each circle is found, once, and named whole."""

from collections.abc import Iterator
from itertools import islice

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.graph import cycles
from shared.domain.factory import Image, Mode
from shared.domain.galleries import DefinitionId
from shared.domain.ids import ImageName, TemplateId
from shared.domain.sources import GallerySource

from .builders import SUBSCRIPTION


def of(name: str) -> DefinitionId:
    return DefinitionId(SUBSCRIPTION, "images", "gallery", name)


def image(name: str, source: str | None, *feeds: str) -> Image:
    return Image(
        name=ImageName(name),
        mode=Mode.ACT,
        template=TemplateId(SUBSCRIPTION, "images", name),
        location="westeurope",
        body=msgspec.Raw(b"{}"),
        source=GallerySource(of(source), "westeurope") if source else None,
        source_text="",
        feeds=tuple(of(each) for each in feeds),
    )


def test_a_cycle_names_every_image_and_definition_on_its_way() -> None:
    told = list(cycles([image("b", "x", "y"), image("a", "y", "x"), image("base", None, "x")]))
    assert told == [("a", "definition gallery/x", "b", "definition gallery/y", "a")]


def test_an_image_may_be_made_from_itself() -> None:
    assert list(cycles([image("a", "x", "x")])) == [("a", "definition gallery/x", "a")]


def test_what_only_meets_again_is_no_cycle() -> None:
    """A diamond: two images of the same parent feed one definition."""
    family = [
        image("root", None, "x"),
        image("left", "x", "y"),
        image("right", "x", "y"),
        image("end", "y", "z"),
    ]
    assert list(cycles(family)) == []


def test_names_in_other_galleries_are_other_definitions() -> None:
    other = GallerySource(msgspec.structs.replace(of("x"), subscription="other"), "westeurope")
    assert list(cycles([msgspec.structs.replace(image("a", None, "x"), source=other)])) == []


def test_a_wide_graph_is_gone_through_at_once() -> None:
    """Forty layers of three have 3**40 ways down, and as many cycles once the last feeds the first."""
    layers = [
        image(f"i{layer:02}-{at}", f"d{layer:02}", f"d{layer + 1:02}")
        for layer in range(40)
        for at in range(3)
    ]
    assert list(cycles(layers)) == []
    assert len(list(islice(cycles([*layers, image("z", "d40", "d00")]), 20))) == 20


def test_a_long_cycle_is_found_however_deep() -> None:
    ring = [image(f"i{at:04}", f"d{at}", f"d{(at + 1) % 600}") for at in range(600)]
    (way,) = cycles(ring)
    assert len(way) == 1201


definitions = st.sampled_from("vwxyz")
families = st.lists(
    st.tuples(st.none() | definitions, st.lists(definitions, unique=True, max_size=3)), max_size=5
).map(lambda drawn: [image(f"i{at}", source, *feeds) for at, (source, feeds) in enumerate(drawn)])


def every_way_round(family: list[Image]) -> Iterator[tuple[str, ...]]:
    """Straight from what a cycle is: any walk without repetition that closes, turned to its first image."""

    def walk(way: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        last = next(i for i in family if i.name == way[-1])
        for fed in last.feeds:
            step = f"definition gallery/{fed.name}"
            for child in family:
                if step in way or child.source != GallerySource(fed, "westeurope"):
                    continue
                if child.name == way[0]:
                    yield (*way, step, str(child.name))
                elif child.name not in way:
                    yield from walk((*way, step, str(child.name)))

    for each in family:
        for way in walk((str(each.name),)):
            images = way[:-1:2]
            if images[0] == min(images):
                yield way


@given(families)
def test_every_cycle_is_told_once(family: list[Image]) -> None:
    told = list(cycles(family))
    assert len(told) == len(set(told))
    assert sorted(told) == sorted(every_way_round(family))

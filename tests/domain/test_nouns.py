"""What the factory's nouns promise beyond holding their fields."""

from datetime import UTC, datetime

import msgspec
import pytest
from msgspec.structs import replace

from shared.domain.errors import Invalid
from shared.domain.events import EventType, FactoryEvent
from shared.domain.factory import Archive, Factory, Image, Mode
from shared.domain.ids import BlobAddress, ImageName, RunStart, TemplateId
from shared.domain.manifests import manifest_of
from shared.domain.records import OutputRecord, OutputState
from shared.domain.sources import MarketplaceSource
from shared.domain.templates import OutputKind, PageRange, RunState

NOW = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
JAMMY = MarketplaceSource(SUBSCRIPTION, "westeurope", "Canonical", "jammy", "gen2")


def image(name: str, source: MarketplaceSource | None = JAMMY, subscription: str = SUBSCRIPTION) -> Image:
    template = TemplateId(subscription, "image-factory", name)
    return Image(ImageName(name), Mode.ACT, template, "westeurope", msgspec.Raw(b"{}"), source, str(source))


def factory(*images: Image) -> Factory:
    return Factory(Mode.ACT, Archive("archive", "vhds"), {each.name: each for each in images})


OUTPUT = OutputRecord(
    image=ImageName("ubuntu"),
    run=RunStart("2026-11-10T11:00:00Z"),
    name="vhd",
    kind=OutputKind.VHD,
    state=OutputState.VERIFIED,
    template="template",
    source=BlobAddress("staging", "vhds", "a.vhd"),
    target=BlobAddress("archive", "vhds", "ubuntu/a.vhd"),
    length=1024,
    verified=NOW,
)


class TestFactory:
    def test_a_source_is_watched_once_however_it_is_spelled(self) -> None:
        shouted = replace(JAMMY, publisher="CANONICAL", location="WestEurope")
        found = factory(image("a"), image("b", shouted), image("c", None))
        assert list(found.sources) == [JAMMY.key]
        assert [each.name for each in found.made_from(JAMMY.key)] == ["a", "b"]

    def test_the_same_image_in_another_region_is_another_source(self) -> None:
        """Versions reach regions at different times."""
        found = factory(image("a"), image("b", replace(JAMMY, location="northeurope")))
        assert len(found.sources) == 2

    def test_subscriptions_are_each_listed_once(self) -> None:
        other = SUBSCRIPTION.replace("0", "1")
        found = factory(image("a"), image("b"), image("c", subscription=other))
        assert found.subscriptions == (SUBSCRIPTION, other)

    def test_a_template_leads_to_its_image(self) -> None:
        found = factory(image("a"), image("b"))
        assert found.built_in(TemplateId(SUBSCRIPTION, "image-factory", "b")) == found.images[ImageName("b")]
        assert found.built_in(TemplateId(SUBSCRIPTION, "elsewhere", "b")) is None

    def test_an_unknown_image_is_refused_with_those_that_there_are(self) -> None:
        with pytest.raises(Invalid, match="no image 'x' is configured; configured are: a, b"):
            factory(image("b"), image("a")).image("x")
        with pytest.raises(Invalid, match="configured are: none"):
            factory().image("x")


class TestEvents:
    EVENT = FactoryEvent(EventType.VHD_ARCHIVED, "ubuntu", NOW, {"a": 1, "b": None}, "correlation")

    def test_the_same_news_have_the_same_id_whenever_they_are_told(self) -> None:
        again = replace(self.EVENT, at=NOW.replace(hour=13), correlation="other", data={"b": None, "a": 1})
        assert again.id == self.EVENT.id

    def test_other_news_have_another_id(self) -> None:
        others = (
            replace(self.EVENT, type=EventType.BUILD_ENDED),
            replace(self.EVENT, subject="debian"),
            replace(self.EVENT, data={"a": 2, "b": None}),
        )
        assert len({self.EVENT.id, *(other.id for other in others)}) == 4


class TestManifest:
    def test_it_is_the_same_whenever_it_is_derived(self) -> None:
        assert manifest_of(OUTPUT, "0.1.0") == manifest_of(OUTPUT, "0.1.0")

    @pytest.mark.parametrize("missing", ["source", "target", "verified"])
    def test_there_is_none_before_verification(self, missing: str) -> None:
        with pytest.raises(Invalid, match="ubuntu/2026-11-10T11:00:00Z/vhd is not verified"):
            manifest_of(replace(OUTPUT, **{missing: None}), "0.1.0")


class TestStates:
    def test_nothing_waits_for_an_output_that_is_settled(self) -> None:
        settled = {state for state in OutputState if state.settled}
        open_ones = {OutputState.FOUND, OutputState.COPYING, OutputState.COPIED, OutputState.VERIFIED}
        assert settled.isdisjoint(open_ones)
        assert set(OutputState) - settled - open_ones == {OutputState.REFUSED}

    def test_a_run_is_over_in_any_state_but_two(self) -> None:
        assert {state for state in RunState if not state.over} == {RunState.RUNNING, RunState.CANCELING}

    def test_an_output_is_in_place_where_source_and_target_are_one(self) -> None:
        assert not OUTPUT.in_place
        assert replace(OUTPUT, source=OUTPUT.target).in_place
        assert not replace(OUTPUT, source=None, target=None).in_place

    def test_a_range_ends_before_its_end(self) -> None:
        assert PageRange(512, 1536).size == 1024

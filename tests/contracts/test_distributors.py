"""What a template says about galleries, held against the definitions that are released."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.factory import load
from shared.domain.galleries import DefinitionId
from shared.domain.sources import GallerySource

from .builders import DEFINITION, SUBSCRIPTION, VHD, faults_of, template_file, write_factory, yaml

RELEASED = """\
definitions:
  ubuntu:
    gallery: gallery
    location: westeurope
    rings: [{name: all, regions: {westeurope: {}, northeurope: {}}}]
"""
TARGET: dict[str, Any] = {
    "type": "SharedImage",
    "galleryImageId": DEFINITION,
    "targetRegions": [{"name": "West Europe"}],
    "excludeFromLatest": True,
    "runOutputName": "gallery",
}
MARKET = {"type": "PlatformImage", "publisher": "P", "offer": "O", "sku": "S", "version": "latest"}
LATEST = {"type": "SharedImageVersion", "imageVersionId": f"{DEFINITION}/versions/latest"}


def into(*targets: object, **changes: Any) -> dict[str, object]:
    source = changes.pop("source", MARKET)
    return template_file(properties={"source": source, "distribute": [*targets] or [VHD]}, **changes)


def target(**changes: object) -> dict[str, object]:
    return {name: value for name, value in {**TARGET, **changes}.items() if value is not None}


def told(folder: Path, text: str, **templates: object) -> list[str]:
    return [str(fault).replace(f"{folder}/", "") for fault in faults_of(folder, text, **templates)]


def test_an_image_knows_which_definitions_it_feeds(tmp_path: Path) -> None:
    """Those of somebody else too: what is built from them is made after it."""
    other = DEFINITION.replace("/images/ubuntu", "/images/other")
    file = into(VHD, target(), *(target(galleryImageId=other, runOutputName=name) for name in "ab"))
    image = load(write_factory(tmp_path, yaml(top=RELEASED), ubuntu=file)).image("ubuntu")
    assert image.feeds == (DefinitionId.parse(DEFINITION), DefinitionId.parse(other))


def test_an_image_may_be_built_from_what_is_latest_in_its_region(tmp_path: Path) -> None:
    file = into(source=LATEST, location="North Europe")
    factory = load(write_factory(tmp_path, yaml(top=RELEASED), ubuntu=file))
    image = factory.image("ubuntu")
    assert image.source == GallerySource(DefinitionId.parse(DEFINITION), "northeurope")
    assert image.source_text == "gallery/ubuntu in northeurope"
    assert list(factory.sources) == [f"gallery:{SUBSCRIPTION}:northeurope:images:gallery:ubuntu"]


@pytest.mark.parametrize(
    "sound",
    [
        target(),
        target(targetRegions=None, replicationRegions=["westeurope", "uksouth"]),
        target(targetRegions=[{"name": "uksouth"}, {"name": "WESTEUROPE"}], replicationMode="Full"),
        target(targetRegions=None),
        target(galleryImageId=DEFINITION.upper().replace("/SUBSCRIPTIONS/", "/Subscriptions/")),
        # Of definitions that are not configured nothing is asked.
        target(galleryImageId=f"{DEFINITION}-2", excludeFromLatest=False, targetRegions=[{"name": "x"}]),
        target(galleryImageId=f"{DEFINITION}-2/versions/1.0.0", replicationMode="Shallow"),
        VHD,
    ],
)
def test_these_distributors_are_no_fault(tmp_path: Path, sound: dict[str, Any]) -> None:
    load(write_factory(tmp_path, yaml(top=RELEASED), ubuntu=into(sound)))


DISTRIBUTOR = "templates/ubuntu.json:1: properties.distribute[0]"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"excludeFromLatest": None},
         ".excludeFromLatest: versions of definition ubuntu become latest region by region; expected "
         '"excludeFromLatest": true'),
        ({"excludeFromLatest": False},
         ".excludeFromLatest: versions of definition ubuntu become latest region by region; expected "
         '"excludeFromLatest": true'),
        ({"excludeFromLatest": "true"},
         ".excludeFromLatest: 'true'; expected true or false, without quotes [kind]"),
        ({"galleryImageId": f"{DEFINITION}/versions/1.0.3"},
         ".galleryImageId: names a version, which can be made once; expected the id of the definition alone"),
        ({"replicationMode": "Shallow"},
         ".replicationMode: 'Shallow'; expected Full, as definition ubuntu says: it cannot be changed later"),
        ({"replicationMode": "Ful"},
         ".replicationMode: 'Ful'; expected Full or Shallow; did you mean Full? [choice]"),
        ({"targetRegions": [{"name": "northeurope"}]},
         ".targetRegions: leaves out westeurope; expected the home region of definition ubuntu to be among "
         "them"),
        ({"targetRegions": None, "replicationRegions": ["northeurope"]},
         ".replicationRegions: leaves out westeurope; expected the home region of definition ubuntu to be "
         "among them"),
        ({"targetRegions": "westeurope"},
         '.targetRegions: \'westeurope\'; expected a list of regions: [{"name": "westeurope"}] [kind]'),
        ({"galleryImageId": None},
         ".galleryImageId: missing; expected the id of an image definition in a gallery, such as "
         ".../providers/Microsoft.Compute/galleries/images/images/windows-2022 [missing]"),
        ({"galleryImageId": ["x"]},
         ".galleryImageId: a list; expected the id of an image definition in a gallery, such as "
         ".../providers/Microsoft.Compute/galleries/images/images/windows-2022 [kind]"),
        ({"galleryImageId": "[resourceId('x')]"},
         ".galleryImageId: \"[resourceId('x')]\"; expected the id of an image definition in a gallery, such "
         "as .../providers/Microsoft.Compute/galleries/images/images/windows-2022 [resource-id]"),
        ({"galleryImageId": DEFINITION.replace("/gallery/", "/my-gallery/")},
         f".galleryImageId: '{DEFINITION.replace('/gallery/', '/my-gallery/')}'; expected the id of an image "
         "definition in a gallery, such as "
         ".../providers/Microsoft.Compute/galleries/images/images/windows-2022 [resource-id]"),
    ],
)  # fmt: skip
def test_a_distributor_that_would_spoil_a_release_is_told(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    assert told(tmp_path, yaml(top=RELEASED), ubuntu=into(target(**change))) == [DISTRIBUTOR + said]


@pytest.mark.parametrize(
    ("id", "said"),
    [
        (f"{DEFINITION}/versions/newest",
         "'newest' is not a version; expected three numbers such as 1.0.3, or latest [version]"),
        (f"{DEFINITION}/versions/lastest",
         "'lastest' is not a version; expected three numbers such as 1.0.3, or latest; "
         "did you mean latest? [version]"),
        (DEFINITION,
         f"'{DEFINITION}'; expected the id of a gallery version: "
         ".../providers/Microsoft.Compute/galleries/images/images/windows-2022/versions/latest "
         "[resource-id]"),
        ("/g/latest",
         "'/g/latest'; expected the id of a gallery version: "
         ".../providers/Microsoft.Compute/galleries/images/images/windows-2022/versions/latest "
         "[resource-id]"),
        ("latest",
         "'latest'; expected the resource id of a gallery image version [resource-id]"),
    ],
)  # fmt: skip
def test_a_source_that_is_no_version_is_told(tmp_path: Path, id: str, said: str) -> None:
    file = into(source={"type": "SharedImageVersion", "imageVersionId": id})
    assert told(tmp_path, yaml(top=RELEASED), ubuntu=file) == [
        f"templates/ubuntu.json:1: properties.source.imageVersionId: {said}"
    ]


def test_where_a_definition_is_never_latest_nothing_can_be_built_from_it(tmp_path: Path) -> None:
    assert told(tmp_path, yaml(top=RELEASED), ubuntu=into(source=LATEST, location="uksouth")) == [
        "templates/ubuntu.json:1: location: uksouth is in no ring of definition ubuntu, which it is built "
        "from; expected one of its regions: nothing is ever latest elsewhere"
    ]


def test_a_misspelt_region_of_a_template_is_told_with_the_ring_s(tmp_path: Path) -> None:
    (line,) = told(tmp_path, yaml(top=RELEASED), ubuntu=into(source=LATEST, location="northeurop"))
    assert line.endswith("nothing is ever latest elsewhere; did you mean northeurope?")


def test_a_definition_that_is_not_configured_may_be_latest_anywhere(tmp_path: Path) -> None:
    load(write_factory(tmp_path, yaml(), ubuntu=into(source=LATEST, location="uksouth")))


def test_images_that_are_made_from_each_other_are_told_with_the_whole_way(tmp_path: Path) -> None:
    """At the line of the first of them, whether the definitions are configured or not."""
    x, y = (DEFINITION.replace("/images/ubuntu", f"/images/{name}") for name in "xy")

    def made(of: str, feeds: str) -> dict[str, object]:
        source = {"type": "SharedImageVersion", "imageVersionId": f"{of}/versions/latest"}
        return into(target(galleryImageId=feeds), source=source)

    others = "dev: {template: templates/dev.json}\napp: {template: templates/app.json}"
    files = {"ubuntu": made(y, x), "dev": made(x, y), "app": made(x, f"{y}-2")}
    assert told(tmp_path, yaml(images=others), **files) == [
        "factory.yaml:7: images.dev: is made from itself: dev -> definition gallery/y -> ubuntu -> "
        "definition gallery/x -> dev; expected no way back to an image"
    ]


def test_only_so_many_cycles_are_told_at_once(tmp_path: Path) -> None:
    """Six images that each feed what all are built from: hundreds of ways round."""
    ids = [f"{DEFINITION}-{number}" for number in range(6)]

    def files() -> Iterator[tuple[str, object]]:
        for number, id in enumerate(ids):
            source = {"type": "SharedImageVersion", "imageVersionId": f"{id}/versions/latest"}
            targets = [target(galleryImageId=each, runOutputName=each[-1]) for each in ids]
            yield f"i{number}", into(*targets, source=source)

    images = "\n".join(f"i{number}: {{template: templates/i{number}.json}}" for number in range(6))
    assert len(told(tmp_path, yaml(images=images), **dict(files()))) == 20


def test_what_is_wrong_with_a_template_hides_nothing_of_its_distributors(tmp_path: Path) -> None:
    file = into(target(excludeFromLatest=False), tags=["x"], source={**MARKET, "sku": None})
    assert [line.split(": ")[1] for line in told(tmp_path, yaml(top=RELEASED), ubuntu=file)] == [
        "properties.distribute[0].excludeFromLatest",
        "properties.source.sku",
        "tags",
    ]

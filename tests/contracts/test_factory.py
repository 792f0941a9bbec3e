"""factory.yaml: what a sound one means, and when it is read again."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from shared.contracts.factory import FactoryFile, fingerprint, load, read
from shared.contracts.faults import FaultyConfiguration
from shared.domain.factory import AfterArchive, Limits, Mode, Timing, Verification
from shared.domain.galleries import DefinitionId
from shared.domain.ids import TemplateId
from shared.domain.releases import (
    Definition,
    DefinitionName,
    Promotion,
    ReplicationMode,
    Ring,
    RingRegion,
)
from shared.domain.schedules import Schedule
from shared.domain.sources import MarketplaceSource

from .builders import DEFINITION, SUBSCRIPTION, VHD, template_file, write_factory

MANAGED = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Compute/images/i"
LEAST = f"""\
subscription: {SUBSCRIPTION}
resource_group: Images
archive: {{account: archive, container: images}}
images:
  ubuntu: {{template: templates/ubuntu.json}}
"""

ALL = """\
mode: act
archive: {account: archive2, container: my-images}
defaults: {after_archive: delete_template, verification: full, build_at_first_sight: true}
images:
  ubuntu:
    template: templates/ubuntu.json
    template_name: Ubuntu_22.04
    subscription: AAAAAAAA-2222-3333-4444-555555555555
    resource_group: Other.Group
    mode: observe
    after_archive: keep_template
    verification: footer
    build_at_first_sight: false
    schedule: {cron: 0 3 * * MON-FRI, time_zone: Europe/Paris}
  debian:
    template: templates/ubuntu.json
    subscription: 11111111-2222-3333-4444-555555555555
    resource_group: g
more_regions: [New Region]
definitions:
  win-2022:
    gallery: Images
    definition: Windows.2022
    subscription: AAAAAAAA-2222-3333-4444-555555555555
    resource_group: Other.Group
    mode: observe
    location: West Europe
    rings:
      - name: canary
        regions: {westeurope: {}}
        soak: 12h
        promotion: by_hand
      - name: rest
        regions: {newregion: {replicas: 50, storage: Premium_LRS}}
    end_of_life: 90d
    replication: shallow
    in_flight: 7
    deadline: 6h
    withdraw_with_source: true
  debian:
    subscription: 11111111-2222-3333-4444-555555555555
    resource_group: G
    gallery: images
    location: newregion
    rings: [{name: all, regions: {NewRegion: {}}, soak: 0s}]
limits: {runs_at_once: 1, copy_workers: 2, copy_rate_mib: 3, copy_requests: 4}
timing:
  claim: 1m
  look_again: 2s
  stagger: 3s
  retry_after: [1s, 2m]
  pause_after: 5
  older_tries: 6
  copy_slice: 10s
  copy_lease: 15s
  give_up: 2h
  overdue: 9s
  journal: 30d
  follow: 11s
  update_claim: 3m
  cascade: 12h
"""


RELEASED = """\
definitions:
  debian: {gallery: images, location: uksouth, rings: [{name: all, regions: {uksouth: {}}}]}
"""


def test_what_is_left_out_gets_the_defaults(tmp_path: Path) -> None:
    factory = load(write_factory(tmp_path, LEAST, ubuntu=template_file()))
    image = factory.image("ubuntu")
    assert (factory.mode, factory.limits, factory.timing) == (Mode.OBSERVE, Limits(), Timing())
    assert image.mode is Mode.OBSERVE
    assert image.template == TemplateId(SUBSCRIPTION, "images", "ubuntu")
    assert image.after_archive is AfterArchive.KEEP_TEMPLATE
    assert image.verification is Verification.SAMPLE
    assert image.build_at_first_sight is False
    assert image.schedule is None


def test_everything_that_can_be_said_is_heard(tmp_path: Path) -> None:
    factory = load(write_factory(tmp_path, ALL, ubuntu=template_file()))
    image, other = factory.images.values()
    assert image.template == TemplateId("aaaaaaaa-2222-3333-4444-555555555555", "other.group", "ubuntu_22.04")
    assert (image.mode, other.mode) == (Mode.OBSERVE, Mode.ACT)
    assert (image.after_archive, other.after_archive) == (
        AfterArchive.KEEP_TEMPLATE,
        AfterArchive.DELETE_TEMPLATE,
    )
    assert (image.verification, other.verification) == (Verification.FOOTER, Verification.FULL)
    assert (image.build_at_first_sight, other.build_at_first_sight) == (False, True)
    assert image.schedule == Schedule("0 3 * * MON-FRI", "Europe/Paris")
    assert factory.limits == Limits(1, 2, 3, 4)
    seconds = timedelta(seconds=1)
    assert factory.timing == Timing(
        claim=60 * seconds,
        look_again=2 * seconds,
        stagger=3 * seconds,
        retry_after=(seconds, 120 * seconds),
        pause_after=5,
        older_tries=6,
        copy_slice=10 * seconds,
        copy_lease=15 * seconds,
        give_up=7200 * seconds,
        overdue=9 * seconds,
        journal=timedelta(days=30),
        follow=11 * seconds,
        update_claim=180 * seconds,
        cascade=timedelta(hours=12),
    )


def test_every_word_on_releases_is_heard(tmp_path: Path) -> None:
    """Subscriptions, groups, names and regions in the one spelling that they are compared by."""
    factory = load(write_factory(tmp_path, ALL, ubuntu=template_file()))
    assert factory.definition("win-2022") == Definition(
        name=DefinitionName("win-2022"),
        id=DefinitionId("aaaaaaaa-2222-3333-4444-555555555555", "other.group", "images", "windows.2022"),
        home="westeurope",
        rings=(
            Ring("canary", (RingRegion("westeurope"),), timedelta(hours=12), Promotion.BY_HAND),
            Ring("rest", (RingRegion("newregion", 50, "Premium_LRS"),)),
        ),
        act=False,
        end_of_life=timedelta(days=90),
        replication=ReplicationMode.SHALLOW,
        in_flight=7,
        deadline=timedelta(hours=6),
        withdraw_with_source=True,
    )


def test_what_a_definition_leaves_out_gets_the_defaults(tmp_path: Path) -> None:
    factory = load(write_factory(tmp_path, ALL, ubuntu=template_file()))
    assert factory.definition("debian") == Definition(
        name=DefinitionName("debian"),
        id=DefinitionId(SUBSCRIPTION, "g", "images", "debian"),
        home="newregion",
        rings=(Ring("all", (RingRegion("newregion"),)),),
        act=True,
    )
    quiet = load(write_factory(tmp_path, LEAST + RELEASED, ubuntu=template_file()))
    assert quiet.definition("debian").act is False


def test_the_watched_source_is_the_template_files(tmp_path: Path) -> None:
    image = load(write_factory(tmp_path, LEAST, ubuntu=template_file(location="West Europe"))).image("ubuntu")
    assert image.source == MarketplaceSource(SUBSCRIPTION, "westeurope", "P", "O", "S")
    assert (image.location, image.source_text) == ("westeurope", "P:O:S in westeurope")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            {
                "type": "PlatformImage",
                "publisher": "P",
                "offer": "O",
                "sku": "S",
                "version": "22.04.202611010",
            },
            "P:O:S:22.04.202611010 (a fixed version) in westeurope",
        ),
        ({"type": "ManagedImage", "imageId": MANAGED}, f"{MANAGED} in westeurope"),
        (
            {"type": "SharedImageVersion", "imageVersionId": f"{DEFINITION}/versions/1.0.3"},
            "gallery/ubuntu:1.0.3 (a fixed version) in westeurope",
        ),
    ],
)
def test_other_sources_are_not_watched_but_named(tmp_path: Path, source: dict[str, str], text: str) -> None:
    file = template_file(properties={"source": source, "distribute": [VHD]})
    image = load(write_factory(tmp_path, LEAST, ubuntu=file)).image("ubuntu")
    assert (image.source, image.source_text) == (None, text)


def test_a_template_files_body_is_put_as_it_is_but_for_what_only_deployments_have(tmp_path: Path) -> None:
    written = template_file(tags={"a": "b"})
    extra = {"type": "Microsoft.VirtualMachineImages/imageTemplates", "apiVersion": "2025-10-01", "name": "n"}
    image = load(write_factory(tmp_path, LEAST, ubuntu={**extra, **written})).image("ubuntu")
    assert json.loads(bytes(image.body)) == written


def test_yaml_anchors_spare_repetition(tmp_path: Path) -> None:
    yaml = LEAST.replace("ubuntu: {", "ubuntu: &u {") + "  two: {<<: *u, template_name: two}\n"
    factory = load(write_factory(tmp_path, yaml, ubuntu=template_file()))
    assert [image.template.name for image in factory.images.values()] == ["ubuntu", "two"]


def test_byte_order_marks_of_windows_editors_are_no_fault(tmp_path: Path) -> None:
    path = write_factory(tmp_path, "\ufeff" + LEAST, ubuntu="\ufeff" + json.dumps(template_file()))
    assert load(path).image("ubuntu").location == "westeurope"


def test_a_factory_without_images_is_a_factory(tmp_path: Path) -> None:
    yaml = LEAST.partition("images:\n")[0] + "images: {}\n"
    assert load(write_factory(tmp_path, yaml)).images == {}


def test_a_sound_factory_needs_neither_jsonschema_nor_cronsim(tmp_path: Path) -> None:
    """Both would cost every cold start tens of milliseconds, and yaml is not even needed to import."""
    path = write_factory(tmp_path, LEAST, ubuntu=template_file())
    program = f"""
import sys, pathlib
from shared.contracts import factory
print([name for name in ("yaml", "jsonschema", "cronsim") if name in sys.modules])
factory.load(pathlib.Path({str(path)!r}))
print([name for name in ("jsonschema", "cronsim") if name in sys.modules])
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n[]\n"


def touch(path: Path, text: str) -> None:
    """A write that a coarse clock of the file system cannot hide."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before + 10**9, before + 10**9))


def test_what_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    file = FactoryFile(write_factory(tmp_path, LEAST, ubuntu=template_file()))
    assert file.current() is file.current()


def test_a_changed_template_file_is_read_again(tmp_path: Path) -> None:
    path = write_factory(tmp_path, LEAST, ubuntu=template_file())
    file = FactoryFile(path)
    assert file.current().image("ubuntu").location == "westeurope"
    touch(tmp_path / "templates/ubuntu.json", json.dumps(template_file(location="northeurope")))
    assert file.current().image("ubuntu").location == "northeurope"


def test_faults_go_on_until_they_are_mended_and_then_by_themselves(tmp_path: Path) -> None:
    path = write_factory(tmp_path, LEAST)
    file = FactoryFile(path)
    for _ in range(2):
        with pytest.raises(FaultyConfiguration, match=r"templates/ubuntu\.json does not exist"):
            file.current()
    touch(tmp_path / "templates/ubuntu.json", json.dumps(template_file()))
    assert "ubuntu" in file.current().images
    touch(path, LEAST + "typo: 1\n")
    with pytest.raises(FaultyConfiguration, match="typo: unknown key"):
        file.current()
    path.unlink()
    with pytest.raises(FaultyConfiguration, match="No such file"):
        file.current()


def test_a_fingerprint_tells_of_files_that_come_and_go(tmp_path: Path) -> None:
    reading = read(write_factory(tmp_path, LEAST, ubuntu=template_file()))
    assert reading.files == (tmp_path / "factory.yaml", tmp_path / "templates/ubuntu.json")
    before = fingerprint(reading.files)
    reading.files[1].unlink()
    assert fingerprint(reading.files) != before

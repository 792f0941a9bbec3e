"""A faulty factory.yaml, fault by fault: definitions, their rings and regions."""

from pathlib import Path

import pytest

from .builders import SUBSCRIPTION, faults_of, yaml

RINGS = """\
  - name: canary
    regions: {westeurope: {}}
  - name: rest
    regions: {northeurope: {replicas: 2}, uksouth: {storage: Standard_ZRS}}
"""


def released(lines: str = "", rings: str = RINGS, top: str = "") -> str:
    """A sound factory.yaml with a definition from line 7 on; its own lines begin in line 10."""
    indented = "".join(f"  {line}\n" for line in rings.splitlines())
    own = "".join(f"    {line}\n" for line in lines.splitlines())
    definition = f"definitions:\n  win:\n    gallery: images\n{own}    location: westeurope\n    rings:\n"
    return yaml(top=f"{definition}{indented}{top}")


def rings(*parts: str) -> str:
    return released(rings="".join(f"  - {part}\n" for part in parts))


FIRST = "{name: a, regions: {westeurope: {}}}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (released("galery: x"),
         "10: definitions.win.galery: unknown key; known are block_deletion, deadline, definition, "
         "end_of_life, gallery, in_flight, location, mode, replication, resource_group, rings, subscription, "
         "withdraw_with_source; did you mean gallery?"),
        (released().replace("  win:", "  Win 2022:"),
         "8: definitions.Win 2022: 'Win 2022'; expected a name for an image definition: at most 64 lower "
         "case letters, digits and hyphens, such as windows-2022; did you mean win-2022?"),
        (released().replace("gallery: images", "gallery: my-images"),
         "9: definitions.win.gallery: 'my-images'; expected the name of a compute gallery: at most 80 "
         "letters, digits, underscores and dots, such as images"),
        (released().replace("    gallery: images\n", ""),
         "8: definitions.win: gallery is missing; expected the name of a compute gallery: at most 80 "
         "letters, digits, underscores and dots, such as images"),
        (released("definition: a/b"),
         "10: definitions.win.definition: 'a/b'; expected the name of an image definition: at most 80 "
         "letters, digits, _ . and hyphens, such as windows-2022"),
        (released("end_of_life: 12h"),
         "10: definitions.win.end_of_life: 12h is out of range; expected 1d to 3650d"),
        (released("end_of_life: 180"),
         "10: definitions.win.end_of_life: the number 180; expected a duration: a whole number of seconds, "
         "minutes, hours or days, such as 30m"),
        (released("deadline: 4000d"),
         "10: definitions.win.deadline: 4000d is out of range; expected 1s to 3650d"),
        (released("replication: fast"),
         "10: definitions.win.replication: 'fast'; expected full or shallow"),
        (released("replication: Full"),
         "10: definitions.win.replication: 'Full'; expected full or shallow; did you mean full?"),
        (released("in_flight: 0"),
         "10: definitions.win.in_flight: 0; expected a whole number from 1 to 1000"),
        (released('withdraw_with_source: "no"'),
         "10: definitions.win.withdraw_with_source: 'no'; expected true or false"),
        (released("mode: acts"),
         "10: definitions.win.mode: 'acts'; expected act or observe; did you mean act?"),
        (released().replace("location: westeurope", "location: westeurpe"),
         "10: definitions.win.location: 'westeurpe' is not a region that is known; expected one of Azure's, "
         "or one listed in more_regions; did you mean westeurope?"),
        (released().replace("location: westeurope", "location: france central"),
         "11: definitions.win.rings: the home region francecentral is in no ring; expected it in one: every "
         "version has it from the beginning"),
        (released(rings="").replace("rings:\n", "rings: []\n"),
         "11: definitions.win.rings: an empty list; expected a list of at least one"),
        (released(rings="").replace("    rings:\n", ""),
         "8: definitions.win: rings is missing; expected a list of at least one"),
        (rings(FIRST, "{name: b, regions: {}}"),
         "13: definitions.win.rings[1].regions: no region; expected at least one, such as westeurope: {}"),
        (rings(FIRST, "{name: b}"),
         "13: definitions.win.rings[1]: regions is missing; expected a mapping (lines of key: value)"),
        (rings(FIRST, "{name: b, regions: [uksouth]}"),
         "13: definitions.win.rings[1].regions: a list; expected a mapping (lines of key: value)"),
        (rings(FIRST, "{name: b, regions: {uksouth: }}"),
         "13: definitions.win.rings[1].regions.uksouth: nothing; expected a mapping (lines of key: value)"),
        (rings(FIRST, "canary"),
         "13: definitions.win.rings[1]: 'canary'; expected a mapping (lines of key: value)"),
        (rings(FIRST, "{name: a, regions: {uksouth: {}}}"),
         "13: definitions.win.rings[1].name: 'a' is the name of another ring of this definition"),
        (rings(FIRST, "{name: b c, regions: {uksouth: {}}}"),
         "13: definitions.win.rings[1].name: 'b c'; expected the name of a ring: at most 64 letters, digits, "
         "underscores, dots and hyphens, such as canary"),
        (rings(FIRST, "{regions: {uksouth: {}}}"),
         "13: definitions.win.rings[1]: name is missing; expected the name of a ring: at most 64 letters, "
         "digits, underscores, dots and hyphens, such as canary"),
        (rings(FIRST, "{name: b, regions: {uksout: {}}}"),
         "13: definitions.win.rings[1].regions.uksout: 'uksout' is not a region that is known; expected one "
         "of Azure's, or one listed in more_regions; did you mean uksouth?"),
        (rings(FIRST, "{name: b, regions: {uk_south: {}}}"),
         "13: definitions.win.rings[1].regions.uk_south: 'uk_south' is not a region that is known; expected "
         "one of Azure's, or one listed in more_regions; did you mean uksouth?"),
        (rings(FIRST, "{name: b, regions: {West Europe: {}}}"),
         "13: definitions.win.rings[1].regions.West Europe: is in ring 'a' already; expected each region "
         "once"),
        (rings(FIRST, "{name: b, regions: {uksouth: {}, UK South: {}}}"),
         "13: definitions.win.rings[1].regions.UK South: is in ring 'b' already; expected each region once"),
        (rings(FIRST, "{name: b, regions: {uksouth: {}, uksouth: {}}}"),
         "13: definitions.win.rings[1].regions.uksouth: 'uksouth' is there twice, first in line 13"),
        (rings(FIRST, "{name: b, regions: {uksouth: {replicas: 51}}}"),
         "13: definitions.win.rings[1].regions.uksouth.replicas: 51; expected a whole number from 1 to 50"),
        (rings("{name: a, regions: {westeurope: {replicas: 50}, uksouth: {replicas: 50}}}",
               "{name: b, regions: {ukwest: {}}}"),
         "11: definitions.win.rings: 101 replicas in all regions together; expected at most 100, as Azure "
         "allows"),
        (rings(FIRST, "{name: b, regions: {uksouth: {storage: standard_lrs}}}"),
         "13: definitions.win.rings[1].regions.uksouth.storage: 'standard_lrs'; expected PremiumV2_LRS or "
         "Premium_LRS or Standard_LRS or Standard_ZRS; did you mean Standard_LRS?"),
        (rings(FIRST, "{name: b, regions: {uksouth: {replica: 2}}}"),
         "13: definitions.win.rings[1].regions.uksouth.replica: unknown key; known are replicas, storage; "
         "did you mean replicas?"),
        (rings(FIRST, "{name: b, soak: 0m, regions: {uksouth: {}}}"),
         "13: definitions.win.rings[1].soak: '0m'; expected a duration, or 0s for none, such as 12h"),
        (rings(FIRST, "{name: b, soak: 3651d, regions: {uksouth: {}}}"),
         "13: definitions.win.rings[1].soak: 3651d is out of range; expected 0s to 3650d"),
        (rings(FIRST, "{name: b, promotion: by hand, regions: {uksouth: {}}}"),
         "13: definitions.win.rings[1].promotion: 'by hand'; expected automatic or by_hand; did you mean "
         "by_hand?"),
        (released(top="  other: {gallery: Images, definition: WIN, location: westeurope, "
                      "rings: [{name: a, regions: {westeurope: {}}}]}"),
         "16: definitions.other: is the same image definition as win: "
         f"/subscriptions/{SUBSCRIPTION}/resourceGroups/images/providers/Microsoft.Compute/galleries/images/"
         "images/win"),
        (released(top="more_regions: [new_region]"),
         "16: more_regions[0]: 'new_region'; expected the name of a region, such as westeurope"),
        (yaml(top="definitions: [win]"),
         "7: definitions: a list; expected a mapping (lines of key: value)"),
        (yaml(top="timing: {update_claim: 2m}"),
         "7: timing.update_claim: 2m is out of range; expected 3m to 1d, more than two requests may take"),
        (yaml(top="timing: {follow: 2d}"),
         "7: timing.follow: 2d is out of range; expected 1s to 1d"),
        (yaml(top="timing: {cascade: 31d}"),
         "7: timing.cascade: 31d is out of range; expected 1s to 30d"),
    ],
)  # fmt: skip
def test_a_wrong_release_is_told_with_its_place_and_what_was_expected(
    tmp_path: Path, text: str, said: str
) -> None:
    (fault,) = faults_of(tmp_path, text)
    assert str(fault) == f"{tmp_path / 'factory.yaml'}:{said}"


EVERYTHING = """\
definitions:
  Win:
    location: westeurpe
    rings:
      - {name: a, soak: soon, regions: {west: {}}}
      - canary
      - {name: a, regions: {uksout: {replicas: 0}}, promotion: later}
      - {name: c, regions: []}
    end_of_life: 1s
  dev:
    gallery: images
    location: uksouth
    rings: {}
    deadline: 4000d
more_regions: [west, 5]
"""


def test_all_faults_of_releases_are_told_at_once(tmp_path: Path) -> None:
    """A ring that is broken hides nothing of the others, nor says anything that is not so."""
    found = faults_of(tmp_path, yaml(top=EVERYTHING))
    assert [(fault.line, fault.path) for fault in found] == [
        (8, "definitions.Win"),
        (8, "definitions.Win"),
        (9, "definitions.Win.location"),
        (11, "definitions.Win.rings[0].soak"),
        (12, "definitions.Win.rings[1]"),
        (13, "definitions.Win.rings[2].name"),
        (13, "definitions.Win.rings[2].promotion"),
        (13, "definitions.Win.rings[2].regions.uksout"),
        (13, "definitions.Win.rings[2].regions.uksout.replicas"),
        (14, "definitions.Win.rings[3].regions"),
        (15, "definitions.Win.end_of_life"),
        (19, "definitions.dev.rings"),
        (20, "definitions.dev.deadline"),
        (21, "more_regions[1]"),
    ]


def test_a_definition_of_no_known_place_is_told_so(tmp_path: Path) -> None:
    text = released().replace(f"subscription: {SUBSCRIPTION}\n", "\n")
    assert [(f.path, f.message) for f in faults_of(tmp_path, text)] == [
        ("images.ubuntu", "no subscription; expected one here or at the top of the file"),
        ("definitions.win", "no subscription; expected one here or at the top of the file"),
    ]

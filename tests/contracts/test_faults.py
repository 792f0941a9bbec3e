"""A faulty factory.yaml, fault by fault: keys, duplicates, choices and names."""

from pathlib import Path

import pytest

from .builders import SUBSCRIPTION, faults_of, yaml


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (yaml(top="limts: {}"),
         "7: limts: unknown key; known are archive, defaults, definitions, images, limits, mode, "
         "more_regions, resource_group, retention, subscription, timing; did you mean limits?"),
        (yaml("after_archiv: keep_template"),
         "7: images.ubuntu.after_archiv: unknown key; known are after_archive, build_at_first_sight, "
         "mode, resource_group, retention, schedule, subscription, template, template_name, verification, "
         "window; did you mean after_archive?"),
        (yaml(top="defaults: {template: x}"),
         "7: defaults.template: unknown key; known are after_archive, build_at_first_sight, "
         "verification, window"),
        (yaml("schedule: {cron: 0 3 * * *, zone: UTC}"),
         "7: images.ubuntu.schedule.zone: unknown key; known are cron, start, time_zone; did you "
         "mean time_zone?"),
        (yaml(images="2022: {template: templates/ubuntu.json, template_name: b}"),
         "7: images.2022: the key 2022 is read as a number; put it in quotes: '2022'"),
        (yaml(images="on: {template: templates/ubuntu.json, template_name: b}"),
         "7: images.on: the key on is read as true or false; put it in quotes: 'on'"),
        (yaml(images="? [a]\n: {}"),
         "7: images: a key that is a list or a mapping; expected text"),
        (yaml(images="ubuntu: {template: templates/ubuntu.json}"),
         "7: images.ubuntu: 'ubuntu' is there twice, first in line 5"),
        (yaml("template: templates/ubuntu.json"),
         "7: images.ubuntu.template: 'template' is there twice, first in line 6"),
        (yaml(top="archive: {account: abc, container: images}"),
         "7: archive: 'archive' is there twice, first in line 3"),
        (yaml(images="two: {template: templates/ubuntu.json, template_name: UBUNTU}"),
         "7: images.two: is built in the same template as ubuntu; each image needs its own: set "
         "template_name"),
        (yaml("mode: on"),
         "7: images.ubuntu.mode: true; expected act or observe"),
        (yaml(top="mode: acting"),
         "7: mode: 'acting'; expected act or observe; did you mean act?"),
        (yaml("after_archive: delete-template"),
         "7: images.ubuntu.after_archive: 'delete-template'; expected delete_template or "
         "keep_template; did you mean delete_template?"),
        (yaml("verification: [full]"),
         "7: images.ubuntu.verification: a list; expected footer or full or sample"),
        (yaml('build_at_first_sight: "yes"'),
         "7: images.ubuntu.build_at_first_sight: 'yes'; expected true or false"),
        (yaml("schedule:"),
         "7: images.ubuntu.schedule: nothing; expected a mapping (lines of key: value)"),
        (yaml("schedule: 0 3 * * 1"),
         "7: images.ubuntu.schedule: '0 3 * * 1'; expected a mapping (lines of key: value)"),
        (yaml(images="two:"),
         "7: images.two: nothing; expected a mapping (lines of key: value)"),
        (yaml(images="two: {}"),
         "7: images.two: template is missing; expected the path of an Image Builder template file, "
         "relative to this file, such as templates/ubuntu-22.json"),
        (yaml(images="two: {template: 5}"),
         "7: images.two.template: the number 5 (in quotes it would be text); expected the path of an "
         "Image Builder template file, relative to this file, such as templates/ubuntu-22.json"),
        (yaml(images="Big One: {template: templates/ubuntu.json, template_name: b}"),
         "7: images.Big One: 'Big One'; expected the name of an image: at most 64 lower case letters, "
         "digits and hyphens, such as ubuntu-22; did you mean big-one?"),
        (yaml("template_name: a/b"),
         "7: images.ubuntu.template_name: 'a/b'; expected the name of an image template: at most 64 "
         "letters, digits, hyphens and dots, such as ubuntu-22"),
        (yaml("template_name: .."),
         "7: images.ubuntu.template_name: '..'; expected the name of an image template: at most 64 "
         "letters, digits, hyphens and dots, such as ubuntu-22"),
        (yaml('template_name: "a\\n"'),
         "7: images.ubuntu.template_name: a text with line breaks or control characters"),
        (yaml("subscription: 1234"),
         "7: images.ubuntu.subscription: the number 1234; expected the id of a subscription, such as "
         "00000000-0000-0000-0000-000000000000"),
        (yaml("subscription: 11111111-2222-3333-4444-55555555555"),
         "7: images.ubuntu.subscription: '11111111-2222-3333-4444-55555555555'; expected the id of a "
         "subscription, such as 00000000-0000-0000-0000-000000000000"),
        (yaml("resource_group: ends.with.dot."),
         "7: images.ubuntu.resource_group: 'ends.with.dot.'; expected the name of a resource group, "
         "such as image-factory"),
        (yaml("resource_group: ../other"),
         "7: images.ubuntu.resource_group: '../other'; expected the name of a resource group, such as "
         "image-factory"),
        (yaml().replace(f"subscription: {SUBSCRIPTION}\n", "\n"),
         "5: images.ubuntu: no subscription; expected one here or at the top of the file"),
        (yaml().replace("resource_group: images\n", "\n"),
         "5: images.ubuntu: no resource_group; expected one here or at the top of the file"),
        (yaml().replace("account: archive", "account: my-archive"),
         "3: archive.account: 'my-archive'; expected the name of a storage account: 3 to 24 lower "
         "case letters and digits, such as archive"),
        (yaml().replace("container: images", "container: a--b"),
         "3: archive.container: 'a--b'; expected the name of a blob container: 3 to 63 lower case "
         "letters, digits and single hyphens, such as images"),
        (yaml().replace("archive: {account: archive, container: images}", "#"),
         "1: archive is missing; expected a mapping (lines of key: value)"),
    ],
)  # fmt: skip
def test_a_wrong_part_is_told_with_its_place_and_what_was_expected(
    tmp_path: Path, text: str, said: str
) -> None:
    (fault,) = faults_of(tmp_path, text)
    assert str(fault) == f"{tmp_path / 'factory.yaml'}:{said}"

"""Editing a template file: another template takes its place, or a PATCH brings it up; nothing is lost."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.domain.records import JournalLine, OutputRecord, OutputState, RunRecord

from .endings import NEW, NEWER, assert_fault_free, released
from .scenes import IMAGE, KEEP, Operator, arm_calls, factory_file, source
from .world import World

ONE, TWO, THREE = ({"customize": [{"type": "Shell", "name": n, "inline": [f"echo {n}"]}]} for n in "abc")


def templates(world: World) -> list[str]:
    return sorted(t.name for t in world.azure.imagebuilder.templates())


def named(world: World) -> str:
    """The name that the file asks for once it has changed."""
    return f"{IMAGE}-{world.worker.factory().image(IMAGE).form.fixed}"


def edit(folder: Path, properties: Mapping[str, Any], options: Mapping[str, Any] = KEEP) -> None:
    factory_file(folder, properties=properties, options=options)


def built(world: World, times: int) -> bool:
    """So many runs, and nothing left to do for any of them."""
    image = world.known()
    return len(world.records(RunRecord)) == times and not image.unsettled and not image.former


def settled(folder: Path, properties: Mapping[str, Any] = ONE, options: Mapping[str, Any] = KEEP) -> World:
    """The image is built from NEW, in the template of its configured name."""
    world = World(config=factory_file(folder, properties=properties, options=options))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: str(w.known().built) == NEW and not w.known().unsettled)
    return world


def test_a_changed_file_becomes_a_new_template_and_the_old_one_goes(tmp_path: Path) -> None:
    """Built once more, since an image is what its file says; history and archive go on under its name."""
    world = settled(tmp_path)
    edit(tmp_path, TWO)
    world.play(lambda w: built(w, 2))
    (name,) = templates(world)
    assert name == named(world)
    assert {o.state for o in world.records(OutputRecord)} == {OutputState.ARCHIVED}
    assert len(world.archived()) == 4
    assert len(world.staging_accounts()) == 1
    runs = sorted(world.records(RunRecord), key=lambda run: run.start)
    assert [(r.template.rsplit("/", 1)[1], r.why) for r in runs[1:]] == [
        (name, "its template file has changed")
    ]
    world.publish_version(NEWER)
    world.play(lambda w: str(w.known().built) == NEWER and built(w, 3))
    assert templates(world) == [name]
    assert world.requested_runs() == 3


def test_an_image_whose_templates_go_gets_its_next_one_from_the_new_file(tmp_path: Path) -> None:
    """Nothing is left of the template when the file changes: the change alone asks for a run."""
    world = settled(tmp_path, options={"after_archive": "delete_template"})
    world.play(released(NEW))
    edit(tmp_path, TWO, {"after_archive": "delete_template"})
    world.play(lambda w: built(w, 2) and released(NEW)(w))
    assert_fault_free(world, NEW, NEW)


def test_a_file_edited_during_a_run_waits_for_its_outputs(tmp_path: Path) -> None:
    """Twice, even: only what it says in the end is built, after what the old template left is archived."""
    world = World(config=factory_file(tmp_path, properties=ONE, options=KEEP))
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: w.known().run is not None, at_once=True)
    edit(tmp_path, TWO)
    world.go_on(minutes=2)
    assert templates(world) == [IMAGE]
    edit(tmp_path, THREE)
    world.play(lambda w: built(w, 2))
    assert_all_safe(world, 2)


def test_a_file_edited_back_is_built_in_the_template_that_says_so(tmp_path: Path) -> None:
    """Whether the former one is still there or not: its name is what it says."""
    world = settled(tmp_path)
    edit(tmp_path, TWO)
    world.play(lambda w: w.known().run is not None, at_once=True)
    edit(tmp_path, ONE)
    world.play(lambda w: built(w, 3))
    assert templates(world) == [named(world)]
    edit(tmp_path, TWO)
    world.play(lambda w: built(w, 4))
    assert_all_safe(world, 4)


def assert_all_safe(world: World, runs: int) -> None:
    """Every VHD is archived, and there is one template, the one in use."""
    assert len(world.storage.made) == runs, world.told()
    assert [o.state for o in world.records(OutputRecord)] == [OutputState.ARCHIVED] * runs
    assert len(templates(world)) == len(world.staging_accounts()) == 1
    assert not world.known().former


def test_what_azure_can_patch_is_patched_without_a_run(tmp_path: Path) -> None:
    """A larger machine and another tag of the artifacts: the same template, with other people's tags."""
    world = settled(tmp_path, {**ONE, "vmProfile": {"vmSize": "Standard_D2s_v5"}})
    (template,) = world.azure.imagebuilder.templates()
    template.tags["cost-center"] = "42"
    target = {**template.properties["distribute"][0], "artifactTags": {"stage": "two"}}
    edit(tmp_path, {**ONE, "vmProfile": {"vmSize": "Standard_D4s_v5"}, "distribute": [target]})
    world.go_on(minutes=30)
    (template,) = world.azure.imagebuilder.templates()
    assert template.name == IMAGE
    assert template.properties["vmProfile"]["vmSize"] == "Standard_D4s_v5"
    assert template.properties["distribute"][0]["artifactTags"]["stage"] == "two"
    assert template.tags["cost-center"] == "42"
    assert arm_calls(world, "PATCH") == 1
    assert world.requested_runs() == 1


def test_a_patch_that_is_undone_is_not_sent_again_and_keeps_nothing_from_being_built(tmp_path: Path) -> None:
    """By a policy that takes tags away, say, or by Azure, which has its own way of writing things."""
    target = {"type": "VHD", "runOutputName": "disk", "artifactTags": {"stage": "one"}}
    world = settled(tmp_path, {**ONE, "distribute": [target]})
    edit(tmp_path, {**ONE, "distribute": [{**target, "artifactTags": {"stage": "two"}}]})

    def undo(_request: int) -> None:
        for template in world.azure.imagebuilder.templates():
            template.tags.pop("imageFactoryForm", None)
            template.properties["distribute"][0]["artifactTags"] = {"stage": "one"}

    world.gate.before = undo
    world.go_on(hours=1)
    world.publish_version(NEWER)
    world.play(lambda w: str(w.known().built) == NEWER)
    assert arm_calls(world, "PATCH") == 1


def test_a_target_that_is_left_out_makes_another_template(tmp_path: Path) -> None:
    """Azure would refuse a PATCH without it."""
    targets = [{"type": "VHD", "runOutputName": name} for name in ("one", "two")]
    world = settled(tmp_path, {"distribute": targets})
    edit(tmp_path, {"distribute": targets[:1]})
    world.play(lambda w: built(w, 2))
    assert arm_calls(world, "PATCH") == 0
    assert len(world.records(OutputRecord)) == 3
    assert len(templates(world)) == 1


def test_a_template_that_is_not_the_factorys_is_run_as_it_is(tmp_path: Path) -> None:
    """Neither replaced nor patched nor deleted, whatever the file says."""
    world = World(config=factory_file(tmp_path, properties=ONE, options=KEEP))
    world.play(lambda w: w.image() is not None)
    Operator(world).put_template(world.worker.factory().image(IMAGE).body)
    world.go_on(minutes=5)
    edit(tmp_path, TWO)
    world.go_on(hours=1)
    world.publish_version(NEW)
    world.play(lambda w: str(w.known().built) == NEW and built(w, 1))
    assert templates(world) == [IMAGE]
    assert [arm_calls(world, verb) for verb in ("PUT", "PATCH", "DELETE")] == [0, 0, 0]


DEBIAN = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2"}
"""Its versions are lower than any of the sample's source: 0.20261014.2265."""


def test_a_file_that_names_another_source_is_built_from_it_and_follows_it(tmp_path: Path) -> None:
    """Once: that its versions are lower than those of the source before it says nothing."""
    world = settled(tmp_path)
    edit(tmp_path, {**ONE, **source(**DEBIAN)})
    world.play(lambda w: built(w, 2))
    world.go_on(hours=2)
    assert world.requested_runs() == 2
    world.azure.catalogue.add_version("Debian", "debian-12", "12-gen2", "0.20270101.1")
    world.play(lambda w: str(w.known().built) == "0.20270101.1")
    assert [r.why for r in world.records(RunRecord)][1:] == [
        "its template file has changed",
        "source version 0.20270101.1 is newer than 0.20261014.2265",
    ]


def test_somebody_elses_template_of_another_source_is_run_once_for_a_version(tmp_path: Path) -> None:
    """What it builds is told as it is, and is neither older nor newer than what was wanted."""
    world = World(config=factory_file(tmp_path, properties={**ONE, **source(**DEBIAN)}, options=KEEP))
    Operator(world).put_template(world.worker.factory().image(IMAGE).body)
    edit(tmp_path, ONE)
    world.play(lambda w: w.image() is not None)
    world.publish_version(NEW)
    world.play(lambda w: built(w, 1))
    world.go_on(hours=2)
    (run,) = world.records(RunRecord)
    assert (run.source, str(run.version)) == (":".join(DEBIAN.values()).lower(), "0.20261014.2265")
    assert str(world.known().built) == NEW


def untold(world: World) -> None:
    """The template as an earlier release of the factory made it."""
    (template,) = world.azure.imagebuilder.templates()
    template.tags.pop("imageFactoryForm")


def test_a_template_of_an_earlier_release_goes_on_if_it_says_what_the_file_says(tmp_path: Path) -> None:
    """Azure's answer tells, since no tag does; what Azure adds to it does not count."""
    world = settled(tmp_path, {})
    untold(world)
    world.go_on(hours=1)
    assert [arm_calls(world, verb) for verb in ("PUT", "PATCH", "DELETE")] == [1, 0, 0]
    edit(tmp_path, TWO)
    world.play(lambda w: built(w, 2))
    assert templates(world) == [named(world)]


def test_a_run_in_the_template_that_was_left_is_archived_before_it_goes(tmp_path: Path) -> None:
    """Somebody starts it at the very last moment: what it leaves is safe before the template is deleted."""
    world = settled(tmp_path)
    started: list[str] = []

    def start(_request: int) -> None:
        line = next((x for x in world.records(JournalLine) if x.what == "former-template-deleted"), None)
        if line and not started:
            started.append(IMAGE)
            Operator(world).run(IMAGE)

    world.gate.before = start
    edit(tmp_path, TWO)
    world.play(lambda w: built(w, 3))
    assert started
    assert_all_safe(world, 3)

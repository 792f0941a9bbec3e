"""Templates that follow their files: what is left, patched, deleted or let be, and when."""

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from shared.domain.deployment import Form, named
from shared.domain.estate import SeenTemplate
from shared.domain.factory import Archive, Factory, Mode, Timing
from shared.domain.ids import TemplateId
from shared.domain.records import Former, ImageRecord
from shared.domain.retention import OWNER
from shared.domain.templates import Provisioning, RunState, Template
from shared.planning import actions, builds, deployment
from shared.planning.knowledge import Knowledge
from shared.planning.leftovers import leftovers

from .cases import (
    CLAIM,
    FIRST,
    IMAGE,
    MINUTE,
    NOW,
    READY,
    SECOND,
    TEMPLATE,
    archived,
    ran,
    situation,
    wanting,
)

BODY: dict[str, Any] = {
    "location": "westeurope",
    "properties": {"source": {"type": "x"}, "vmProfile": {"vmSize": "a"}},
}
FILE = replace(IMAGE, body=msgspec.Raw(json.dumps(BODY).encode()))
FORM = FILE.form
OTHER = Form("0123456789", FORM.loose)
LOOSE = Form(FORM.fixed, "0123456789")
IDLE = replace(archived(wanting()), form=FORM.fixed)
LEFT = Former(named(TEMPLATE, OTHER), NOW - timedelta(hours=1), FIRST)


def planned(template: Template, record: ImageRecord = IDLE, **image: Any) -> actions.Action:
    return builds.plan(situation(record, template, replace(FILE, **image)))[0]


def done(form: Form | None, **changes: Any) -> Template:
    return replace(ran(READY, FIRST, RunState.SUCCEEDED), form=form, **changes)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (done(FORM), actions.Nothing),
        (done(OTHER), actions.ReplaceTemplate),
        (done(LOOSE), actions.PatchTemplate),
        (done(OTHER, owner="somebody"), actions.Nothing),
        (done(LOOSE, owner=None), actions.Nothing),
        (done(LOOSE, provisioning=Provisioning.UPDATING), actions.Nothing),
        (done(OTHER, provisioning=Provisioning.FAILED), actions.ReplaceTemplate),
        (done(OTHER, provisioning=Provisioning.DELETING), actions.Wait),
        (done(OTHER, id=named(TEMPLATE, FORM)), actions.PatchTemplate),
        (done(None), actions.Nothing),
        (replace(ran(READY, FIRST, RunState.RUNNING), form=OTHER), actions.NoteRun),
        (replace(ran(READY, SECOND, RunState.SUCCEEDED), form=OTHER), actions.RecordEnd),
    ],
)
def test_a_template_that_says_something_else_is_left_or_patched(
    template: Template, expected: type[actions.Action]
) -> None:
    assert type(planned(template)) is expected


@pytest.mark.parametrize(
    ("record", "form", "expected"),
    [
        (replace(IDLE, unsettled=("run/disk",)), OTHER, actions.Nothing),
        (replace(IDLE, claim=CLAIM), OTHER, actions.Wait),
        (replace(IDLE, deleting=NOW - MINUTE), OTHER, actions.Wait),
        (replace(IDLE, paused="by ada", paused_by="ada"), OTHER, actions.ReplaceTemplate),
        (replace(IDLE, paused="by ada", paused_by="ada"), LOOSE, actions.Nothing),
        (replace(IDLE, retry_at=NOW + MINUTE), LOOSE, actions.Nothing),
    ],
)
def test_nothing_is_left_that_may_still_be_needed(
    record: ImageRecord, form: Form, expected: type[actions.Action]
) -> None:
    assert type(planned(done(form), record)) is expected


def test_in_mode_observe_nothing_is_left() -> None:
    assert isinstance(planned(done(OTHER), mode=Mode.OBSERVE), actions.Nothing)


MORE = {**BODY["properties"], "customize": [], "optimize": {"vmBoot": {"state": "Enabled"}}}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (BODY, "none"),
        ({**BODY, "tags": {"owner": "a"}, "properties": MORE}, "none"),
        ({"location": "West Europe", "properties": {"source": {"type": "y"}}}, "replace"),
        ({**BODY, "properties": {"source": {"type": "x"}, "vmProfile": {"vmSize": "b"}}}, "patch"),
        (None, "none"),
    ],
)
def test_without_a_tag_azures_answer_tells_what_a_template_was_made_from(told: object, expected: str) -> None:
    """What Azure adds does not count; of a template of which nothing is told nothing is concluded."""
    content = json.dumps(told).encode() if told else b""
    assert deployment.change(FILE, done(None, content=content)) is deployment.Change(expected)


def test_a_changed_file_is_news_and_the_first_one_is_not() -> None:
    """What was built last tells; for a template of somebody else's nothing ever is news."""
    fresh = ImageRecord(IMAGE.name)
    assert deployment.news(deployment.follow(fresh, FILE, None), FILE) == ""
    old = replace(IDLE, form=OTHER.fixed)
    assert deployment.news(deployment.follow(old, FILE, done(FORM)), FILE) == deployment.CHANGED
    assert deployment.news(deployment.follow(old, FILE, done(None, owner=None)), FILE) == ""
    assert deployment.done(old, done(FORM), RunState.SUCCEEDED).form == FORM.fixed
    assert deployment.done(old, done(FORM), RunState.FAILED).form == OTHER.fixed


def test_a_template_is_made_under_its_configured_name_until_its_file_changes() -> None:
    fresh = deployment.follow(ImageRecord(IMAGE.name), FILE, None)
    assert deployment.aim(fresh, FILE) == TEMPLATE
    assert deployment.aim(replace(fresh, form=OTHER.fixed), FILE) == named(TEMPLATE, FORM)


def test_coming_back_takes_a_former_template_up_again_with_its_deletion() -> None:
    """No run is asked for in it while that deletion may be on its way."""
    back = replace(LEFT, id=named(TEMPLATE, FORM), deleting=NOW)
    record = replace(IDLE, template=named(TEMPLATE, OTHER), former=(back,))
    left = deployment.left(record, FILE, done(OTHER, id=named(TEMPLATE, OTHER)), NOW)
    assert (left.template, left.deleting) == (back.id, NOW)
    assert left.former == (Former(named(TEMPLATE, OTHER), NOW, FIRST),)


def former(each: Former, template: Template | None, **changes: Any) -> tuple[actions.Action, ...]:
    record = replace(IDLE, former=(each,), **changes)
    seen = {each.id: replace(template, id=each.id) if template else None}
    return deployment.former(record, FILE, seen, Timing(), NOW)


@pytest.mark.parametrize(
    ("each", "template", "expected"),
    [
        (LEFT, done(OTHER), actions.DeleteFormer),
        (replace(LEFT, run=None), replace(READY, form=OTHER), actions.DeleteFormer),
        (LEFT, None, actions.ForgetFormer),
        (replace(LEFT, since=NOW), None, None),
        (replace(LEFT, since=NOW, deleting=NOW), None, actions.ForgetFormer),
        (LEFT, done(OTHER, owner="somebody"), actions.ForgetFormer),
        (LEFT, ran(READY, SECOND, RunState.RUNNING), None),
        (LEFT, ran(READY, SECOND, RunState.FAILED), actions.RecordEnd),
        (replace(LEFT, deleting=NOW - MINUTE), done(OTHER), None),
        (replace(LEFT, kept="not archived: a"), done(OTHER), None),
        (LEFT, done(OTHER, provisioning=Provisioning.DELETING), None),
        (LEFT, done(OTHER, provisioning=Provisioning.CREATING), None),
    ],
)
def test_a_former_template_goes_once_nothing_needs_it(
    each: Former, template: Template | None, expected: type[actions.Action] | None
) -> None:
    assert [type(action) for action in former(each, template)] == ([expected] if expected else [])


def test_a_former_template_stays_while_an_output_of_its_run_is_not_safe() -> None:
    assert former(LEFT, done(OTHER), unsettled=(f"{FIRST}/disk",)) == ()
    assert former(LEFT, done(OTHER), unsettled=(f"{SECOND}/disk",)) != ()


def seen(id: TemplateId) -> SeenTemplate:
    return SeenTemplate(str(id).lower(), "Succeeded", {OWNER: IMAGE.name}, "westeurope", None)


@pytest.mark.parametrize(
    ("id", "kept", "used"),
    [
        (named(TEMPLATE, FORM), "", True),
        (LEFT.id, "", True),
        (LEFT.id, "not archived: a (dismissed)", False),
        (TEMPLATE, "", False),
    ],
)
def test_retention_leaves_to_deployment_what_that_deletes_itself(
    id: TemplateId, kept: str, used: bool
) -> None:
    """The template in use never goes; one that was left does only if the factory keeps it for good."""
    factory = Factory(Mode.ACT, Archive("a", "b"), {IMAGE.name: FILE})
    record = replace(IDLE, template=named(TEMPLATE, FORM), former=(replace(LEFT, kept=kept),))
    (thing,) = leftovers(Knowledge(factory, [seen(id)], [], [record], NOW, timedelta()))
    assert thing.used_by == ((f"image {IMAGE.name}",) if used else ())


def test_versions_of_another_source_are_forgotten_and_what_was_wanted_of_it_stays_owed() -> None:
    """The file may be edited back before anything is built; an earlier release's record has no source yet."""
    record = deployment.sourced(replace(wanting(), claim=CLAIM), FILE)
    assert (record.wanted, record.claim) == (wanting().wanted, CLAIM)
    unwatched = deployment.sourced(record, replace(FILE, source=None))
    assert (unwatched.wanted, unwatched.baseline, unwatched.owed) == (None, None, deployment.CHANGED)
    assert unwatched.claim == replace(CLAIM, version=None)


def test_a_template_in_use_is_no_former_one_whatever_the_configuration_called_it_meanwhile() -> None:
    record = replace(IDLE, former=(LEFT, replace(LEFT, id=TEMPLATE)))
    assert deployment.renamed(record, FILE).former == (LEFT,)


@pytest.mark.parametrize(
    ("there", "expected"), [("a", deployment.Change.NONE), ("b", deployment.Change.PATCH)]
)
def test_identities_of_an_earlier_releases_template_are_compared_as_ids(
    there: str, expected: deployment.Change
) -> None:
    """Azure spells them as it likes."""
    wanted = {**BODY, "identity": {"userAssignedIdentities": {"/subscriptions/s/A": {}}}}
    found = {**BODY, "identity": {"userAssignedIdentities": {f"/subscriptions/s/{there}": {"clientId": "1"}}}}
    image = replace(FILE, body=msgspec.Raw(json.dumps(wanted).encode()))
    template = done(None, content=json.dumps(found).encode())
    assert deployment.change(image, template) is expected

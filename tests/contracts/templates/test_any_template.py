"""The checker and the sandbox's Image Builder, which know nothing of each other, agree on any template."""

import itertools
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings

from sandbox.arm.imagebuilder import provisioning
from sandbox.arm.imagebuilder.sources import SourceRefused
from shared.contracts.faults import dotted
from shared.contracts.imagetemplate import Remark, advise, check
from tests.sandbox.arm.parts import TEMPLATES, World

from .made import Template, broken, templates

WORLD: Final = World()
NAMES: Final = itertools.count()
SETTING: Final = WORLD.azure.setting

ONE_SIDED: Final = {
    "step-names": "the reference asks for it; a recording shows Azure take two of one name",
    "operating-system": "found out when the run comes to the step",
    "file-in-tmp": "found out when the run comes to the step",
    "checksum": "found out when the script is read",
    "address": "found out when the script is read, or the VHD written",
    "resource-id": "found out when the resource is looked for",
    "region": "found out when something is made there",
    "region-twice": "galleries refuse it at the end of the run",
    "version": "found out when the version is looked for",
    "form": "found out when it is used",
    "tags": "Resource Manager's limits, which the sandbox has for requests about tags alone",
    "missing properties.source.version": "Azure takes none for latest; the factory watches what is latest",
    f"kind identity.userAssignedIdentities.{SETTING.identity_id}": "Resource Manager reads it too",
    "choice identity.type": "Resource Manager reads it, and whether it counts case is not known",
}
"""What the checker alone refuses, and why Image Builder does not when a template is made."""

NAMED: Final = {
    "PlatformImage": ("publisher", "offer", "sku"),
    "ManagedImage": ("imageId",),
    "SharedImageVersion": ("imageVersionId",),
}
sound = templates(SETTING.location, SETTING.identity_id)


def refused(template: Template) -> str:
    """Why Image Builder does not take the template, or fails to provision it in any world."""
    name = f"t{next(NAMES)}"
    WORLD.clock.advance(timedelta(seconds=1))  # not to be throttled
    answer = WORLD.send("PUT", f"{TEMPLATES}/{name}?api-version=2025-10-01", template)
    if answer.status != 201:
        assert answer.status in (400, 403), answer.body  # 403: for what is the id of no identity
        return str(answer.json()["error"]["message"])
    made = WORLD.template(name)
    WORLD.azure.fabric.records.remove(made.id)
    fault = provisioning._steps_fault(made) or provisioning._distribute_fault(made)
    try:
        WORLD.azure.imagebuilder._provisioning._sources.resolve(made)
    except SourceRefused as unknown:
        named = NAMED.get(made.source.get("type", ""), ("",))
        if not all(made.source.get(each) for each in named):  # else it is somewhere, in another world
            return unknown.message
    return fault.message if fault else ""


def one_sided(remark: Remark) -> bool:
    return bool({remark.rule, f"{remark.rule} {dotted(remark.path)}"} & ONE_SIDED.keys())


def agree(template: Template) -> None:
    remarks, why = check(template), refused(template)
    if not remarks:
        assert why == "", why
    if not why:
        assert [remark for remark in remarks if not one_sided(remark)] == []


@settings(max_examples=25)
@given(sound)
def test_what_is_sound_is_accepted_by_both(template: Template) -> None:
    assert check(template) == []
    assert refused(template) == ""


@settings(max_examples=80)
@given(broken(sound))
def test_what_is_broken_is_refused_by_both_or_by_neither(template: Template) -> None:
    """But for the rules that are one-sided, each with its reason."""
    agree(template)


@pytest.mark.long
@settings(max_examples=8000)
@given(broken(sound))
def test_many_that_are_broken_are_refused_by_both_or_by_neither(template: Template) -> None:
    agree(template)


@settings(max_examples=20)
@given(broken(broken(broken(sound))))
def test_advice_is_given_on_anything_and_is_never_a_fault(template: Any) -> None:
    assert all(remark.advice for remark in advise(template))
    assert not any(remark.advice for remark in check(template))

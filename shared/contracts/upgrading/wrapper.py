"""Image templates inside deployment templates: the one resource that counts, its expressions computed."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.contracts.faults import dotted
from shared.contracts.positions import Path
from shared.domain.ids import TEMPLATE_TYPE

from .draft import Draft
from .evaluation import Scope, members
from .parts import Context, Unevaluable, show
from .syntax import is_expression, parse, unescaped

PROVIDER: Final = TEMPLATE_TYPE.partition("/")[0]
"""As a type of its own: the authors of many a published template left the rest out."""
_COMPUTED: Final = ("location", "tags", "identity", "properties")
_SIGN: Final = "deploymenttemplate.json"
_PARAMETERS: Final = "deploymentparameters.json"


def is_deployment(content: Mapping[str, Any]) -> bool:
    schema = str(content.get("$schema", "")).lower()
    return _SIGN in schema or ("resources" in content and "properties" not in content)


def is_parameter_file(content: Mapping[str, Any]) -> bool:
    return _PARAMETERS in str(content.get("$schema", "")).lower()


def unwrap(draft: Draft, given: Mapping[str, Any], context: Context) -> str | None:
    """Its api-version, as far as it is known; None if there is no image template to go on with."""
    template = draft.content
    scope = Scope(template, given, context)
    draft.wrapped = True
    resources = list(_resources(template, ()))
    found = [path for path, resource in resources if _is_template(resource)]
    if not found:
        draft.refuse((), f"a deployment template without an image template; expected one {_EXPECTED}", _RULE)
        return None
    if len(found) > 1:
        first = dotted(found[0])
        draft.refuse(found[1], f"a second image template, after {first}; expected one in each file", _RULE)
        return None
    here = found[0]
    draft.tell((), f"the image template {dotted(here)} is taken out of its deployment template")
    for path, resource in resources:
        if path != here:
            draft.tell(
                path, f"left out: {resource.get('type') or 'a resource without a type'}; deploy it apart"
            )
    _tell_unused(draft, template, given)
    resource = draft.at(here)
    if "copy" in resource:
        draft.refuse((*here, "copy"), "a copy loop; expected the image template written once", "expression")
    version = _quietly(scope, resource.get("apiVersion"))
    draft.narrow(here)
    draft.content.pop("resources", None)
    for name in _COMPUTED:
        if name in draft.content:
            _compute(draft, (name,), scope)
    return version


_RULE: Final = "one-template"
_EXPECTED: Final = "resource of type Microsoft.VirtualMachineImages/imageTemplates"


def looks_cut_out(text: str) -> bool:
    """An expression that only a deployment template could give a value."""
    try:
        parse(text)
    except Unevaluable:
        return False  # such as a line of a script that begins and ends with a bracket
    return True


def _resources(of: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Those of the deployment and those within them; newer templates name them in place of listing them."""
    within = of.get("resources")
    listed = (
        enumerate(within) if isinstance(within, list) else within.items() if isinstance(within, dict) else ()
    )
    for step, resource in listed:
        if isinstance(resource, dict):
            here = (*path, "resources", step)
            yield here, resource
            yield from _resources(resource, here)


def _is_template(resource: Mapping[str, Any]) -> bool:
    return str(resource.get("type", "")).lower() in (TEMPLATE_TYPE, PROVIDER) and "properties" in resource


def _tell_unused(draft: Draft, template: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    if template.get("outputs"):
        draft.tell(("outputs",), "left out: outputs are those of a deployment")
    declared = members(template.get("parameters"))
    extra = sorted(name for name in given if name.lower() not in declared)
    if extra:
        draft.tell(
            ("parameters",), f"the parameter file has values for what is not declared: {', '.join(extra)}"
        )


def _quietly(scope: Scope, version: object) -> str:
    """Nothing but its age is asked of the api-version."""
    if not isinstance(version, str):
        return ""
    try:
        return str(scope.value(version)) if is_expression(version) else version
    except Unevaluable:
        return ""


def _compute(draft: Draft, path: Path, scope: Scope) -> None:
    """Every expression at and within the path. A member that comes out as null is one that is not there."""
    value = draft.at(path)
    if isinstance(value, str) and is_expression(value):
        _replace(draft, path, value, scope)
    elif isinstance(value, str) and unescaped(value) != value:
        draft.tell(path, f"{show(value)} is the text {show(unescaped(value))}")
        draft.put(path, unescaped(value))
    elif isinstance(value, list):
        for at in range(len(value)):
            _compute(draft, (*path, at), scope)
    elif isinstance(value, dict):
        if isinstance(value.get("copy"), list):
            draft.refuse(
                (*path, "copy"), "a copy loop; expected its elements written one by one", "expression"
            )
            return
        for name in list(value):
            _compute(draft, (*path, _named(draft, (*path, name), scope)), scope)


def _replace(draft: Draft, path: Path, text: str, scope: Scope) -> None:
    try:
        value = scope.value(text)
    except Unevaluable as error:
        draft.refuse(path, f"{show(text)} cannot be computed: {error}", "expression")
        return
    if value is None and isinstance(path[-1], str):
        draft.tell(path, f"left out: {show(text)} is null")
        draft.drop(path)
        return
    draft.tell(path, f"{show(text)} is {show(value)}")
    draft.put(path, value, draft.origin(path))


def _named(draft: Draft, path: Path, scope: Scope) -> str:
    """Names may be expressions too: an identity is named by its id."""
    name = str(path[-1])
    if not is_expression(name):
        return name
    try:
        new = scope.value(name)
    except Unevaluable as error:
        draft.refuse(path, f"{show(name)} cannot be computed: {error}", "expression")
        return name
    if not isinstance(new, str) or new in draft.at(path[:-1]):
        draft.refuse(
            path, f"{show(name)} is {show(new)}; expected a name that is not there yet", "expression"
        )
        return name
    draft.tell(path, f"{show(name)} is {show(new)}")
    draft.rename(path, new)
    return new

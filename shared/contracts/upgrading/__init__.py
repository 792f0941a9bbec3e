"""Older template files in the current form, in memory: each change is told, and so is what cannot be changed.

A file in the current form comes out as it is. Everything else is still to be checked: an upgrade knows where
members have gone, not whether what they say is right.
"""

from collections.abc import Mapping
from typing import Any, Final

from .parts import DEEPEST, Change, Context, Refusal, Upgraded

__all__ = ["NOWHERE", "Change", "Context", "Refusal", "Upgraded", "upgrade"]

_NOTHING: Final[Mapping[str, Any]] = {}
NOWHERE: Final = Context()


def upgrade(
    content: dict[str, Any], parameters: Mapping[str, Any] = _NOTHING, context: Context = NOWHERE
) -> Upgraded:
    """`parameters` are those of a parameter file: objects with a value, by name."""
    from .draft import Draft, too_deep  # here: they are needed once there is a template to read
    from .generations import Age, modernise
    from .wrapper import is_deployment, is_parameter_file, unwrap

    if too_deep(content):
        said = f"nested more than {DEEPEST} deep; expected an image template"
        return Upgraded({}, refused=(Refusal((), said, "too-deep"),))
    draft = Draft(content)
    if is_parameter_file(content):
        draft.refuse((), "a parameter file; expected the template that it belongs to", "one-template")
        return draft.finished()
    version: str | None = str(content.get("apiVersion", ""))
    if is_deployment(content):
        version = unwrap(draft, parameters, context)
        if version is None:
            draft.content = {}
            return draft.finished()
    modernise(draft, Age(version or "", wrapped=draft.wrapped), context)
    return draft.finished()

"""Request bodies taken apart: Compute names what is missing or wrong by its path in the document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.arm.errors import ArmError, bad_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?")


def section(parent: Mapping[str, Any], name: str, path: str) -> dict[str, Any]:
    """A member that is an object; an absent one is empty."""
    found = parent.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise invalid(f"{path}.{name}", f"The value of parameter '{path}.{name}' is invalid: not an object.")
    return found


def rows(parent: Mapping[str, Any], name: str, path: str) -> list[dict[str, Any]]:
    """A member that is a list of objects; an absent one is empty."""
    found = parent.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise invalid(f"{path}.{name}", f"The value of parameter '{path}.{name}' is invalid: not a list.")
    return found


def text(parent: Mapping[str, Any], name: str, path: str) -> str:
    """A member that has to be there."""
    found = parent.get(name)
    if not isinstance(found, str) or not found:
        raise required(f"{path}.{name}")
    return found


def whole(parent: Mapping[str, Any], name: str, path: str) -> int | None:
    """A positive whole number, or None where there is none."""
    found = parent.get(name)
    if found is None:
        return None
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise invalid(f"{path}.{name}", f"The value '{found}' of parameter '{path}.{name}' is out of range.")
    return found


def choice(value: str, allowed: Iterable[str], path: str) -> str:
    """The allowed word that the value is, in the service's own spelling."""
    known = {each.lower(): each for each in allowed}
    if value.lower() not in known:
        words = ", ".join(known.values())
        raise invalid(path, f"The value '{value}' of parameter '{path}' is not one of {words}.")
    return known[value.lower()]


def location(body: Mapping[str, Any]) -> str:
    found = str(body.get("location") or "").replace(" ", "").lower()
    if not found:
        raise bad_request("LocationRequired", "The location property is required for this definition.")
    return found


def check_name(noun: str, name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise invalid(
            f"{noun}.name",
            f"The entity name '{name}' is invalid: 1 to 80 letters, digits, underscores, periods and dashes, "
            "the first and the last of them no period or dash.",
        )


def required(path: str) -> ArmError:
    return invalid(path, f"Required parameter '{path}' is missing (null).")


def invalid(path: str, message: str) -> ArmError:
    return bad_request("InvalidParameter", message, target=path)


def not_found(resource_id: str) -> ArmError:
    """What Compute says of a source that is missing or in another region [Azure/azure-cli 9732, 23670]."""
    return ArmError(404, "NotFound", f"Resource {resource_id.rsplit('/', 1)[-1]} is not found.")

"""What tries an image once it is made: the same steps as those that make it, but for updates and restarts."""

from collections.abc import Mapping
from typing import Any

from .customizers import check_step
from .kinds import Remark
from .parts import child, rows
from .system import of


def check(content: Mapping[str, Any], found: list[Remark], _subscription: str) -> None:
    validate = child(content, "properties", "validate")
    if not validate.get("inVMValidations"):
        return
    system = of(content)
    for path, step in rows(validate, "inVMValidations", ("properties", "validate")):
        check_step(path, step, system, found)

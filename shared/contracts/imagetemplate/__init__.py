"""Image templates held against what Image Builder accepts, before it is asked: every fault at once.

A template is checked in its current form; `form` says what may stand in it, the other modules what has to fit
together. What Azure would take, but nobody wants, is advice: it never makes a template faulty.
"""

from collections.abc import Mapping
from typing import Any

from .kinds import Remark

__all__ = ["Remark", "advise", "check"]


def check(content: Mapping[str, Any], subscription: str = "") -> list[Remark]:
    """What Image Builder would refuse or fail at. `subscription` is that of the template, if it is known."""
    from . import customizers, distribution, machine, sources, validators
    from .form import TEMPLATE
    from .reader import read

    found: list[Remark] = []
    read(TEMPLATE, content, (), found)
    for rules in (sources, customizers, validators, distribution, machine):
        rules.check(content, found, subscription)
    return found


def advise(content: Mapping[str, Any]) -> list[Remark]:
    """What is allowed, and better done in another way."""
    from .advice import advise as advice

    return list(advice(content))

"""How runs are going to end when somebody wants to see that, and how long everything takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SpoiltVhd = Literal["good", "truncated", "broken_footer", "dynamic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The plan for one run to come; the default is a run that goes as its template says.

    `failure` ends in the sub-state `at`; with `distribute` it leaves its outputs behind all the same.
    """

    result: Literal["success", "failure", "partial"] = "success"
    at: Literal["Building", "Customizing", "Validating", "Distributing"] = "Customizing"
    distribute: bool = False
    slower: float = 1.0
    vhd: SpoiltVhd = "good"
    message: str = "The run was planned to fail."


AS_THE_TEMPLATE_SAYS = Outcome()


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """Seconds at speed 1: medians of the recordings; a run's 903 seconds are shared out by judgement."""

    provisioning: float = 35.0
    patching: float = 2.3
    deleting: float = 138.0
    trigger_put: float = 3.7
    trigger_delete: float = 2.1
    building: float = 240.0
    customizing: float = 300.0
    optimizing: float = 120.0
    validating: float = 60.0
    distributing: float = 363.0
    canceling: float = 420.0
    trigger_check: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VhdShape:
    """The disks that runs make: mostly holes, as real ones are. `fragment_kib` scatters the payload."""

    size_mib: int = 64
    payload_mib: int = 1
    fragment_kib: int | None = None

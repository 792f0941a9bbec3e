"""One switch for each behaviour of Azure that is not settled: the factory has to stand every position."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args, get_type_hints


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    exact_version_refreshed: bool = False
    """A run writes the version that it built from into source.exactVersion (recorded: only creation does)."""
    visible_run_delay: float = 0.0
    """Seconds, not divided by the speed, between the 202 and the run showing in lastRunStatus."""
    run_removes_old_vhds: bool = False
    """A new run removes the VHDs that earlier runs left in the staging account."""
    old_outputs_survive: bool = False
    """A run that fails leaves the outputs of the run before it in place."""
    completion_events: bool = True
    """Resource Manager publishes the end of a run."""
    triggered_run_events: bool = False
    """It does so as well for runs that no request started (trigger, autoRun)."""
    partial_event: Literal["Success", "Failure"] = "Failure"
    """What the event of a partly succeeded run is called."""
    canceled_event: Literal["Cancel", "Failure", "none"] = "Cancel"
    """What the event of a cancelled run is called."""
    update_while_updating: Literal["accepted", "refused"] = "accepted"
    """An update of a gallery version whose last one has not ended."""
    failed_region_removal: Literal["accepted", "refused"] = "accepted"
    """Leaving a failed region out of the list while allowDeletionOfReplicatedLocations is false."""
    protected_region_status: Literal[409, 400] = 409
    """The HTTP status that refuses a list without a region that has replicated and may not be deleted."""
    failed_region_retried: bool = True
    """An update that sends a failed region again starts its replication anew."""
    stale_parent_seconds: float = 0.0
    """How long a definition or gallery is refused to be deleted after what was in it has gone."""
    second_group_deletion: Literal["accepted", "refused"] = "accepted"
    """The deletion of a resource group that is being deleted."""
    restore_needs_flag: bool = False
    """A soft-deleted version comes back only by properties.restore, not by a PUT of its location alone."""
    graph_lag_seconds: float = 0.0
    """How far Resource Graph is behind, not divided by the speed."""
    graph_pages_move: bool = False
    """Its pages are cut from what is there when each is asked for, so that rows are missed or repeated."""
    claims_form: Literal["object", "string"] = "object"
    """`authorization`, `claims`, `httpRequest` of events: objects (documented) or JSON text (specified)."""
    second_run_status: Literal[409, 400] = 409
    """The HTTP status that refuses what the run state does not allow."""
    log_location: Literal["arm", "url"] = "arm"
    """How the message of a failed run names its log: by resource path (newer runs) or by blob address."""
    start_time_moves: bool = False
    """startTime is written again when the build machine is there (a run shows two start times)."""
    operation_retry_after: int = 0
    """Seconds of Retry-After on accepted operations and polls in progress; 0 sends none, as recorded."""
    orderby_collation: Literal["text", "numeric"] = "text"
    """How the marketplace orders versions."""
    adopt_identities: bool = True
    """An identity in an existing group is taken as existing though nobody created it here."""

    def with_values(self, values: dict[str, Any]) -> Switches:
        """These switches with some turned. Raises ValueError, naming the choices, for what cannot be."""
        kinds = get_type_hints(Switches)
        for name, value in values.items():
            if name not in kinds:
                raise ValueError(
                    f"no switch {name!r}: choose one of {', '.join(f.name for f in fields(self))}"
                )
            choices = get_args(kinds[name])
            if choices and value not in choices:
                raise ValueError(f"switch {name}: {value!r} is not one of {', '.join(map(repr, choices))}")
            if not choices and not _fits(value, kinds[name]):
                raise ValueError(f"switch {name}: expected {kinds[name].__name__}, got {value!r}")
        return replace(self, **values)


def _fits(value: object, kind: type) -> bool:
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    return isinstance(value, (int, float) if kind is float else kind) and value >= 0  # type: ignore[operator]  # numbers

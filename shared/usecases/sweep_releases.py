"""The sweep of the galleries: what no event told of a version is found in the list of its definition.

A list says nothing of replication, so a version that is under way keeps its own looks; of one that is done
the same plan decides as in a look, and a look is sent only where it would act.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from shared import telemetry
from shared.domain.errors import FactoryError
from shared.domain.factory import Factory
from shared.domain.galleries import GalleryVersion, Provisioning, Replication
from shared.domain.looks import Lane, Look, Thing
from shared.domain.releases import Definition, ReleaseRecord, Stage
from shared.planning import actions
from shared.planning.looks import comes_back
from shared.planning.releases import plan
from shared.planning.rings import Situation
from shared.ports import Outside

from .releases import first_look, releases


def versions(out: Outside, factory: Factory, correlation: str, now: datetime) -> Iterator[Look]:
    """One list call a page and definition."""
    for definition in factory.definitions.values():
        try:
            listed = {v.version.rank: v for v in out.galleries.list(definition.id)}
        except FactoryError as error:
            telemetry.event("sweep-blind", definition=definition.name, why=str(error))
            continue
        rows = [row.record for row in releases(out, definition)]
        for index, record in enumerate(rows):
            version = listed.pop(record.version.rank, None)
            if _acts(factory, definition, record, version, rows, rows[index + 1 :], now):
                yield _look(record.name, correlation, record.look_due)
        since = first_look(out, definition, now)
        for version in listed.values():
            if version.published and version.published > since:
                yield _look(f"{definition.name}/{version.version}", correlation, None)


def _acts(
    factory: Factory,
    definition: Definition,
    record: ReleaseRecord,
    version: GalleryVersion | None,
    rows: Sequence[ReleaseRecord],
    newer: Sequence[ReleaseRecord],
    now: datetime,
) -> bool:
    if comes_back(record.trouble, now):
        return False
    if record.look_due is not None and record.look_due < now - factory.timing.overdue:
        return True
    if version is None:
        return record.stage is not Stage.GONE
    if version.provisioning is not Provisioning.SUCCEEDED:
        open_regions = any(not r.replicated and not r.given_up for r in record.regions) or not record.regions
        return record.look_due is None and open_regions
    replicating = sum(other.busy for other in rows if other is not record)
    seen = _settled(version)
    decided = plan(Situation(definition, factory.timing, record, seen, tuple(newer), replicating, now))
    effects = any(isinstance(a, actions.UpdateVersion | actions.MarkDescendants) for a in decided.actions)
    waits = any(isinstance(a, actions.Wait) for a in decided.actions)
    news = decided.record.stage is not record.stage or _told(decided.record) != _told(record)
    return effects or news or (waits and record.look_due is None)


def _told(record: ReleaseRecord) -> frozenset[tuple[str, bool, bool]]:
    """What people are told of regions, as far as a list shows it."""
    return frozenset((r.name, r.latest is not None, r.taken_back) for r in record.regions)


def _settled(version: GalleryVersion) -> GalleryVersion:
    """A version whose last operation has succeeded is in all of its regions."""
    done = tuple(replace(r, state=Replication.COMPLETED) for r in version.regions)
    return replace(version, regions=done)


def _look(name: str, correlation: str, due: datetime | None) -> Look:
    return Look(Lane.RELEASES, Thing.VERSION, name, correlation, due=due)

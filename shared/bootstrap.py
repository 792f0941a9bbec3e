"""The composition root: which gateway stands behind which port, built once per worker and only when needed.

No Azure SDK is imported here: gateways import theirs at their first request, so that a look pays for no more
than it uses.
"""

import functools
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.contracts.factory import FactoryFile
from shared.domain.errors import FactoryError
from shared.domain.factory import Factory, Limits
from shared.ports import Outside
from shared.settings import Settings, SettingsError, trusts_principal

if TYPE_CHECKING:
    from shared.usecases.health import Part

__all__ = ["SettingsError", "Worker", "connect", "trusts_principal", "worker"]

_EXAMINED = timedelta(seconds=15)
"""How long the health that was found is told again: anybody may ask for it."""


class Worker:
    """What one worker process keeps: the settings, the gateways and the configuration as last read."""

    def __init__(self, settings: Settings, outside: Outside | None = None) -> None:
        self.settings = settings
        self.version = settings.version
        self._file = FactoryFile(settings.config)
        self._outside = outside
        self._health: tuple[datetime, Factory | None, tuple[Part, ...]] | None = None

    @property
    def outside(self) -> Outside:
        if self._outside is None:
            self._outside = connect(self.settings, self._workers())
        return self._outside

    def factory(self) -> Factory:
        """The configuration as it is now. Raises FaultyConfiguration, and goes on once it is mended."""
        return self._file.current()

    def examined(self, factory: Factory | None) -> "tuple[Part, ...]":
        """The health of what the factory depends on, as it is or was just now."""
        from shared.usecases.health import examined

        now, known = self.outside.clock.now(), self._health
        if known is None or known[1] is not factory or now - known[0] > _EXAMINED:
            known = self._health = (now, factory, examined(self.outside, factory))
        return known[2]

    def _workers(self) -> int:
        try:
            return self.factory().limits.copy_workers
        except FactoryError:
            return Limits().copy_workers


@functools.cache
def worker() -> Worker:
    """The one of this process. Raises SettingsError if the environment does not say where things are."""
    return Worker(Settings.from_environment())


def connect(settings: Settings, copy_workers: int) -> Outside:
    """Every gateway, none of them connected yet."""
    from shared.gateways.blobs import StorageBlobs
    from shared.gateways.clock import SystemClock
    from shared.gateways.connection import Connection
    from shared.gateways.credential import Identity
    from shared.gateways.estate import ArmEstate
    from shared.gateways.events import TopicEvents
    from shared.gateways.galleries import ArmGalleries
    from shared.gateways.ledger import TableLedger
    from shared.gateways.manifests import BlobManifests
    from shared.gateways.marketplace import ArmMarketplace
    from shared.gateways.queues import StorageQueues
    from shared.gateways.resources import ArmResources
    from shared.gateways.scripts import StorageScripts
    from shared.gateways.templates import ArmTemplates
    from shared.gateways.workers import ThreadWorkers

    connection = Connection(Identity(settings.client_id), connections=2 * copy_workers)
    clock = SystemClock()
    blobs = StorageBlobs(settings.blob_endpoint, connection)
    return Outside(
        ledger=TableLedger(settings.table_uri, connection),
        queues=StorageQueues(settings.queue_uri, connection),
        blobs=blobs,
        manifests=BlobManifests(blobs),
        scripts=StorageScripts(settings.blob_endpoint, blobs),
        templates=ArmTemplates(settings.arm_endpoint, settings.blob_endpoint, connection),
        marketplace=ArmMarketplace(settings.arm_endpoint, connection),
        galleries=ArmGalleries(settings.arm_endpoint, connection),
        resources=ArmResources(settings.arm_endpoint, connection),
        estate=ArmEstate(settings.arm_endpoint, connection, clock.pause),
        events=TopicEvents(settings.topic_endpoint, connection),
        clock=clock,
        workers=ThreadWorkers(copy_workers),
        new_id=lambda: str(uuid.uuid4()),
        version=settings.version,
        graph_lag=settings.graph_lag,
    )

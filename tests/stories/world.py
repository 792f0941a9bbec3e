"""A world in which stories play: the sandbox in process, the app with its real gateways, and a host's part.

Time is virtual. `play` lets happen whatever is due, in order of time, until the story is over.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import azure.functions as func
from azure.functions.queue import QueueMessage

from functions import boundary
from sandbox.arm.imagebuilder.outcomes import Durations, Outcome, VhdShape
from sandbox.arm.storage import BlobAddress as SandboxAddress
from sandbox.azure import LocalAzure, Setting
from sandbox.clock import VirtualClock
from sandbox.eventgrid.retry import Delivery
from sandbox.eventgrid.subscriptions import EventSubscription, load_subscriptions
from sandbox.switches import Switches
from sandbox.vhd import Vhd
from shared.bootstrap import Worker
from shared.contracts import messages
from shared.domain import keys
from shared.domain.errors import FactoryError
from shared.domain.events import EventType
from shared.domain.ids import BlobAddress, ImageName
from shared.domain.looks import Lane
from shared.domain.records import ImageRecord, JournalLine
from shared.planning.clock import next_due
from shared.settings import Settings
from shared.usecases.sweep import sweep, watch_sources
from tests.memory.blobs import MemoryBlobs
from tests.memory.ledger import MemoryLedger
from tests.memory.queues import Delivered, MemoryQueues
from tests.memory.storage import MemoryStorage

from .cuts import Gate, Killed
from .outside import TOPIC, gated_outside

HERE = Path(__file__).parent
CONFIG = HERE.parent.parent / "config"
UBUNTU = ("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2")
SWEEP_EVERY = timedelta(minutes=10)
WATCH_EVERY = timedelta(minutes=15)
HORIZON = timedelta(days=3)
LISTENER = "everything"
"""The subscription of somebody else to the factory's events."""
VISIBLE_AGAIN = timedelta(seconds=30)
"""host.json's visibilityTimeout: after a function failed."""

Recovery = Literal["redelivery", "another worker", "sweep alone"]


class StoryClock(VirtualClock):
    """The world's clock; the app's pauses move it too."""

    def pause(self, seconds: float) -> None:
        self.advance(timedelta(seconds=seconds))


class RememberingStorage(MemoryStorage):
    """Keeps every VHD that Image Builder wrote, to compare with what was archived."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        super().__init__(blobs)
        self.made: list[Vhd] = []

    def write_vhd(self, address: SandboxAddress, vhd: Vhd, metadata: Mapping[str, str]) -> None:
        self.made.append(vhd)
        super().write_vhd(address, vhd, metadata)


class World:
    """One factory on one sandbox."""

    def __init__(
        self,
        *,
        gate: Gate | None = None,
        switches: Switches | None = None,
        config: Path = HERE / "factory.yaml",
        shape: VhdShape | None = None,
        setting: Setting | None = None,
    ) -> None:
        self.clock = StoryClock()
        self.gate = gate or Gate()
        self.blobs = MemoryBlobs(self.clock)
        self.ledger, self.queues = MemoryLedger(), MemoryQueues(self.clock)
        self.storage = RememberingStorage(self.blobs)
        self.blobs.create_account("archive", "images")
        self.azure = LocalAzure(
            self.clock,
            self.storage,
            switches=switches,
            durations=Durations(),
            shape=shape or VhdShape(),
            setting=setting,
        )
        for subscription in load_subscriptions(CONFIG / "event-subscriptions.json"):
            self.azure.eventgrid.subscribe(subscription)
        for script in (CONFIG / "scripts").iterdir():
            self.blobs.plant(
                BlobAddress("scripts", "scripts", script.name),
                [(0, script.read_bytes())],
                length=script.stat().st_size,
                page_blob=False,
            )
        self.settings = Settings.from_env(
            {
                "IMAGE_FACTORY_CONFIG": str(config),
                "FactoryStorage__queueServiceUri": "https://factory.queue.core.windows.net",
                "FactoryStorage__tableServiceUri": "https://factory.table.core.windows.net",
                "IMAGE_FACTORY_TOPIC_ENDPOINT": TOPIC,
            }
        )
        self.worker = self.new_worker()
        self.published: list[Mapping[str, Any]] = []
        """The factory's own events, as its topic got them."""
        self._listen()
        self.lose_events = False
        self.deliver: Callable[[list[func.EventGridEvent]], list[func.EventGridEvent]] = lambda events: events
        self._sweep_due = self._watch_due = self.clock.now()
        self._at_work: Delivered | None = None
        self._undelivered: list[func.EventGridEvent] = []

    def new_worker(self) -> Worker:
        return Worker(self.settings, gated_outside(self))

    def _listen(self) -> None:
        """Subscribe to everything that the factory publishes, as a customer's own app may."""
        kinds = tuple(kind.value for kind in EventType)
        self.azure.eventgrid.subscribe(EventSubscription(LISTENER, "factory", "a customer's own", kinds))

    # What the world does

    def publish_version(self, version: str) -> None:
        self.azure.catalogue.add_version(*UBUNTU, version)

    def plan(self, image: str, *outcomes: Outcome) -> None:
        template = next(t for t in self.azure.imagebuilder.templates() if t.name == image)
        self.azure.imagebuilder.plan(template.id, *outcomes)

    # What the host does

    def play(
        self,
        until: Callable[["World"], bool],
        *,
        recovery: Recovery = "redelivery",
        at_once: bool = False,
        horizon: timedelta = HORIZON,
    ) -> None:
        """Everything that is due happens, in order of time, until `until` holds and nothing is under way.

        `at_once` stops as soon as it holds, in the middle of whatever is under way.
        """
        end = self.clock.now() + horizon
        while not ((at_once or self._quiet()) and until(self)):
            if self.clock.now() > end:
                raise AssertionError("the story does not end:\n" + self.told())
            try:
                if not self._happen():
                    self._pass_time()
            except Killed:
                self._recover(recovery)

    def _happen(self) -> bool:
        """One thing that is due; False if nothing is."""
        now = self.clock.now()
        self.azure.tick()
        if self._deliver_events():
            return True
        for lane in Lane:
            message = self.queues.receive(lane.value)
            if message:
                self._work_off(lane, message)
                return True
        if now >= self._watch_due:
            self._watch_due = now + WATCH_EVERY
            boundary.on_time(self.worker, watch_sources)
            return True
        if now >= self._sweep_due:
            self._sweep_due = now + SWEEP_EVERY
            boundary.on_time(self.worker, sweep)
            return True
        return False

    def _deliver_events(self) -> bool:
        pending = self.azure.eventgrid.outbox.pending()
        for delivery in pending:
            self.azure.eventgrid.outbox.discard(delivery)
        self.published += [each.event for each in pending if each.subscription.name == LISTENER]
        ours = [each for each in pending if each.subscription.name != LISTENER]
        if not ours or self.lose_events:
            return bool(pending)
        events = self.deliver([_event(delivery) for delivery in ours])
        for number, event in enumerate(events):
            try:
                self._deliver_event(event)
            except Killed:
                self._undelivered = events[number:]
                raise
        return True

    def _deliver_event(self, event: func.EventGridEvent) -> None:
        """As Event Grid does: what was not accepted is delivered again."""
        try:
            boundary.accept_event(self.worker, event)
        except FactoryError:
            boundary.accept_event(self.worker, event)

    def _work_off(self, lane: Lane, message: Delivered) -> None:
        self._at_work = message
        try:
            boundary.work_off_message(self.worker, lane, _message(message))
        except FactoryError:
            self.queues.show(message, VISIBLE_AGAIN)
        else:
            self.queues.delete(message)
        self._at_work = None

    def _recover(self, recovery: Recovery) -> None:
        """A new worker; what the dead one was at comes back, at once or by the host's time-out, or never."""
        self.gate.revive()
        self.worker = self.new_worker()
        message, self._at_work = self._at_work, None
        if recovery == "sweep alone":
            self._undelivered = []
            self.queues.clear()
            return
        while self._undelivered:
            try:
                self._deliver_event(self._undelivered[0])
            except Killed:  # the one that took over as well
                self.gate.revive()
                self.worker = self.new_worker()
            else:
                self._undelivered.pop(0)
        if message and recovery == "another worker":
            self.queues.show(message)

    def _pass_time(self) -> None:
        times = [self._watch_due, self._sweep_due, self.azure.next_due(), self.queues.next_visible()]
        later = [t for t in times if t and t > self.clock.now()]
        self.clock.set(min(later))

    def _quiet(self) -> bool:
        if self.azure.next_due() is not None or self._pending_events():
            return False
        return all(self._waits_for_the_clock(message) for message in self.queues.waiting())

    def _waits_for_the_clock(self, message: Delivered) -> bool:
        """A look that is on its way until its image's schedule is due next: of that nothing is under way."""
        if message.lane != Lane.BUILDS.value:
            return False
        look = messages.decode(Lane.BUILDS, message.body)
        image = self.worker.factory().images.get(ImageName(look.id))
        if look.due is None or image is None or image.schedule is None:
            return False
        return look.due == next_due(self.known(image.name), image, look.due)

    def _pending_events(self) -> bool:
        return bool(self.azure.eventgrid.outbox.pending())

    def go_on(self, **duration: float) -> None:
        """Let so much time pass, and everything happen that falls due in it."""
        end = self.clock.now() + timedelta(**duration)
        self.play(lambda world: world.clock.now() >= end, at_once=True)

    # What can be seen afterwards

    def image(self, name: str = "ubuntu-22") -> ImageRecord | None:
        held = self.ledger.read(keys.image_key(name), ImageRecord)
        return held.record if held else None

    def known(self, name: str = "ubuntu-22") -> ImageRecord:
        """The image's record, which must be there."""
        found = self.image(name)
        assert found is not None, f"image {name} has not been looked at"
        return found

    def records(self, kind: type[Any]) -> list[Any]:
        return [record for _, record in self.ledger.rows() if isinstance(record, kind)]

    def requested_runs(self) -> int:
        """Runs that Image Builder accepted from the factory."""
        return sum(
            call.service == "arm"
            and call.method == "POST"
            and call.path.endswith("/run")
            and call.status == 202
            for call in self.azure.calls.list()
        )

    def archived(self) -> list[BlobAddress]:
        """Everything in the archive, by name."""
        return sorted((at for at in self.blobs.blobs("archive") if at.container == "images"), key=str)

    def staging_accounts(self) -> set[str]:
        """Accounts that Image Builder has made and that are still there."""
        return set(self.blobs.accounts()) - set(self.azure.setting.accounts)

    def told(self) -> str:
        lines = sorted(self.records(JournalLine), key=lambda line: line.at)
        return "\n".join(f"{line.at:%d %H:%M:%S} {line.thing} {line.what}: {line.why}" for line in lines)


def _event(delivery: Delivery) -> func.EventGridEvent:
    told: Mapping[str, Any] = delivery.event
    return func.EventGridEvent(
        id=told["id"],
        data=dict(told["data"]),
        topic=told["topic"],
        subject=told["subject"],
        event_type=told["eventType"],
        event_time=datetime.fromisoformat(told["eventTime"]),
        data_version=told["dataVersion"],
    )


def _message(message: Delivered) -> func.QueueMessage:
    return QueueMessage(
        id=message.id,
        body=base64.b64encode(message.body.encode()),
        dequeue_count=message.dequeue_count,
        insertion_time=message.inserted,
    )

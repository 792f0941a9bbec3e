"""The factory's own events, to its own topic."""

import threading
from typing import TYPE_CHECKING

from shared.contracts import events
from shared.domain.events import FactoryEvent

from .connection import Connection
from .errors import Call, Need, translated

if TYPE_CHECKING:
    from azure.eventgrid._legacy import EventGridPublisherClient


class TopicEvents:
    """`ports.Events`."""

    def __init__(self, endpoint: str, connection: Connection) -> None:
        self._endpoint = endpoint
        self._connection = connection
        self._client: EventGridPublisherClient | None = None
        self._lock = threading.Lock()

    def publish(self, event: FactoryEvent) -> None:
        need = Need(
            "Microsoft.EventGrid/events/send/action", "EventGrid Data Sender", f"topic {self._endpoint}"
        )
        with translated(Call(f"publishing {event.type.value} of {event.subject}", need)):
            self._topic().send(events.encode(event))

    def _topic(self) -> "EventGridPublisherClient":
        with self._lock:
            if self._client is None:
                # For topics the public class drops every option, the transport and the limit on retries among
                # them; the one that it wraps takes them.
                from azure.eventgrid._legacy import EventGridPublisherClient

                self._client = EventGridPublisherClient(
                    self._endpoint, **self._connection.options(self._endpoint)
                )
            return self._client

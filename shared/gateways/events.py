"""The factory's own events, to its own topic."""

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

from shared.contracts import events
from shared.domain.errors import Unreachable
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
        with translated(Call(f"publishing {event.type.value} of {event.subject}", _need(self._endpoint))):
            self._topic().send(events.encode(event))

    def reach(self) -> None:
        """Any answer will do, even a refusal: an event that only asks would reach its subscribers."""
        from azure.core.pipeline.transport import HttpRequest

        transport = self._connection.options(self._endpoint)["transport"]
        with translated(Call(f"reaching topic {self._endpoint}", _need(self._endpoint))):
            answer = transport.send(HttpRequest("GET", self._endpoint))
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unreachable(f"topic {self._endpoint} answers {answer.status_code}")

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


def _need(endpoint: str) -> Need:
    return Need("Microsoft.EventGrid/events/send/action", "EventGrid Data Sender", f"topic {endpoint}")

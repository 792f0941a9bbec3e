"""Looks as queue messages: base64 as the Functions host expects, living until they are worked off."""

import math
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.contracts import messages
from shared.domain.errors import RetryableError
from shared.domain.looks import Look

from .connection import Connection
from .errors import Call, Need, saying, translated

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

LONGEST_DELAY = timedelta(days=1)
_ADD = "Microsoft.Storage/storageAccounts/queueServices/queues/messages/add/action"
_FOR_EVER = -1
"""A message that expires would be a look that never happens."""


class StorageQueues:
    """`ports.Queues`: a lane's queue bears the lane's name."""

    def __init__(self, uri: str, connection: Connection) -> None:
        self._uri = uri
        self._connection = connection
        self._clients: dict[str, QueueClient] = {}
        self._lock = threading.Lock()

    def send(self, look: Look, delay: timedelta = timedelta(0)) -> None:
        self._send(look.lane.value, messages.encode(look), delay)

    def send_raw(self, lane: str, body: str) -> None:
        self._send(lane, body, timedelta(0))

    def _send(self, queue: str, body: str, delay: timedelta) -> None:
        need = Need(_ADD, "Storage Queue Data Message Sender", f"queue {self._uri}/{queue}")
        lost = saying(RetryableError, "there is no such queue: create it, then the work goes on")
        seconds = math.ceil(min(max(delay, timedelta(0)), LONGEST_DELAY).total_seconds())
        with translated(Call(f"sending a message to {queue}", need, {404: lost})):
            self._client(queue).send_message(body, visibility_timeout=seconds, time_to_live=_FOR_EVER)

    def _client(self, queue: str) -> "QueueClient":
        with self._lock:
            if queue not in self._clients:
                from azure.storage.queue import QueueClient, TextBase64EncodePolicy

                self._clients[queue] = QueueClient(
                    account_url=self._uri,
                    queue_name=queue,
                    message_encode_policy=TextBase64EncodePolicy(),
                    **self._connection.options(self._uri),
                )
            return self._clients[queue]

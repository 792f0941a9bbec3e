"""Runs a queue function as the storage queue extension does: locks, renewals, retries, poison."""

import asyncio
import math
import random
import uuid
from datetime import timedelta
from typing import Final, Literal

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from sandbox.host import messages
from sandbox.host.arguments import from_text
from sandbox.host.backoff import Backoff
from sandbox.host.config import QueueOptions
from sandbox.host.console import Console
from sandbox.host.functions import Function
from sandbox.host.invocation import Worker

LOCK: Final = timedelta(minutes=10)
_RENEWAL_RETRY: Final = timedelta(seconds=1)


def mark() -> str:
    """Return a request id that tells the host's own requests from the app's in a list of calls."""
    return f"host-{uuid.uuid4()}"


class QueueListener:
    def __init__(
        self,
        function: Function,
        account: QueueServiceClient,
        worker: Worker,
        console: Console,
        options: QueueOptions,
        *,
        lock: timedelta = LOCK,
        chance: random.Random,
    ) -> None:
        self._function = function
        self._account = account
        self._queue: QueueClient = account.get_queue_client(str(function.binding["queueName"]).lower())
        self._poison = messages.poison_queue(self._queue.queue_name)
        self._worker = worker
        self._console = console
        self._options = options
        self._lock = lock
        self._backoff = Backoff(options.max_polling_interval, chance)
        self._busy: set[asyncio.Task[None]] = set()
        self._trouble = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Poll until told to stop; what runs then goes on, see `settle`."""
        stopping = asyncio.create_task(stop.wait())
        try:
            await self._poll(stop, stopping)
        finally:
            stopping.cancel()

    async def _poll(self, stop: asyncio.Event, stopping: asyncio.Task[Literal[True]]) -> None:
        found = False
        while not stop.is_set():
            batch = await self._receive()
            for message in batch:
                task = asyncio.create_task(self._process(message))
                self._busy.add(task)
                task.add_done_callback(self._busy.discard)
            if batch:
                found = True
                while len(self._busy) > self._options.new_batch_threshold and not stop.is_set():
                    await asyncio.wait({*self._busy, stopping}, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.wait([stopping], timeout=self._backoff.next(found=found).total_seconds())
                found = False

    async def settle(self, patience: timedelta) -> None:
        """Wait for running messages; those that do not end keep their lock and come back when it lapses."""
        if self._busy:
            await asyncio.wait(self._busy, timeout=patience.total_seconds())
        for task in tuple(self._busy):
            task.cancel()

    async def _receive(self) -> list[QueueMessage]:
        pages = self._queue.receive_messages(
            messages_per_page=self._options.batch_size,
            visibility_timeout=_whole_seconds(self._lock),
            client_request_id=mark(),
        ).by_page()
        try:
            batch = [message async for message in await anext(pages)]
        except StopAsyncIteration:
            return []
        except AzureError as error:
            self._complain(f"cannot be polled: {_first_line(error)}")
            return []
        self._trouble = ""
        return batch

    async def _process(self, message: QueueMessage) -> None:
        try:
            text = messages.decode(message.content, self._options)
            if text is None:
                self._console.warning(
                    "Host.Queues",
                    f"Message decoding has failed! Check MessageEncoding settings. MessageId={message.id}",
                )
                await self._move_to_poison(message)
            elif not messages.runs(message.dequeue_count or 0, self._poison, self._options):
                await self._move_to_poison(message)
            else:
                await self._execute(message, text)
        except AzureError as error:
            # a message that could be neither deleted nor released shows again when its lock runs out
            self._complain(f"message {message.id} stays locked: {_first_line(error)}")

    async def _execute(self, message: QueueMessage, text: str) -> None:
        renewing = asyncio.create_task(self._renew(message))
        try:
            outcome = await self._worker.invoke(
                self._function,
                lambda: from_text(self._function, text, _metadata(message)),
                f"New queue message detected on '{self._queue.queue_name}'.",
            )
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])
        count = message.dequeue_count or 0
        match messages.verdict(outcome.succeeded, count, self._poison, self._options):
            case "delete":
                await self._delete(message)
            case "poison":
                await self._move_to_poison(message)
            case "release":
                await self._show_again(message, self._options.visibility_timeout)
            case "leave":
                self._complain(f"message {message.id} failed in a poison queue and stays locked for now")

    async def _renew(self, message: QueueMessage) -> None:
        wait = messages.renewal(self._lock)
        while True:
            await asyncio.sleep(wait.total_seconds())
            try:
                await self._show_again(message, self._lock)
                wait = messages.renewal(self._lock)
            except AzureError as error:
                self._complain(f"lock of message {message.id} not renewed: {_first_line(error)}")
                wait = min(_RENEWAL_RETRY, messages.renewal(self._lock))

    async def _show_again(self, message: QueueMessage, after: timedelta) -> None:
        try:
            updated = await self._queue.update_message(
                message.id,
                message.pop_receipt,
                visibility_timeout=_whole_seconds(after),
                client_request_id=mark(),
            )
        except HttpResponseError as error:
            if not _somebody_elses(error):
                raise
        else:
            message.pop_receipt = updated.pop_receipt

    async def _delete(self, message: QueueMessage) -> None:
        try:
            await self._queue.delete_message(message.id, message.pop_receipt, client_request_id=mark())
        except HttpResponseError as error:
            if not _somebody_elses(error):
                raise

    async def _move_to_poison(self, message: QueueMessage) -> None:
        if self._poison is None:
            return
        self._console.warning(
            "Host.Queues",
            f"Message {message.id} cannot be decoded or has reached MaxDequeueCount of "
            f"{self._options.max_dequeue_count}. Moving message to queue '{self._poison}'.",
        )
        poison = self._account.get_queue_client(self._poison)
        try:
            await poison.send_message(message.content, client_request_id=mark())
        except ResourceNotFoundError:
            await poison.create_queue(client_request_id=mark())
            await poison.send_message(message.content, client_request_id=mark())
        await self._delete(message)

    def _complain(self, trouble: str) -> None:
        """Say it once, not at each poll."""
        if trouble != self._trouble:
            self._trouble = trouble
            self._console.warning("Host.Queues", f"Queue '{self._queue.queue_name}': {trouble}")


def _metadata(message: QueueMessage) -> dict[str, object]:
    times = {
        "ExpirationTime": message.expires_on,
        "InsertionTime": message.inserted_on,
        "NextVisibleTime": message.next_visible_on,
    }
    return {
        "Id": message.id,
        "DequeueCount": message.dequeue_count or 0,
        "PopReceipt": message.pop_receipt or "",
        **{name: time.isoformat() for name, time in times.items() if time is not None},
    }


def _whole_seconds(time: timedelta) -> int:
    return math.ceil(time.total_seconds())


def _somebody_elses(error: HttpResponseError) -> bool:
    """Whether the message, its lock or its queue is gone: nothing is left to do then."""
    return error.status_code == 404 or getattr(error, "error_code", "") in (
        "PopReceiptMismatch",
        "QueueBeingDeleted",
        "QueueDisabled",
    )


def _first_line(error: AzureError) -> str:
    return str(error).partition("\n")[0]

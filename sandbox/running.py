"""The running world: every face on a socket, Azurite and the Functions host beside it, time that passes."""

import asyncio
import os
import random
import secrets
import shutil
import socket
import traceback
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import aiohttp

from sandbox.appsettings import app_settings, write_local_settings
from sandbox.arm.imagebuilder.outcomes import VhdShape
from sandbox.azure import LocalAzure, Setting
from sandbox.clock import WallClock
from sandbox.control.api import Control
from sandbox.endpoints import Published, publish, withdraw
from sandbox.eventgrid.courier import Courier
from sandbox.eventgrid.subscriptions import EventSubscription, load_subscriptions
from sandbox.host.keys import EVENT_GRID, HostKeys, load_keys
from sandbox.hostprocess import HostProcess
from sandbox.identity.endpoint import PATH as IDENTITY_PATH
from sandbox.identity.endpoint import IdentityEndpoint
from sandbox.identity.tokens import FACTORY, OPERATOR, Tokens
from sandbox.options import Options
from sandbox.overlay import configured
from sandbox.provision import assign_roles, provision
from sandbox.serve import Handler, Listener, face_handler
from sandbox.storage.service import StorageService
from sandbox.tls import Certificates, certificates

if TYPE_CHECKING:
    from sandbox.arm.storage import BlobAddress
    from sandbox.vhd import Vhd

_TICK: Final = 0.1
_MADE: Final = 16  # VHDs remembered: a long-lived world must not grow without end


class RunningSandbox:
    """`async with` starts everything in order and stops it in reverse; `tell` gets sentences for people."""

    def __init__(self, options: Options, *, tell: Callable[[str], None]) -> None:
        self.options = options
        self.control = Control(self)
        self.tell = tell
        self.clock = WallClock()
        self.setting = Setting()
        self.azure: LocalAzure
        self.storage: StorageService
        self.published: Published
        self.config: Path
        """What the app reads: the file itself, or the copy with the overlay."""
        self.host: HostProcess | None = None
        self.subscribed = asyncio.Event()
        self.subscriptions: tuple[EventSubscription, ...] = ()
        self.made: deque[tuple[BlobAddress, Vhd]] = deque(maxlen=_MADE)
        """The VHDs that Image Builder wrote, to compare with what became of them."""
        self._stack = AsyncExitStack()
        self._tasks: set[asyncio.Task[object]] = set()

    async def __aenter__(self) -> Self:
        _clear(self.options.state)
        async with AsyncExitStack() as stack:
            made = certificates(self.options.state)
            tokens = Tokens(self.setting.tenant)
            self.storage = await stack.enter_async_context(self._storage(made, tokens))
            self._found(tokens)
            await self._listen(stack, made)
            stack.callback(withdraw, self.options.state)
            stack.push_async_callback(self._end_tasks)
            self._task(self._tick())
            await self._functions(stack)
            publish(self.options.state, self.published)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def _storage(self, made: Certificates, tokens: Tokens) -> StorageService:
        return StorageService(
            folder=self.options.state / "azurite",
            certificates=made,
            clock=self.clock,
            tokens=tokens,
            accounts=self.setting.accounts,
            ports=self.options.ports,
        )

    def _found(self, tokens: Tokens) -> None:
        options = self.options
        self.azure = LocalAzure(
            self.clock,
            self.storage.writer,
            speed=options.speed,
            seed=random.SystemRandom().getrandbits(64) if options.seed is None else options.seed,
            setting=self.setting,
            shape=VhdShape(
                size_mib=options.size_mib,
                payload_mib=options.payload_mib,
                fragment_kib=options.fragment_kib,
            ),
            background=self._background,
            tokens=tokens,
            dead_letters=options.state / "dead-letters.jsonl",
            kill_host=lambda: self.host.kill() if self.host else None,
        )
        self.storage.writer.on_vhd = lambda address, vhd: self.made.append((address, vhd))
        assign_roles(self.azure.roles, self.setting)
        provision(self.storage.writer, options.config)
        self.storage.open(
            roles=self.azure.roles,
            calls=self.azure.calls,
            faults=self.azure.faults,
            scope_of=self.azure.account_scope,
        )

    async def _listen(self, stack: AsyncExitStack, made: Certificates) -> None:
        headers = {secrets.token_hex(32): FACTORY, secrets.token_hex(32): OPERATOR}
        azure, tls = self.azure, made.server_context()
        identity = IdentityEndpoint(self.clock, azure.tokens, azure.faults, azure.calls, headers)

        async def listen(name: str, handler: Handler, secure: bool = True) -> str:
            port = self.options.ports.get(name, 0)
            listener = Listener(handler, port=port, tls=tls if secure else None)
            return (await stack.enter_async_context(listener)).url

        eventgrid = await listen("eventgrid", face_handler(azure.eventgrid))
        app_header, operator_header = headers
        keys = self._host_keys()
        self.published = Published(
            arm=await listen("arm", face_handler(azure.arm)),
            identity=await listen("identity", face_handler(identity), secure=False) + IDENTITY_PATH,
            eventgrid=eventgrid,
            functions=self._functions_url(),
            control=await listen("control", self.control.handle, secure=False),
            ca=str(made.ca),
            topic=f"{eventgrid}/topics/image-factory/api/events",
            subscription=self.setting.subscription,
            tenant=self.setting.tenant,
            resource_group=self.setting.group,
            identity_header=app_header,
            operator_identity_header=operator_header,
            functions_key=keys.function_keys["default"] if keys else None,
            master_key=keys.master_key if keys else None,
            event_grid_key=keys.system_keys[EVENT_GRID] if keys else None,
            pid=os.getpid(),
            **self.storage.endpoints,
        )

    def _host_keys(self) -> HostKeys | None:
        """The host keeps its keys in a file; made here, they are known before it runs."""
        if not self.options.with_functions:
            return None
        folder = self.options.state / "host"
        folder.mkdir(exist_ok=True)
        return load_keys(folder / "host.keys.json", [])

    def _functions_url(self) -> str:
        if not self.options.with_functions:
            return self.options.functions_url
        return f"http://127.0.0.1:{self.options.ports.get('functions') or _free_port()}"

    async def _functions(self, stack: AsyncExitStack) -> None:
        """The Functions host, unless it runs elsewhere, and the events that go to it."""
        options, state = self.options, self.options.state
        self.config = configured(options)
        schedules = (options.sources_schedule, options.sweep_schedule, options.retention_schedule)
        settings = app_settings(self.published, self.config, *schedules) | options.settings
        write_local_settings(state / "local.settings.json", settings)
        if options.with_functions:
            port = self.published.functions.rpartition(":")[2]
            where = ("--app", str(options.app), "--state", str(state / "host"), "--port", port)
            command = ("host", *where, "--lock-seconds", str(options.message_lock))
            log = state / "functions.log"
            self.host = HostProcess(command, settings, log, tell=self.tell, restart=options.restart_host)
            stack.push_async_callback(self.host.stop)
            await self.host.start()
        subscriptions = options.config.parent / "event-subscriptions.json"
        self.subscriptions = load_subscriptions(subscriptions) if subscriptions.exists() else ()
        session = await stack.enter_async_context(aiohttp.ClientSession())
        stack.push_async_callback(self._end_tasks)  # whoever delivers is done before the session closes
        courier = Courier(self.azure.eventgrid, self._webhook, self.clock, session=session)
        self._task(self._deliver(courier))

    def _webhook(self, subscription: EventSubscription) -> str:
        key = f"&code={self.published.event_grid_key}" if self.published.event_grid_key else ""
        base = f"{self.published.functions}/runtime/webhooks/EventGrid"
        return f"{base}?functionName={subscription.function}{key}"

    async def _deliver(self, courier: Courier) -> None:
        delivering = asyncio.create_task(courier.run())
        try:
            await courier.connect_when_there(self.subscriptions)
            self.subscribed.set()
            await delivering
        finally:
            delivering.cancel()
            with suppress(asyncio.CancelledError):
                await delivering

    async def _tick(self) -> None:
        """Let happen what is due. Requests do that by themselves; this is for when nobody asks."""
        while True:
            try:
                self.azure.tick()
                self.control.settle()
            except Exception:  # whatever one callback did wrong, time goes on for the others
                self.tell(f"Something that was due went wrong:\n{traceback.format_exc()}")
            due = self.azure.next_due()
            wait = _TICK if due is None else (due - self.clock.now()).total_seconds()
            await asyncio.sleep(min(_TICK, max(0.005, wait)))

    def _background(self, work: Callable[[], None], done: Callable[[], None]) -> None:
        async def aside() -> None:
            try:
                await asyncio.to_thread(work)
            except (
                Exception
            ):  # whatever it was, the run that waits for it has to go on, and people have to know
                self.tell(f"Writing for Image Builder failed:\n{traceback.format_exc()}")
            done()

        self._task(aside())

    def _task(self, work: Coroutine[Any, Any, object]) -> None:
        task: asyncio.Task[object] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.tell("".join(traceback.format_exception(error)))

    async def _end_tasks(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _clear(state: Path) -> None:
    """A new world starts empty; only certificates and the host's keys are worth keeping."""
    state.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(state / "azurite", ignore_errors=True)
    shutil.rmtree(state / "host" / "timers", ignore_errors=True)
    for name in ("functions.log", "dead-letters.jsonl"):
        (state / name).unlink(missing_ok=True)


def _free_port() -> int:
    """The host keeps its port over restarts, so it is chosen here."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

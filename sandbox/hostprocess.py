"""The Functions host as a process of its own, whose death the world survives."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from sandbox.leash import LEASH

_RESTART_DELAY: Final = 1.0
_STOP_PATIENCE: Final = 10.0
_CANNOT_LOAD: Final = 3  # what the host says when starting it again would not help


class HostProcess:
    """Starts, kills and restarts the host; `tell` gets a sentence for people on every change."""

    def __init__(
        self,
        command: tuple[str, ...],
        environment: Mapping[str, str],
        log: Path,
        *,
        tell: Callable[[str], None],
        restart: bool = True,
    ) -> None:
        self._command = command
        self._environment = environment
        self._log = log
        self._tell = tell
        self.restart = restart
        self.starts = 0
        self.last_exit: int | None = None
        self._wanted = False
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def start(self) -> None:
        """Start it unless it runs already."""
        self._wanted = True
        if self.pid is not None:
            return
        with self._log.open("ab") as log:
            self._process = await self._spawn(log)
        self.starts += 1
        self._watch = asyncio.create_task(self._watched(self._process))

    async def _spawn(self, log: IO[bytes]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sandbox",
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, **self._environment, LEASH: "1"},
            start_new_session=True,  # Ctrl-C is for the supervisor, which then stops its children in order
        )

    def kill(self) -> None:
        """SIGKILL, as if the machine had lost power. Whether it comes back is up to `restart`."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)

    async def stop(self) -> None:
        """Stop it gently, and do not start it again by itself."""
        self._wanted = False
        process = self._process
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_PATIENCE)
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._watch is not None and self._watch is not asyncio.current_task():
            self._watch.cancel()

    async def _watched(self, process: asyncio.subprocess.Process) -> None:
        status = await process.wait()
        self.last_exit = status
        if not self._wanted:
            return
        again = self.restart and status != _CANNOT_LOAD
        self._tell(
            f"The Functions host ended with {status}; "
            + (
                f"it starts again in {_RESTART_DELAY:g} s."
                if again
                else f"see {self._log}, then `python -m sandbox host start`."
            )
        )
        if again:
            await asyncio.sleep(_RESTART_DELAY)
            if self._wanted:
                await self.start()

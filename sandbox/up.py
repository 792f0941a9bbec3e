"""`python -m sandbox up`: start the world, say where it is and what to try, stop it when asked."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from sandbox import endpoints
from sandbox.endpoints import NotRunning
from sandbox.options import Options, parse
from sandbox.overlay import OverlayFault
from sandbox.running import RunningSandbox
from sandbox.storage.azurite import AzuriteFailed

_PATIENCE: Final = timedelta(seconds=60)
_WATCH: Final = 0.5


def run(argv: Sequence[str]) -> int:
    options = parse(argv)
    try:
        other = endpoints.read(options.state)
    except NotRunning:
        try:
            return asyncio.run(_up(options))
        except (AzuriteFailed, OverlayFault, OSError) as failed:
            _tell(f"The sandbox cannot start: {failed}")
            return 1
    where = f"{options.state} (process {other.pid})"
    _tell(f"A sandbox runs on {where} already: stop it, or choose another --state.")
    return 1


async def _up(options: Options) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    async with RunningSandbox(options, tell=_tell) as sandbox:
        ready = asyncio.create_task(_announce(sandbox))
        status = await _until(stop, sandbox)
        ready.cancel()
        await asyncio.gather(ready, return_exceptions=True)
    _tell("Stopped.")
    return status


async def _until(stop: asyncio.Event, sandbox: RunningSandbox) -> int:
    """Wait for the signal; nothing is left to wait for when storage has died."""
    while not stop.is_set():
        if not sandbox.storage.azurite.alive():
            log = sandbox.options.state / "azurite" / "azurite.log"
            _tell(f"Azurite ended by itself, and nothing works without it. Its last words are in {log}.")
            return 1
        try:
            await asyncio.wait_for(stop.wait(), _WATCH)
        except TimeoutError:
            continue
    return 0


async def _announce(sandbox: RunningSandbox) -> None:
    _tell(_addresses(sandbox))
    missing = await wait_for(sandbox)
    if missing:
        log = sandbox.options.state / "functions.log"
        _tell(f"Still no answer from: {', '.join(missing)}. The app's output is in {log}.")
        missing = await wait_for(sandbox, None)
    if sandbox.options.with_functions:
        from sandbox.health import wait_for_first_look

        await wait_for_first_look(sandbox, timedelta(seconds=sandbox.options.first_look))
    _tell(_what_to_try(sandbox))
    _tell("ready")


async def wait_for(sandbox: RunningSandbox, patience: timedelta | None = _PATIENCE) -> list[str]:
    """Wait until all of it answers; without patience, for as long as it takes."""
    from sandbox.health import wait_until_ready

    return await wait_until_ready(sandbox, patience or timedelta(days=365))


def _tell(text: str) -> None:
    print(text, flush=True)


def _addresses(sandbox: RunningSandbox) -> str:
    at = sandbox.published
    rows = {
        "Resource Manager": at.arm,
        "Managed identity": at.identity,
        "Blobs": at.blob,
        "Queues": at.queue,
        "Tables": at.table,
        "Event Grid": at.topic,
        "Functions": at.functions,
        "Control": at.control,
        "Certificate": at.ca,
        "Configuration": _short(sandbox.config),
        "All of it": str(sandbox.options.state / endpoints.FILE),
    }
    return "\n".join(f"{name + ':':<18}{value}" for name, value in rows.items())


def _what_to_try(sandbox: RunningSandbox) -> str:
    at, options = sandbox.published, sandbox.options
    python, state = _short(Path(sys.executable)), _short(options.state)
    me = f"{python} -m sandbox"
    suffix = "" if state == ".sandbox" else f" --state {state}"
    app = "" if options.with_functions else _elsewhere(options)
    return f"""{app}
Try next:
  a new version of Ubuntu:   {me} new-version{suffix} \\
                               Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2 22.04.202611010
  a release, ring by ring:   {me} new-version{suffix} \\
                               MicrosoftWindowsServer:WindowsServer:2022-datacenter-g2 20348.4405.261114
                             {me} control{suffix} GET /galleries
  a look by hand:            curl -X POST -H 'x-functions-key: {at.functions_key or "KEY"}' \\
                               {at.functions}/api/v1/images/ubuntu-22/look
  a fault:                   {me} fault{suffix} blob drop --when after --path comp=page --nth 3
  a power cut:               {me} host kill{suffix}
  what was asked of Azure:   {me} calls{suffix} --principal factory
  what the app says:         tail -f {_short(options.state / "functions.log")}
  Azure by curl:             curl --cacert {_short(Path(at.ca))} \\
                               -H "Authorization: Bearer $({me} token{suffix})" \\
                               '{at.arm}/subscriptions?api-version=2022-12-01'
  azure-cli:                 see "The sandbox and azure-cli" in the README
"""


def _elsewhere(options: Options) -> str:
    settings = _short(options.state / "local.settings.json")
    return (
        "\nThe app runs elsewhere: copy the settings beside function_app.py and start it:\n"
        f"  cp {settings} local.settings.json && func start\n"
        f"Events go to {options.functions_url} as soon as it answers there.\n"
    )


def _short(path: Path) -> str:
    here = Path.cwd()
    return os.fspath(path.relative_to(here)) if path.is_relative_to(here) else os.fspath(path)

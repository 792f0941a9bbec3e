"""`make retention-plan`: what retention would do, of a running sandbox, or of the demo's world without one.

The world of its own is gone afterwards. It has no Functions host, so nothing in it acts: a plan is computed
by whoever asks for it, from what is there.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from sandbox import endpoints
from sandbox.demo import history
from sandbox.demo.scene import DEVELOPERS, ROOT, options
from sandbox.health import wait_until_ready
from sandbox.options import STATE
from sandbox.running import RunningSandbox
from sandbox.storage.azurite import AzuriteFailed

_READY: Final = timedelta(seconds=60)


def run(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox retention-plan",
        description=__doc__,
        epilog="Anything else is handed on to `retention plan`, such as --going or --json.",
    )
    parser.add_argument("--state", type=Path, default=STATE, metavar="DIR", help=f"of a sandbox ({STATE})")
    given, more = parser.parse_known_args(argv)
    state = given.state.resolve()
    try:
        endpoints.read(state)
    except endpoints.NotRunning:
        return asyncio.run(_of_a_world_of_its_own(more))
    _say(f"Of the sandbox that runs on {given.state}:\n")
    return _ask(state, "plan", *more)


async def _of_a_world_of_its_own(more: Sequence[str]) -> int:
    """The demo's configuration and the history of its third story, taken over as the demo does it."""
    with tempfile.TemporaryDirectory(prefix="image-factory-plan-") as folder:
        world = replace(options(Path(folder)), with_functions=False)
        try:
            async with RunningSandbox(world, tell=_say) as sandbox:
                return await _planned(sandbox, more)
        except (AzuriteFailed, OSError) as failed:
            _say(f"The demo's world cannot start: {failed}")
            return 1


async def _planned(sandbox: RunningSandbox, more: Sequence[str]) -> int:
    if missing := await wait_until_ready(sandbox, _READY):
        _say(f"No answer within {_READY.seconds} s from: {', '.join(missing)}")
        return 1
    _say(f"No sandbox runs, so this is the demo's world: {DEVELOPERS} with a history that is taken over.\n")
    history.remember(sandbox)
    state = sandbox.options.state
    status = await asyncio.to_thread(_ask, state, "adopt", DEVELOPERS, "--image", DEVELOPERS, aside=True)
    return status or await asyncio.to_thread(_ask, state, "plan", *more)


def _ask(state: Path, *arguments: str, aside: bool = False) -> int:
    """The app's own command line with the settings of that sandbox; `aside` from what is piped on."""
    settings = msgspec.json.decode((state / "local.settings.json").read_bytes())["Values"]
    command = (sys.executable, "-m", "shared.cli", "retention", *arguments)
    out = sys.stderr.fileno() if aside else None
    told = subprocess.run(command, check=False, cwd=ROOT, env={**os.environ, **settings}, stdout=out)
    return told.returncode


def _say(text: str) -> None:
    """Beside the plan: what is piped on is the plan alone."""
    print(text, file=sys.stderr, flush=True)

"""The app's own command line, asked as its operators ask it: in a process of its own, with its settings."""

import asyncio
import os
import sys
from datetime import datetime
from typing import Any, Final

import msgspec

from sandbox.demo.alarms import Deviation
from sandbox.demo.scene import ROOT
from sandbox.running import RunningSandbox

_PATIENCE: Final = 30.0


class Line(msgspec.Struct, frozen=True):
    """One line of the journal."""

    at: datetime
    what: str
    why: str


class Surface:
    def __init__(self, sandbox: RunningSandbox) -> None:
        self._sandbox = sandbox

    async def baseline(self, image: str) -> str | None:
        """Return the version that the factory has taken note of for the image, once it has."""
        for each in (await self.status())["images"]:
            if each["name"] == image and each["record"] and each["record"]["baseline"]:
                text: str = each["record"]["baseline"]["text"]
                return text
        return None

    async def status(self) -> dict[str, Any]:
        document: dict[str, Any] = msgspec.json.decode(await self._ask("status", "--json"))
        return document

    async def journal(self, image: str) -> list[Line]:
        lines = (await self._ask("journal", image, "--json")).splitlines()
        return [msgspec.json.decode(line, type=Line) for line in lines]

    async def lineage(self, thing: str) -> list[str]:
        return (await self._ask("lineage", thing)).decode().splitlines()

    async def adopt(self, definition: str, image: str) -> None:
        await self._ask("retention", "adopt", definition, "--image", image)

    async def plan(self) -> tuple[list[str], dict[str, Any]]:
        """What retention says of gallery versions: as people read it, and as data."""
        shown, told = await asyncio.gather(
            self._ask("retention", "plan", "--kind", "gallery_version"),
            self._ask("retention", "plan", "--json"),
        )
        return shown.decode().splitlines(), msgspec.json.decode(told)

    async def _ask(self, *arguments: str) -> bytes:
        settings = msgspec.json.decode((self._sandbox.options.state / "local.settings.json").read_bytes())
        command = (sys.executable, "-m", "shared.cli", *arguments)
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env={**os.environ, **settings["Values"]},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), _PATIENCE)
        except TimeoutError as error:
            raise Deviation(f"`python -m shared.cli {' '.join(arguments)}` did not end") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            said = err.decode("utf-8", "replace").strip().splitlines() or [
                f"exit status {process.returncode}"
            ]
            raise Deviation(f"`python -m shared.cli {' '.join(arguments)}` failed: {said[-1]}")
        return out

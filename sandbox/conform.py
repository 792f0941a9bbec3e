"""Plays recordings of the real Resource Manager against this one, over TLS, and says what conforms."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.arm.imagebuilder.schema import TYPE
from sandbox.arm.storage import BlobAddress
from sandbox.azure import LocalAzure
from sandbox.clock import WallClock
from sandbox.identity.tokens import OPERATOR
from sandbox.prerequisites import prepare
from sandbox.serve import Listener, face_handler
from sandbox.tls import certificates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.tls import Certificates
    from sandbox.vhd import Vhd

SPEED = 60.0
REPLAY = "replay.py"
_COUNT = re.compile(r"^(\d+) of (\d+) recorded interactions conform$", re.MULTILINE)
_COMPUTE = ("galleries", "disks", "snapshots", "images", "virtualMachines")
TYPES = ",".join((TYPE, *(f"Microsoft.Compute/{kind}" for kind in _COMPUTE)))


def run(arguments: Sequence[str]) -> int:
    """0 where everything conforms, 1 where something does not, 2 where there is nothing to play."""
    parser = argparse.ArgumentParser(prog="python -m sandbox conform", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder with recordings (*.json)")
    parser.add_argument("--types", default=TYPES, help="comma-separated resource types to play")
    parser.add_argument("--speed", type=float, default=SPEED, help="divides the durations of operations")
    parser.add_argument("--verbose", action="store_true", help="hand --verbose on to the player")
    options = parser.parse_args(arguments)
    files = {path: found for path in sorted(options.folder.glob("*.json")) if (found := _recording(path))}
    player = next((path for path in _players(options.folder) if path.exists()), None)
    if not files or player is None:
        missing = (
            f"{REPLAY} is neither in it nor in ../shared/wire" if files else "no recording (*.json) is in it"
        )
        print(f"nothing to play from {options.folder}: {missing}", file=sys.stderr)
        return 2
    return asyncio.run(_play(player, files, options))


def _players(folder: Path) -> tuple[Path, ...]:
    here = Path(__file__).resolve().parents[1]
    return (folder / REPLAY, here.parent / "shared" / "wire" / REPLAY)


def _recording(path: Path) -> list[dict[str, Any]]:
    """The interactions of a file; none where it is something else, such as examples of a specification."""
    found = json.loads(path.read_bytes())
    is_recording = isinstance(found, list) and all(
        isinstance(each, dict) and {"request", "response"} <= each.keys() for each in found
    )
    return found if is_recording else []


async def _play(player: Path, files: Mapping[Path, list[dict[str, Any]]], options: argparse.Namespace) -> int:
    """Each recording gets a world of its own: recorders give the same names to many."""
    with tempfile.TemporaryDirectory(prefix="sandbox-conform-") as state:
        tls, seen = certificates(Path(state)), []
        for path, interactions in files.items():
            seen.append(await _play_one((player, path), interactions, tls, options))
    good, total = sum(each.good for each in seen), sum(each.total for each in seen)
    print(f"{good} of {total} recorded interactions conform")
    return 0 if all(each.conforms for each in seen) else 1


async def _play_one(
    paths: tuple[Path, Path],
    interactions: list[dict[str, Any]],
    tls: Certificates,
    options: argparse.Namespace,
) -> _Outcome:
    player, recording = paths
    azure = LocalAzure(WallClock(), _Scratch(), speed=options.speed)
    for line in prepare(azure, interactions, options.types.split(",")):
        print(f"{recording.name}: there before the recording began: {line}", flush=True)
    async with Listener(face_handler(azure.arm), tls=tls.server_context()) as arm:
        token = azure.tokens.issue(OPERATOR, arm.url, azure.clock.now(), timedelta(hours=1))
        words = ["--base", arm.url, "--ca", str(tls.ca), "--token", token, "--types", options.types]
        words += ["--verbose"] if options.verbose else []
        command = (sys.executable, str(player), *words, str(recording))
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        said, _ = await process.communicate()
    text = said.decode(errors="replace")
    print(_COUNT.sub("", text).rstrip("\n"), flush=True)
    counted = _COUNT.findall(text)
    good, total = map(int, counted[-1]) if counted else (0, 0)
    # A recording of which nothing was to be played has nothing against it, whatever the player makes of that.
    return _Outcome(good, total, process.returncode == 0 or (bool(counted) and total == 0))


@dataclass(frozen=True, slots=True)
class _Outcome:
    good: int
    total: int
    conforms: bool


class _Scratch:
    """Storage as far as Resource Manager can tell: recordings hold no request to storage itself."""

    def __init__(self) -> None:
        self._accounts: set[str] = set()
        self._sizes: dict[BlobAddress, int] = {}

    def create_account(self, account: str) -> None:
        self._accounts.add(account)

    def delete_account(self, account: str) -> None:
        self._accounts.discard(account)

    def account_exists(self, account: str) -> bool:
        return account in self._accounts

    def write_vhd(self, address: BlobAddress, vhd: Vhd, _metadata: Mapping[str, str]) -> None:
        """Nobody will read it; how large it is matters to disks."""
        self._sizes[address] = vhd.size

    def write_text(self, address: BlobAddress, text: str) -> None:
        self._sizes[address] = len(text.encode())

    def delete_blob(self, address: BlobAddress) -> None:
        self._sizes.pop(address, None)

    def read(self, _address: BlobAddress) -> bytes | None:
        return None

    def size(self, address: BlobAddress) -> int | None:
        return self._sizes.get(address)

    def url(self, address: BlobAddress) -> str:
        return f"https://{address.account}.blob.core.windows.net/{address.container}/{address.name}"

    def parse(self, url: str) -> BlobAddress | None:
        host, _, path = url.removeprefix("https://").partition("/")
        container, _, name = path.partition("/")
        account = host.removesuffix(".blob.core.windows.net")
        return BlobAddress(account, container, name) if account != host and container else None

"""The demo from beginning to end, and its exit status: 0 only if everything was as it should be."""

import argparse
import asyncio
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

import aiohttp
from rich.console import Console

from sandbox import endpoints
from sandbox.demo import history, retention, screen
from sandbox.demo.alarms import Deviation, check
from sandbox.demo.evidence import Evidence
from sandbox.demo.galleries import VERSION, Galleries
from sandbox.demo.proof import Archived, prove
from sandbox.demo.reading import Reader, Unreadable
from sandbox.demo.releases import Latest, latest_everywhere, missing_links, tracks
from sandbox.demo.scene import DEVELOPERS, PAGE_BLOBS, UBUNTU, WINDOWS, Scene, options
from sandbox.demo.screen import Timeline
from sandbox.demo.steps import STORY, Step
from sandbox.demo.surface import Surface
from sandbox.demo.watch import follow
from sandbox.health import wait_until_ready
from sandbox.running import RunningSandbox
from sandbox.storage.azurite import AzuriteFailed
from sandbox.storage.limits import Limits
from sandbox.storage.writer import StorageFailed

_READY: Final = timedelta(seconds=60)
_BASELINE: Final = timedelta(seconds=30)
_RECORDED: Final = timedelta(seconds=10)
_REFRESH: Final = 0.1
_WRONG: Final = (
    Deviation,
    Unreadable,
    AzuriteFailed,
    StorageFailed,
    OSError,
    HTTPException,
    aiohttp.ClientError,
)
"""What may go wrong with the story, and with the world that it is played in."""
STOPPED: Final = 130  # as shells know a program that Ctrl-C ended


def run(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox demo", description=__doc__)
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="keep everything there (a temporary folder)"
    )
    given = parser.parse_args(argv)
    state = given.state.resolve() if given.state else Path(tempfile.mkdtemp(prefix="image-factory-demo-"))
    out = screen.console()
    if _is_taken(state):
        out.print(f"A sandbox runs on {state} already: stop it, or choose another --state.")
        return 1
    status = 1
    try:
        status = asyncio.run(_demo(state, out))
    except (KeyboardInterrupt, asyncio.CancelledError):
        out.print("\nStopped; nothing is left running.")
        status = STOPPED
    finally:
        if status in (0, STOPPED) and given.state is None:
            shutil.rmtree(state, ignore_errors=True)
    return status


def _is_taken(state: Path) -> bool:
    try:
        endpoints.read(state)
    except endpoints.NotRunning:
        return False
    return True


async def _demo(state: Path, out: Console) -> int:
    told: list[str] = []
    task = asyncio.current_task()
    if task is not None:  # SIGTERM ends it as Ctrl-C does: everything that was started is stopped
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await _play(state, out, told)
    except _WRONG as error:
        logs = f"The app's output is in {state / 'functions.log'}."
        screen.deviation(out, str(error), [*told, logs])
        return 1
    return 0


async def _play(state: Path, out: Console, told: list[str]) -> None:
    began = time.monotonic()
    screen.opening(out)
    async with RunningSandbox(options(state), tell=told.append) as sandbox, Reader(sandbox) as reader:
        surface, galleries = Surface(sandbox), Galleries(sandbox)
        screen.started(out, await _prepared(sandbox, surface, UBUNTU), time.monotonic() - began)
        releasing = tracks(galleries)
        async with _timeline(out, sandbox.clock.now(), STORY, *releasing) as timeline:
            archived = await _archive(sandbox, reader, timeline)
            evidence = _appear(sandbox, timeline, WINDOWS)
            await follow(evidence, timeline, *releasing)
        await _tell(out, surface, archived, list(latest_everywhere(galleries)), timeline.began)
        check(evidence)
        await _retire(sandbox, surface, out, timeline.began)
    screen.closing(out, time.monotonic() - began)


async def _archive(sandbox: RunningSandbox, reader: Reader, timeline: Timeline) -> Archived:
    """The first story: what an Ubuntu build made is archived, and then read back."""
    sandbox.storage.page_blobs.limit(PAGE_BLOBS)
    evidence = _appear(sandbox, timeline, UBUNTU)
    await follow(evidence, timeline, STORY)
    sandbox.storage.page_blobs.limit(Limits())  # whoever reads it back need not wait for the simulation
    archived = await prove(evidence, reader)
    check(evidence)
    return archived


async def _retire(sandbox: RunningSandbox, surface: Surface, out: Console, began: datetime) -> None:
    """The third story: old versions go, what is needed stays, and a plan that is too eager is stopped."""
    stories = (retention.MARKING, retention.RETIRING, retention.STOPPED)
    async with _timeline(out, began, *stories) as timeline:
        evidence = Evidence(sandbox, DEVELOPERS, VERSION)
        history.remember(sandbox)
        out.print()
        timeline.begins(
            DEVELOPERS, f"has {len(history.AGES)} versions from before the factory", evidence.began
        )
        await surface.adopt(DEVELOPERS, DEVELOPERS)
        await follow(evidence, timeline, retention.MARKING)
        shown, plan = await surface.plan()
        screen.plan(out, "Retention", f"of {DEVELOPERS}, in the time in which owners can pin", shown)
        retention.check_plan(plan)
        out.print()
        await follow(evidence, timeline, retention.RETIRING)
        check(evidence)
        retention.check_survivors(sandbox)
        evidence = Evidence(sandbox, DEVELOPERS, VERSION)
        timeline.begins(history.EAGER_WORDS, "is the policy now", evidence.began)
        history.become_eager(sandbox.config)
        await follow(evidence, timeline, retention.STOPPED)
    shown, plan = await surface.plan()
    screen.plan(out, "What is left", f"of {DEVELOPERS}, and what such a policy would do", shown)
    retention.check_stopped(plan, evidence)
    retention.check_survivors(sandbox)
    check(evidence)


@asynccontextmanager
async def _timeline(out: Console, began: datetime, *stories: Sequence[Step]) -> AsyncIterator[Timeline]:
    """Shown, and kept moving while others wait for what comes next."""
    with Timeline(out, began, *stories) as timeline:
        refreshing = asyncio.create_task(_refresh(timeline))
        try:
            yield timeline
        finally:
            refreshing.cancel()


def _appear(sandbox: RunningSandbox, timeline: Timeline, scene: Scene) -> Evidence:
    """The version appears in the marketplace; everything else follows from that."""
    evidence = Evidence(sandbox, scene.image, scene.version, scene.template)
    timeline.appears(scene, evidence.began)
    sandbox.azure.catalogue.add_version(scene.publisher, scene.offer, scene.sku, scene.version)
    return evidence


async def _tell(
    out: Console, surface: Surface, archived: Archived, latest: list[Latest], began: datetime
) -> None:
    """What is there in the end, and what the factory's own command line says of it."""
    thing = f"{WINDOWS.image}/{VERSION}"
    lines, lineage, status = await asyncio.gather(
        surface.journal(UBUNTU.image), _lineage(surface, thing), surface.status()
    )
    screen.proven(out, archived)
    screen.journal(out, lines, UBUNTU)
    screen.where_latest(out, latest, began)
    screen.descent(out, lineage, thing)
    _nothing_failed(status)


async def _lineage(surface: Surface, thing: str) -> list[str]:
    """A version may be latest a moment before it is recorded which run it came from."""
    deadline = time.monotonic() + _RECORDED.total_seconds()
    while missing := missing_links(lines := await surface.lineage(thing)):
        if time.monotonic() > deadline:
            raise Deviation(f"the lineage of {thing} does not tell of {missing[0]!r}")
        await asyncio.sleep(_REFRESH)
    return lines


def _nothing_failed(status: dict[str, Any]) -> None:
    if status["failed"]:
        raise Deviation(f"failed work is recorded: {status['failed'][0]['why']}")


async def _prepared(sandbox: RunningSandbox, surface: Surface, scene: Scene) -> str:
    """Wait until the factory knows what is not new."""
    missing = await wait_until_ready(sandbox, _READY)
    if missing:
        raise Deviation(f"no answer within {_READY.seconds} s from: {', '.join(missing)}")
    return await _baseline(sandbox, surface, scene)


async def _baseline(sandbox: RunningSandbox, surface: Surface, scene: Scene) -> str:
    deadline = sandbox.clock.now() + _BASELINE
    while True:
        if baseline := await surface.baseline(scene.image):
            return baseline
        if sandbox.clock.now() > deadline:
            raise Deviation(f"{scene.image} had no baseline within {_BASELINE.seconds} s of the start")
        await asyncio.sleep(_REFRESH)


async def _refresh(timeline: Timeline) -> None:
    while True:
        timeline.refresh()
        await asyncio.sleep(_REFRESH)

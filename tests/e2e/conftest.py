"""Sandboxes as processes. One is shared by all tests of a worker that leave it as they found it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.worlds.factory import FactoryWorld
from tests.worlds.sandbox import SandboxProcess, sandbox_process

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
SMALL = ("--config", str(HERE / "config" / "factory.yaml"), "--speed", "600", "--vhd-payload", "1")


@pytest.fixture(scope="session")
def small_app() -> Path:
    return HERE / "app"


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory, small_app: Path) -> Iterator[SandboxProcess]:
    """A running sandbox with a small app of the tests' own."""
    with sandbox_process(tmp_path_factory.mktemp("sandbox"), *SMALL, app=small_app) as process:
        yield process


@pytest.fixture(
    scope="package"
)  # not the session: it works while nobody asks, and others need the processors
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FactoryWorld]:
    """The real app on a running sandbox: for tests that let versions appear, one after the other."""
    world = FactoryWorld(tmp_path_factory.mktemp("factory"))
    world.start()
    yield world
    assert world.sandbox.stop() == 0, world.sandbox.output()

"""Worlds that any test may ask for by name; each is started once per worker, when the first test wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.worlds.storage import StorageWorld


@pytest.fixture(scope="session")
def storage_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageWorld]:
    """Real storage: Azurite behind the sandbox's front, on loopback."""
    from tests.worlds.storage import StorageWorld  # half a second of SDKs that most tests can do without

    with StorageWorld(tmp_path_factory.mktemp("storage")).running() as world:
        yield world

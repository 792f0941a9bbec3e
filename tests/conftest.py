"""What holds for every test: how properties are tried, and worlds that any test may ask for by name.

A world is started once per worker, when the first test wants it. Properties give the same answer on a busy
machine, and the same one twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.worlds.storage import StorageWorld

settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def storage_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageWorld]:
    """Real storage: Azurite behind the sandbox's front, on loopback."""
    from tests.worlds.storage import StorageWorld  # half a second of SDKs that most tests can do without

    with StorageWorld(tmp_path_factory.mktemp("storage")).running() as world:
        yield world

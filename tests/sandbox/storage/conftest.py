from collections.abc import Iterator

import pytest

from tests.worlds.storage import StorageWorld


@pytest.fixture(autouse=True)
def _no_faults_left(storage_world: StorageWorld) -> Iterator[None]:
    yield
    storage_world.faults.clear()
    storage_world.limit()

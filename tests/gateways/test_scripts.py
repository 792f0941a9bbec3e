"""Scripts of templates: only those in the configured cloud's storage are asked for."""

import pytest

from sandbox.clock import VirtualClock
from shared.domain.errors import Missing
from shared.domain.ids import BlobAddress
from shared.gateways.scripts import StorageScripts
from tests.memory.blobs import MemoryBlobs

AT = BlobAddress("scripts", "scripts", "install agents.sh")
URL = "https://scripts.blob.core.windows.net/scripts/install%20agents.sh"


@pytest.fixture
def blobs() -> MemoryBlobs:
    blobs = MemoryBlobs(VirtualClock())
    blobs.create_account("scripts")
    blobs.plant(AT, [(0, b"one")], length=3, page_blob=False)
    return blobs


def test_an_etag_differs_once_the_script_has_changed(blobs: MemoryBlobs) -> None:
    scripts = StorageScripts("https://{account}.blob.core.windows.net", blobs)
    first = scripts.etag(URL)
    assert first == scripts.etag(URL)
    blobs.plant(AT, [(0, b"two")], length=3, page_blob=False)
    assert scripts.etag(URL) not in (first, None)


@pytest.mark.parametrize(
    "url",
    [
        "https://raw.githubusercontent.com/a/b/install.sh",
        "https://scripts.blob.core.windows.net.evil.example/scripts/install.sh",
        "https://scripts.blob.core.windows.net:8443/scripts/install.sh",
        "http://scripts.blob.core.windows.net/scripts/install.sh",
        f"{URL}?sv=2024-08-04&sr=b",
        "https://user@scripts.blob.core.windows.net/scripts/install.sh",
        "",
    ],
)
def test_nothing_is_asked_of_other_hosts_nor_with_a_signature(blobs: MemoryBlobs, url: str) -> None:
    assert StorageScripts("https://{account}.blob.core.windows.net", blobs).etag(url) is None


def test_a_script_that_is_not_there_is_missing(blobs: MemoryBlobs) -> None:
    blobs.delete_blob(AT)
    with pytest.raises(Missing):
        StorageScripts("https://{account}.blob.core.windows.net", blobs).etag(URL)

"""The memory as the storage that the sandbox's Image Builder writes to, so that a world needs no sockets."""

from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit

from sandbox.arm.storage import BlobAddress as SandboxAddress
from sandbox.vhd import Vhd
from shared.domain.ids import BlobAddress

from .blobs import MemoryBlobs

_HOST = ".blob.core.windows.net"


class MemoryStorage:
    """`sandbox.arm.storage.Storage` over MemoryBlobs."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        self.blobs = blobs

    def create_account(self, account: str) -> None:
        self.blobs.create_account(account)

    def delete_account(self, account: str) -> None:
        self.blobs.delete_account(account)

    def account_exists(self, account: str) -> bool:
        return self.blobs.account_exists(account)

    def write_vhd(self, address: SandboxAddress, vhd: Vhd, metadata: Mapping[str, str]) -> None:
        self.blobs.plant(_ours(address), vhd.extents, length=vhd.size, metadata=dict(metadata))

    def write_text(self, address: SandboxAddress, text: str) -> None:
        content = text.encode()
        self.blobs.plant(_ours(address), [(0, content)], length=len(content), page_blob=False)

    def delete_blob(self, address: SandboxAddress) -> None:
        self.blobs.delete_blob(_ours(address))

    def read(self, address: SandboxAddress) -> bytes | None:
        return self.blobs.content(_ours(address))

    def size(self, address: SandboxAddress) -> int | None:
        found = self.blobs.blobs(address.account).get(_ours(address))
        return found.length if found else None

    def url(self, address: SandboxAddress) -> str:
        return f"https://{address.account}{_HOST}/{address.container}/{quote(address.name)}"

    def parse(self, url: str) -> SandboxAddress | None:
        parts = urlsplit(url)
        account, container, name = (
            (parts.hostname or "").removesuffix(_HOST),
            *unquote(parts.path).lstrip("/").partition("/")[::2],
        )
        if parts.scheme != "https" or not (parts.hostname or "").endswith(_HOST) or not container:
            return None
        return SandboxAddress(account, container, name)


def _ours(address: SandboxAddress) -> BlobAddress:
    return BlobAddress(address.account, address.container, address.name)

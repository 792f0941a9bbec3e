"""What Image Builder does to storage, as a seam: real accounts in the running sandbox, memory in process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sandbox.vhd import Vhd

Background = Callable[[Callable[[], None], Callable[[], None]], None]
"""(work, done): does slow work aside, then `done` under the world's lock."""


def at_once(work: Callable[[], None], done: Callable[[], None]) -> None:
    work()
    done()


@dataclass(frozen=True, slots=True)
class BlobAddress:
    account: str
    container: str
    name: str


class Storage(Protocol):
    def create_account(self, account: str) -> None: ...

    def delete_account(self, account: str) -> None:
        """Every blob in it is gone, and later connections drop."""
        ...

    def account_exists(self, account: str) -> bool: ...

    def write_vhd(self, address: BlobAddress, vhd: Vhd, metadata: Mapping[str, str]) -> None:
        """A page blob; the container is made where it is missing."""
        ...

    def write_text(self, address: BlobAddress, text: str) -> None:
        """A block blob, for logs; the container is made where it is missing."""
        ...

    def delete_blob(self, address: BlobAddress) -> None:
        """Nothing happens where there is none."""
        ...

    def read(self, address: BlobAddress) -> bytes | None:
        """Scripts and the like; None where it cannot be reached."""
        ...

    def size(self, address: BlobAddress) -> int | None:
        """Bytes of a blob, as its length says; None where there is none."""
        ...

    def url(self, address: BlobAddress) -> str:
        """How clients reach it: https://127.0.0.1:port/account/container/name in the running sandbox."""
        ...

    def parse(self, url: str) -> BlobAddress | None:
        """That form and https://{account}.blob.core.windows.net/container/name; a missing name is ""."""
        ...

"""Accounts that come and go over a storage service that reads its accounts once, at its start.

Nothing signs the path of a request with a bearer token, so an account of the sandbox can stand for any
account of Azurite. Those that are known beforehand keep their name; the others (one per image template)
borrow one from a pool and give it back, emptied, when they vanish.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

POOL: Final = 256


class Accounts:
    def __init__(self, named: Iterable[str] = (), pool: int = POOL) -> None:
        self._named = frozenset(named)
        self._free = deque(f"pool{number:04}" for number in range(pool))
        self._physical: dict[str, str] = {}
        self.every_physical: tuple[str, ...] = (*sorted(self._named), *self._free)

    def physical(self, account: str) -> str | None:
        """Return the account of Azurite behind this one, None where no such account exists (any more)."""
        return self._physical.get(account)

    def open(self, account: str) -> str:
        found = self._physical.get(account)
        if found is None:
            found = account if account in self._named else self._borrow(account)
            self._physical[account] = found
        return found

    def close(self, account: str) -> str | None:
        """Make the account vanish at once; what is behind it has to be emptied, then given to `release`."""
        return self._physical.pop(account, None)

    def release(self, physical: str) -> None:
        if physical not in self._named:
            self._free.append(physical)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._physical))

    def _borrow(self, account: str) -> str:
        if not self._free:
            raise RuntimeError(
                f"No room for the storage account {account}: {len(self._physical)} exist already. "
                "Delete image templates that are no longer needed."
            )
        return self._free.popleft()

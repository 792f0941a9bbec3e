"""Customizers and validators without a machine: what can be seen to fail by looking at them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.inventory import Inventory

READ_BLOB = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
_EXIT = re.compile(r"(?:^|;|&&)\s*exit\s+(\d+)\s*(?:$|;)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Executed:
    """The log of what was done in order, and what stopped it."""

    log: tuple[str, ...]
    failure: str | None = None
    digest: str = ""


class Scripts:
    def __init__(self, fabric: Fabric, inventory: Inventory) -> None:
        self._fabric, self._inventory = fabric, inventory

    def content(self, uri: str, identities: tuple[str, ...]) -> bytes | None:
        """What is at an address; None where it cannot be reached.

        Storage of this world is really read, with the identity's roles. For others nothing
        leaves the machine: they count as reachable, with their address for content, unless their host
        ends in `.invalid`.
        """
        address = self._fabric.storage.parse(uri)
        if address is not None:
            account = self._inventory.account(address.account)
            if account is not None:
                allowed = any(
                    self._fabric.roles.allows(each, READ_BLOB, account.id, data=True) for each in identities
                )
                return self._fabric.storage.read(address) if allowed else None
        parts = urlsplit(uri)
        host = parts.hostname or ""
        return uri.encode() if parts.scheme == "https" and host and not host.endswith(".invalid") else None

    def checksum(self, step: dict[str, Any], identities: tuple[str, ...]) -> str | None:
        """The SHA-256 that Image Builder computes for a script whose checksum was not sent."""
        uri = step.get("scriptUri") or step.get("sourceUri")
        if not uri or step.get("sha256Checksum"):
            return None
        content = self.content(uri, identities)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def execute(self, steps: list[dict[str, Any]], identities: tuple[str, ...]) -> Executed:
        """In order, until one fails."""
        log: list[str] = []
        digest = hashlib.sha256()
        for position, step in enumerate(steps):
            name = step.get("name") or f"{step.get('type', 'step')} {position}"
            log.append(f"==> azure-arm: Provisioning with {step.get('type')}: {name}")
            digest.update(repr(sorted(step.items())).encode())
            failure = self._failure(step, name, identities, digest)
            if failure is not None:
                return Executed((*log, f"==> azure-arm: {failure}"), failure)
        return Executed((*log, "==> azure-arm: Provisioning finished."), digest=digest.hexdigest())

    def _failure(
        self, step: dict[str, Any], name: str, identities: tuple[str, ...], digest: hashlib._Hash
    ) -> str | None:
        uri = step.get("scriptUri") or step.get("sourceUri")
        if uri:
            content = self.content(uri, identities)
            if content is None:
                return f"{name}: could not download '{uri}': the URI is not accessible"
            digest.update(content)
            wanted, found = step.get("sha256Checksum", "").lower(), hashlib.sha256(content).hexdigest()
            if wanted and wanted != found and self._fabric.storage.parse(uri) is not None:
                return f"{name}: checksum of '{uri}' did not match: expected {wanted}, got {found}"
        return _exit_of(step, name)


def _exit_of(step: dict[str, Any], name: str) -> str | None:
    """An unconditional `exit N` in an inline command, where N is not what the step calls success."""
    valid = step.get("validExitCodes") or [0]
    found = _EXIT.search("\n".join(step.get("inline") or ()))
    if found is None or int(found.group(1)) in valid:
        return None
    return (
        f"{name}: script exited with non-zero exit status: {found.group(1)}. Allowed exit codes are: {valid}"
    )

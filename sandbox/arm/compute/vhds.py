"""VHDs in storage accounts as sources: there, in the region, the caller's to read, and a disk by length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.arm.compute import reading
from sandbox.arm.compute.sizes import GIB
from sandbox.arm.errors import bad_request
from sandbox.arm.inventory import ACCOUNTS

if TYPE_CHECKING:
    from sandbox.arm.context import Context
    from sandbox.arm.fabric import Fabric
    from sandbox.arm.inventory import Inventory

_FOOTER = 512
_MIB = 1024 * 1024


class Vhds:
    def __init__(self, fabric: Fabric, inventory: Inventory) -> None:
        self._fabric, self._inventory = fabric, inventory

    def disk_bytes(
        self, context: Context, uri: str, location: str, path: str, account_id: object = None
    ) -> int:
        """The size of the disk in a VHD. Raises ArmError naming what is wrong with the blob.

        With the account's id, as it must be given across subscriptions, its keys are asked for
        [Azure/azure-cli 12444].
        """
        if isinstance(account_id, str) and account_id:
            context.permit_linked(f"{ACCOUNTS}/listKeys/action", account_id)
            if self._fabric.records.get(account_id) is None:
                raise reading.not_found(account_id)
        address = self._fabric.storage.parse(uri)
        if address is None or not address.name:
            raise reading.invalid(path, f"The source blob URI '{uri}' of parameter '{path}' is invalid.")
        account = self._inventory.account(address.account)
        size = self._fabric.storage.size(address)
        if account is None or size is None:
            raise reading.invalid(path, f"The source blob '{uri}' does not exist.")
        if account.location != location:
            raise reading.invalid(
                path,
                f"The source blob '{uri}' is in a storage account of location '{account.location}': it must "
                f"be in '{location}'.",
            )
        return _virtual(uri, size)

    def size_gb(self, context: Context, uri: str, location: str, path: str, account_id: object = None) -> int:
        """The same in whole GB, as disks and images show it."""
        return whole_gb(self.disk_bytes(context, uri, location, path, account_id))


def _virtual(uri: str, size: int) -> int:
    """A fixed VHD is the disk and a footer; the message is the documented one."""
    virtual = size - _FOOTER
    if virtual <= 0 or virtual % _MIB:
        raise bad_request(
            "InvalidVhd",
            f"The VHD {uri} has an unsupported virtual size of {max(0, virtual)} bytes. "
            "The size must be a whole number (in MBs).",
        )
    return virtual


def whole_gb(size: int) -> int:
    """What is shown of 30 GiB and one MiB is 30 [a snapshot in ansible-collections/azure]."""
    return max(1, size // GIB)

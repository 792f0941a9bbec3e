"""Clients of Compute, one per subscription: what each costs to make is paid once."""

import threading
from typing import TYPE_CHECKING

from .connection import Connection

if TYPE_CHECKING:
    from azure.mgmt.compute import ComputeManagementClient


class ComputeClients:
    def __init__(self, endpoint: str, connection: Connection) -> None:
        self._endpoint = endpoint
        self._connection = connection
        self._clients: dict[str, ComputeManagementClient] = {}
        self._lock = threading.Lock()

    def of(self, subscription: str) -> "ComputeManagementClient":
        with self._lock:
            if subscription not in self._clients:
                from azure.mgmt.compute import ComputeManagementClient

                options = self._connection.arm_options(self._endpoint)
                self._clients[subscription] = ComputeManagementClient(subscription_id=subscription, **options)
            return self._clients[subscription]

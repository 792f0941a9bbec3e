"""The storage ports in memory, held by tests/gateways to the behaviour of the real ones."""

from .blobs import MemoryBlobs
from .ledger import MemoryLedger
from .queues import Delivered, MemoryQueues
from .storage import MemoryStorage

__all__ = ["Delivered", "MemoryBlobs", "MemoryLedger", "MemoryQueues", "MemoryStorage"]

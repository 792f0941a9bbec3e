"""Threads for work that waits for services, such as the requests of a copy."""

import contextvars
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")


class ThreadWorkers:
    """`ports.Workers`: at most `size` tasks at once, and none taken before a worker is free."""

    def __init__(self, size: int) -> None:
        self._size = max(1, size)

    def run(self, tasks: Iterable[T], work: Callable[[T], R]) -> Iterator[R]:
        from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

        waiting: set[Future[R]] = set()
        remaining = iter(tasks)
        failed: BaseException | None = None
        # Leaving the block, also when the consumer stops early, waits for those under way and no longer.
        with ThreadPoolExecutor(self._size, thread_name_prefix="worker") as pool:
            while True:
                while failed is None and len(waiting) < self._size:
                    try:
                        task = next(remaining)
                    except StopIteration:
                        break
                    # Each task gets its own copy of the context, so that logs keep their correlation id.
                    waiting.add(pool.submit(contextvars.copy_context().run, work, task))
                if not waiting:
                    break
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for each in done:
                    error = each.exception()
                    failed = failed or error
                    if error is None:
                        yield each.result()
        if failed is not None:
            raise failed

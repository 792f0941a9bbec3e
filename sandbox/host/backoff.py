"""How long a queue listener waits between two polls: the WebJobs SDK's randomised exponential back-off."""

import random
from datetime import timedelta
from typing import Final

MINIMUM: Final = timedelta(milliseconds=100)
_SPREAD: Final = 0.2


class Backoff:
    def __init__(self, maximum: timedelta, chance: random.Random) -> None:
        self._maximum = maximum
        self._chance = chance
        self._interval = timedelta(0)
        self._exponent = 0

    def next(self, *, found: bool) -> timedelta:
        """Return the next wait; `found` says whether there was a message since the last one."""
        if found:
            self._interval, self._exponent = MINIMUM, 1
        elif self._interval != self._maximum:
            wait = MINIMUM
            if self._exponent:
                factor = self._chance.uniform(1 - _SPREAD, 1 + _SPREAD)
                wait += MINIMUM * (factor * 2 ** (self._exponent - 1))
            if wait < self._maximum:
                self._interval, self._exponent = wait, self._exponent + 1
            else:
                self._interval = self._maximum
        return self._interval

"""The `limits` library's counting in memory, for many visitors at once."""

from __future__ import annotations

import time
from collections import deque

from limits.aio.storage import MemoryStorage

# After so many hits, keys that nobody used in their time are dropped.
_HITS_BETWEEN_CLEANINGS = 1000


class CleanMemoryStorage(MemoryStorage):
    """Takes the place of the library's own storage for memory://.

    That one looks through the hits of all keys, each in a thread, whenever one is counted.
    """

    STORAGE_SCHEME = ["async+memory"]

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: str) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        # The moments of the hits that count, oldest first, and for how long they do, by key.
        self._hits: dict[str, tuple[float, deque[float]]] = {}
        self._until_cleaning = _HITS_BETWEEN_CLEANINGS

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Whether there is room for `amount` hits, which then count for `expiry` seconds."""
        self._until_cleaning -= 1
        if self._until_cleaning <= 0:
            self._clean()
        hits = self._counting(key, expiry)
        if len(hits) + amount > limit:
            return False
        hits.extend([time.time()] * amount)
        self._hits[key] = expiry, hits
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the oldest hit that still counts was, in seconds of the epoch, and how many there are."""
        hits = self._counting(key, expiry)
        return (hits[0] if hits else time.time()), len(hits)

    async def reset(self) -> int:
        """Forgets everything; returns how many keys there were."""
        count = len(self._hits)
        self._hits.clear()
        return count

    def _counting(self, key: str, expiry: float) -> deque[float]:
        hits = self._hits.get(key, (expiry, deque()))[1]
        now = time.time()
        # A hit of the future is of a clock that was set back since.
        while hits and not now - expiry <= hits[0] <= now:
            hits.popleft()
        return hits

    def _clean(self) -> None:
        self._until_cleaning = _HITS_BETWEEN_CLEANINGS
        now = time.time()
        for key in [
            key for key, (expiry, hits) in self._hits.items() if not hits or not now - expiry <= hits[-1] <= now
        ]:
            del self._hits[key]

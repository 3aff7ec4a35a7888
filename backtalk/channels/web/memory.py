"""The `limits` library's counting in memory, with two faults of version 2.4.0 mended."""

from __future__ import annotations

import time
from typing import Text, Tuple

from limits.aio.storage import MemoryStorage

# After so many hits, keys that nobody used in their time are dropped.
_HITS_BETWEEN_CLEANINGS = 1000


class CleanMemoryStorage(MemoryStorage):
    """Takes the library's place for memory://. The library keeps a key for ever that was used once, and calls the newest hit of a
    moving window its start, which makes everybody wait for the whole window."""

    STORAGE_SCHEME = ["async+memory"]
    _hits = 0

    async def acquire_entry(self, key: Text, limit: int, expiry: int, amount: int = 1) -> bool:
        """Whether there is room for a hit, which then counts."""
        self._hits += 1
        if self._hits % _HITS_BETWEEN_CLEANINGS == 0:
            now = time.time()
            for unused in [name for name, hits in self.events.items() if not hits or hits[0].expiry <= now]:
                del self.events[unused]
        return await super().acquire_entry(key, limit, expiry, amount)

    async def get_moving_window(self, key: Text, limit: int, expiry: int) -> Tuple[float, int]:
        """When the oldest hit that still counts was, in seconds of the epoch, and how many there are."""
        now = time.time()
        times = [hit.atime for hit in self.events.get(key, ()) if hit.atime >= now - expiry]
        return (times[-1] if times else now), len(times)

"""How often a visitor and an address may ask."""

from __future__ import annotations

import ipaddress
import logging
import math
import time
from collections.abc import Sequence

from limits import RateLimitItem
from limits.aio.storage import Storage
from limits.aio.strategies import MovingWindowRateLimiter
from sanic.request import Request

from backtalk.channels.messages import EMERGENCY, BadRequest

logger = logging.getLogger(__name__)

# A visitor with IPv6 has a whole network of this size.
_IPV6_NETWORK = 64


class TooMany(BadRequest):
    """A request above its rate; `seconds` is how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(429, "too_many", f"That was a lot at once. Please wait a little and try again. {EMERGENCY}")
        self.headers = {"Retry-After": str(seconds)}


class Limits:
    """Counts requests in moving windows."""

    def __init__(self, storage: Storage) -> None:
        # The library itself holds its storage weakly.
        self._storage, self._limiter = storage, MovingWindowRateLimiter(storage)

    async def count(self, limits: Sequence[RateLimitItem], *who: str) -> None:
        """Counts a request of somebody. Raises TooMany when it is above one of the limits.

        Where the storage does not answer, the request goes on: a visitor in trouble is worth more than the limit.
        """
        for limit in limits:
            seconds = await self._wait(limit, *who)
            if seconds is not None:
                raise TooMany(seconds)

    async def _wait(self, limit: RateLimitItem, *who: str) -> int | None:
        """None when the request is within the limit, else the seconds until the next one is."""
        try:
            if await self._limiter.hit(limit, *who):
                return None
            reset, _ = await self._limiter.get_window_stats(limit, *who)
        except Exception:
            logger.exception("Requests cannot be counted")
            return None
        return max(1, math.ceil(reset - time.time()))


def address(request: Request) -> str:
    """The address that a request comes from, as it is counted: a whole network with IPv6.

    Behind proxies it is the one that they name in X-Forwarded-For, where SANIC_PROXIES_COUNT says how many proxies
    there are.
    """
    text = (request.remote_addr or request.ip or "").strip("[]")
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return text
    if found.version == 4:
        return text
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), _IPV6_NETWORK), strict=False))

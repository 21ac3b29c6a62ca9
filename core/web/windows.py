"""Counting in moving windows: in Redis for all processes, in this one's memory while there is none."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from redis import Redis
from redis.exceptions import RedisError

from core.log import get_logger
from core.typed import Rate

if TYPE_CHECKING:
    from limits.strategies import MovingWindowRateLimiter

log = get_logger(__name__)

_PREFIX = "jobstead:limit"
_PAUSE = 5.0  # seconds without asking a Redis that failed


@dataclass(frozen=True)
class Seen:
    """What one request found: whether it may go on, what is left, seconds until one more may."""

    allowed: bool
    left: int
    reset: float


class Windows:
    """Moving windows of one app. One atomic step takes a place in a window or finds it full."""

    def __init__(self, client: Redis | None) -> None:
        self._pool = client.connection_pool if client is not None else None
        self._away_until = float("-inf")
        self._lock = threading.Lock()

    def hit(self, key: str, rate: Rate, *, now: float) -> Seen:
        """Count one request for ``key``; what is refused is not counted. ``now`` in seconds since 1970."""
        if self._pool is not None and time.monotonic() >= self._away_until:
            try:
                return _hit(self._shared, key, rate, now)
            except RedisError as error:
                self._away_until = time.monotonic() + _PAUSE
                log.warning("rate limits are counted in each process", error=type(error).__name__)
        with self._lock:  # the library's own locks go while others still wait for them
            return _hit(self._own, key, rate, now)

    # made when first needed: loading the library takes a tenth of a second, and only web processes count
    @cached_property
    def _shared(self) -> MovingWindowRateLimiter:
        from limits.storage import RedisStorage
        from limits.strategies import MovingWindowRateLimiter

        storage = RedisStorage("redis://", connection_pool=self._pool, key_prefix=_PREFIX)
        return MovingWindowRateLimiter(storage)

    @cached_property
    def _own(self) -> MovingWindowRateLimiter:
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        return MovingWindowRateLimiter(MemoryStorage())


def _hit(limiter: Any, key: str, rate: Rate, now: float) -> Seen:
    from limits import RateLimitItemPerSecond

    item = RateLimitItemPerSecond(rate.amount, rate.seconds)
    allowed = limiter.hit(item, key)
    stats = limiter.get_window_stats(item, key)
    return Seen(allowed, max(0, stats.remaining), min(max(0.0, stats.reset_time - now), rate.seconds))

"""Redis as something that may be away: short waits, and none at all while a host does not answer."""

from __future__ import annotations

import time
from typing import Any, cast

from flask import current_app
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError, TimeoutError
from redis.retry import Retry

from .config import Config, ConfigError

CONNECT_TIMEOUT = 0.5  # seconds
OPERATION_TIMEOUT = 1.0  # seconds
_PAUSE = 5.0  # seconds without trying, after a host did not even refuse

KEY = "jobstead.redis"


def connect(config: Config, *, timeout: float | None = OPERATION_TIMEOUT) -> Redis | None:
    """A client of the configured Redis, or ``None`` where the instance does without.

    Nothing is sent yet. ``timeout`` bounds each operation in seconds; give ``None`` for a client that
    waits in blocking commands. Raises ``ConfigError`` for a URL that is none.
    """
    if config.redis.mode == "direct" or config.redis.url is None:
        return None
    try:
        pool = _Pool.from_url(
            config.redis.url.reveal(),
            socket_connect_timeout=CONNECT_TIMEOUT,
            socket_timeout=timeout,
            # The pool replaces connections that the server has closed. What fails then is told at
            # once; the client's own default would make a caller wait for seconds.
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        raise ConfigError(
            "redis.url (REDIS_URL) must begin with redis://, rediss:// or unix://: "
            "correct it, or leave it unset to use a server found or started here."
        ) from None
    return Redis(connection_pool=pool)


def redis() -> Redis | None:
    """The client of the running app, or ``None`` where it does without Redis."""
    return cast("Redis | None", current_app.extensions[KEY])


def available(client: Redis | None) -> bool:
    """Whether ``client`` is there and its server answers now; at most a second passes."""
    if client is None:
        return False
    try:
        return bool(client.ping())
    except (RedisError, OSError):
        return False


class _Pool(ConnectionPool):
    """Refuses at once for a while after connecting timed out, instead of making every caller wait."""

    _closed_until = 0.0

    def get_connection(self, *arguments: Any, **named: Any) -> Any:
        if time.monotonic() < self._closed_until:
            raise ConnectionError("Redis did not answer a moment ago and is left alone for a few seconds.")
        try:
            return super().get_connection(*arguments, **named)
        except TimeoutError:
            self._closed_until = time.monotonic() + _PAUSE
            raise

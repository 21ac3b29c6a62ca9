"""How Redis is, for the health routes."""

from __future__ import annotations

from typing import Any

from redis.exceptions import RedisError

from core.redis import redis


def redis_probe() -> dict[str, Any]:
    """``mode`` is ``redis`` or ``direct`` (none there, or none that answers); work goes on either way."""
    client = redis()
    if client is None:
        return {"status": "ok", "mode": "direct", "managed": False}
    managed = "path" in client.connection_pool.connection_kwargs  # a socket of ours, not an operator's server
    try:
        found: Any = client.info("memory")
    except RedisError as error:
        return {"status": "degraded", "mode": "direct", "managed": managed, "error": type(error).__name__}
    return {"status": "ok", "mode": "redis", "managed": managed, "memoryBytes": found.get("used_memory")}

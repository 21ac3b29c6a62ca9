"""JSON documents of issuers, fetched through core's guarded client and remembered for a while."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Generic, TypeVar

from core.api import OutgoingError, Unavailable, get_logger, http_client

log = get_logger(__name__)

FRESH_FOR = 3600.0  # seconds a document is believed without asking again
STALE_FOR = 86_400.0  # ... and while its server is out of order
PAUSE = 60.0  # seconds between two requests for a document that seems outdated
RETRY = 5.0  # seconds after a failure in which nobody tries again
MAX_BYTES = 131_072

T = TypeVar("T")


class Unusable(Exception):
    """A document that is not what it should be; the message is for our log."""


@dataclass
class _Kept(Generic[T]):
    value: T | None = None
    fetched: float = float("-inf")
    tried: float = float("-inf")
    lock: Lock = field(default_factory=Lock)


class Documents(Generic[T]):
    """Documents by address, each as ``parse`` made of it. Threads that ask at once fetch it once.

    ``parse`` raises ``Unusable``. Redirects are not followed, and an answer over 128 KiB is none.
    """

    def __init__(self, parse: Callable[[dict[str, Any]], T]) -> None:
        self._parse = parse
        self._kept: dict[str, _Kept[T]] = {}
        self._lock = Lock()

    def get(self, url: str) -> T:
        """The document. Raises ``Unavailable`` ``provider_unavailable`` where it cannot be had."""
        kept = self._entry(url)
        if kept.value is not None and time.monotonic() - kept.fetched < FRESH_FOR:
            return kept.value
        return self._fetched(url, kept, pause=RETRY)

    def again(self, url: str) -> T:
        """The document as it is now, for whoever misses something in it; asked for once a minute at most."""
        return self._fetched(url, self._entry(url), pause=PAUSE)

    def _entry(self, url: str) -> _Kept[T]:
        with self._lock:
            return self._kept.setdefault(url, _Kept())

    def _fetched(self, url: str, kept: _Kept[T], *, pause: float) -> T:
        with kept.lock:
            now = time.monotonic()
            if now - kept.tried >= pause:
                kept.tried = now
                try:
                    kept.value, kept.fetched = self._parse(fetch(url)), now
                except (OutgoingError, Unusable) as fault:
                    log.warning("an issuer's document cannot be had", url=url, reason=str(fault))
            if kept.value is None or now - kept.fetched >= STALE_FOR:
                raise unavailable()
            return kept.value


def fetch(url: str) -> dict[str, Any]:
    """The JSON object at ``url``. Raises ``OutgoingError`` and ``Unusable``."""
    with http_client(max_bytes=MAX_BYTES, headers={"accept": "application/json"}) as client:
        answer = client.get(url)
    if answer.status_code != 200:
        raise Unusable(f"status {answer.status_code}")
    return parsed(answer.content)


def parsed(content: bytes) -> dict[str, Any]:
    """``content`` as a JSON object. Raises ``Unusable``."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise Unusable("no JSON") from None
    if not isinstance(value, dict):
        raise Unusable("no JSON object")
    return value


def unavailable() -> Unavailable:
    """503 for whoever wants to get in while the issuer is out of order."""
    return Unavailable("The provider does not answer as it should.", code="provider_unavailable")

"""Calling other people's servers: vetted addresses only, within a time and a size, following nobody's lead.

A name is resolved once, every address it has must be permitted, and the connection goes to one of
exactly those, so that a second answer of the name server changes nothing. TLS still checks the name.
"""

from __future__ import annotations

import ssl
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpcore
import httpx

from core.config import Config

from .outgoing import DEADLINE, OutgoingError, Resolver, VettedNetwork, resolve
from .state import web

MAX_BYTES = 1_048_576
_HEADERS = {"accept": "*/*", "accept-encoding": "gzip", "user-agent": "Jobstead"}


class OutgoingClient:
    """Requests to the world outside. Close it, or use it as a context manager.

    ``timeout`` in seconds bounds a whole request, ``max_bytes`` its answer after decompression.
    Redirects are answers like any other, cookies are forgotten, proxies of the environment ignored.
    """

    def __init__(
        self,
        *,
        timeout: float,
        max_bytes: int = MAX_BYTES,
        headers: Mapping[str, str] | None = None,
        allow_http: bool = False,
        allow_networks: list[str] | tuple[str, ...] = (),
        resolver: Resolver = resolve,
    ) -> None:
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._headers = {**_HEADERS, **{name.lower(): value for name, value in (headers or {}).items()}}
        self._schemes = {"https", "http"} if allow_http else {"https"}
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(),
            max_connections=10,
            keepalive_expiry=15,
            network_backend=VettedNetwork(allow_networks, resolver),
        )

    def __enter__(self) -> OutgoingClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def get(self, url: str, **options: Any) -> httpx.Response:
        """``request("GET", ...)``."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        """``request("POST", ...)``."""
        return self.request("POST", url, **options)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        max_bytes: int | None = None,
        **body: Any,
    ) -> httpx.Response:
        """Ask and read the whole answer. ``body`` is httpx's ``json``, ``data``, ``content``, ``params``...

        Raises ``OutgoingError`` for an address that is not permitted, a timeout, an answer too large, or a
        connection that fails. Any status is an answer.
        """
        target = self._checked(url)
        wanted = {**self._headers, **{name.lower(): value for name, value in (headers or {}).items()}}
        request = httpx.Request(method, target, headers=wanted, **body)
        seconds = timeout if timeout is not None else self._timeout
        with _deadline(seconds), _told():
            answer = self._pool.handle_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=request.read(),
                    extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), seconds)},
                )
            )
            try:
                content = _read(answer, self._max_bytes if max_bytes is None else max_bytes)
            finally:
                answer.close()
        kept = [
            (k, v) for k, v in answer.headers if k.lower() not in (b"content-encoding", b"content-length")
        ]
        return httpx.Response(answer.status, headers=kept, content=content, request=request)

    def _checked(self, url: str) -> httpx.URL:
        if not url.isascii() or "\\" in url or any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
            raise OutgoingError("the address holds characters that are not allowed in one")
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL:
            raise OutgoingError("the address is not a URL") from None
        if target.scheme not in self._schemes or not target.host:
            raise OutgoingError(
                f"the address must begin with {' or '.join(f'{s}://' for s in sorted(self._schemes))}"
            )
        if target.userinfo:
            raise OutgoingError("the address must not hold a user name or password")
        return target


@cache
def _tls() -> ssl.SSLContext:
    """Reading the authorities' certificates takes tens of milliseconds: once a process."""
    return httpx.create_ssl_context(trust_env=False)


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    token = DEADLINE.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        DEADLINE.reset(token)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what httpcore raises into an ``OutgoingError`` that names no internal address."""
    try:
        yield
    except httpcore.TimeoutException:
        raise OutgoingError("it took too long to answer") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise OutgoingError(f"the connection failed ({type(error).__name__})") from error


def _read(answer: httpcore.Response, limit: int) -> bytes:
    """The body, unpacked, of at most ``limit`` bytes; a small answer cannot unpack into a huge one."""
    encodings = [value.strip().lower() for key, value in answer.headers if key.lower() == b"content-encoding"]
    if encodings not in ([], [b"identity"], [b"gzip"]):
        raise OutgoingError("the answer is encoded in a way that was not asked for")
    unpack = zlib.decompressobj(wbits=31) if encodings == [b"gzip"] else None
    parts: list[bytes] = []
    size = 0
    for chunk in answer.iter_stream():
        try:
            part = unpack.decompress(chunk, limit - size + 1) if unpack else chunk
        except zlib.error:
            raise OutgoingError("the answer is damaged") from None
        size += len(part)
        if size > limit:
            raise OutgoingError(f"the answer is larger than {limit} bytes")
        parts.append(part)
    if unpack is not None and parts and not unpack.eof:
        raise OutgoingError("the answer is damaged")
    return b"".join(parts)


def http_client(
    *, timeout: float | None = None, max_bytes: int = MAX_BYTES, headers: Mapping[str, str] | None = None
) -> OutgoingClient:
    """A client within what the operator allows (``[outgoing]``), whose ``timeout`` is the default."""
    config: Config = web().config
    return OutgoingClient(
        timeout=timeout if timeout is not None else config.outgoing.timeout.total_seconds(),
        max_bytes=max_bytes,
        headers=headers,
        allow_http=config.outgoing.allow_http,
        allow_networks=config.outgoing.allow_networks,
    )

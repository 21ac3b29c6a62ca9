"""The network under the outgoing client: resolves once, vets every address, and watches the clock."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextvars import ContextVar
from ipaddress import ip_network
from threading import Thread
from typing import Any

import httpcore

from .addresses import Address, permitted, plain

Resolver = Callable[[str, int], Sequence[str]]

DEADLINE: ContextVar[float | None] = ContextVar("outgoing_deadline", default=None)
"""When the request under way must be over, on the monotonic clock."""

_PUBLIC_PORTS = {80, 443}


class OutgoingError(Exception):
    """A request to another server was refused or failed; ``reason`` may be shown to whoever asked for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of ``host``. Raises ``OSError``."""
    return list(
        dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    )


class VettedNetwork(httpcore.NetworkBackend):
    """Opens connections to permitted addresses only.

    ``allowed`` are networks (CIDR) that the operator permits besides the public internet; there any
    port goes, elsewhere 80 and 443.
    """

    def __init__(self, allowed: Iterable[str], resolver: Resolver = resolve) -> None:
        self._allowed = [ip_network(network) for network in allowed]
        self._resolver = resolver
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = OutgoingError("the name of that server is not known")
        for address in self._vetted(host, port):
            try:
                stream = self._backend.connect_tcp(
                    str(address), port, _left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            if self._is_ours(stream, address):
                stream.close()
                raise OutgoingError("that address is this server's own")
            return TimedStream(stream)
        raise failure

    def _vetted(self, host: str, port: int) -> list[Address]:
        try:
            answers = _in_time(lambda: self._resolver(host, port))
            found = [plain(address.partition("%")[0]) for address in answers]
        except (OSError, UnicodeError, ValueError):
            raise OutgoingError("the name of that server is not known") from None
        for address in found:
            if not permitted(address, self._allowed):
                raise OutgoingError("that address is not on the public internet")
            if port not in _PUBLIC_PORTS and not self._is_allowed(address):
                raise OutgoingError("only ports 80 and 443 may be called")
        return found

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network for network in self._allowed)

    def _is_ours(self, stream: httpcore.NetworkStream, address: Address) -> bool:
        """Whether the other end is an address of this machine: then both ends have the same one."""
        sock = stream.get_extra_info("socket")
        return not self._is_allowed(address) and plain(sock.getsockname()[0].partition("%")[0]) == address


class TimedStream(httpcore.NetworkStream):
    """A connection whose every wait also ends at the request's deadline: dripping does not prolong it."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _in_time(ask: Callable[[], Sequence[str]]) -> Sequence[str]:
    """What ``ask`` returns or raises, unless the deadline comes first: name servers know no deadline."""
    outcome: Future[Sequence[str]] = Future()

    def run() -> None:
        try:
            outcome.set_result(ask())
        except Exception as error:
            outcome.set_exception(error)

    Thread(target=run, daemon=True, name="resolve").start()
    try:
        return outcome.result(_left(None))
    except TimeoutError:
        raise httpcore.ConnectTimeout("the name server did not answer") from None


def _left(timeout: float | None) -> float | None:
    end = DEADLINE.get()
    if end is None:
        return timeout
    left = end - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the deadline has passed")
    return left if timeout is None else min(timeout, left)

"""Addresses: which a server may call on somebody's behalf, and how a caller's is written down."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_COMPATIBLE = ip_network("::/96")
_TRANSLATED = ip_network("64:ff9b::/96")  # NAT64, RFC 6052
_REFUSED = [
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # parts of it pass is_global
        "192.88.99.0/24",  # 6to4 relays
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "fec0::/10",
    )
]


def plain(address: str | Address) -> Address:
    """``address`` without disguise: IPv4 written as IPv6 (``::ffff:a.b.c.d``, ``::a.b.c.d``) is IPv4."""
    parsed = ip_address(address) if isinstance(address, str) else address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return parsed.ipv4_mapped
        if parsed in _COMPATIBLE and int(parsed) > 1:
            return IPv4Address(int(parsed))
    return parsed


@lru_cache(maxsize=4096)
def written(address: str | None) -> str | None:
    """``address`` in its one spelling, of at most 45 characters; ``None`` for what is none."""
    try:
        return str(plain(address.partition("%")[0])) if address else None
    except ValueError:
        return None


def network_of(address: str | None, *, ipv4: int = 32) -> str:
    """Whose ``address`` it is taken for: of IPv6 the /64 that one customer has, of IPv4 so many bits.

    What is no address (a socket's peer) is ``unknown``, all of it together.
    """
    try:
        found = plain(address or "")
    except ValueError:
        return "unknown"
    bits = 64 if isinstance(found, IPv6Address) else ipv4
    return str(ip_network((found, bits), strict=False))


def permitted(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether ``address`` (a ``plain`` one) may be called.

    Everything on the public internet may, and what lies in ``allowed`` besides. An address that carries
    an IPv4 address inside (NAT64, 6to4, Teredo) needs both itself and that one to be fine.
    """
    inside = _carried(address)
    if inside is not None and not permitted(plain(inside), allowed):
        return False
    if any(address in network for network in allowed):
        return True
    if address.is_multicast or any(address in network for network in _REFUSED):
        return False
    return address.is_global


def _carried(address: Address) -> IPv4Address | None:
    if not isinstance(address, IPv6Address):
        return None
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.sixtofour or (address.teredo[1] if address.teredo else None)

"""Which addresses may be called, whatever they are dressed up as."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from core.web.addresses import permitted, plain


@pytest.mark.parametrize(
    ("address", "allowed", "may"),
    [
        ("8.8.8.8", [], True),
        ("2606:4700::1111", [], True),
        ("::ffff:8.8.8.8", [], True),
        ("::ffff:10.1.2.3", [], False),
        ("::10.1.2.3", [], False),
        ("10.1.2.3", ["10.0.0.0/8"], True),
        ("::ffff:10.1.2.3", ["10.0.0.0/8"], True),
        ("11.1.2.3", ["10.0.0.0/8"], True),
        ("192.0.0.192", [], False),
        ("192.88.99.1", [], False),
        ("198.18.0.1", [], False),
        ("240.0.0.1", [], False),
        ("255.255.255.255", [], False),
        ("64:ff9b::808:808", [], False),
        ("64:ff9b::808:808", ["64:ff9b::/96"], True),
        ("64:ff9b::a01:203", ["64:ff9b::/96"], False),
        ("64:ff9b::a01:203", ["64:ff9b::/96", "10.0.0.0/8"], True),
        ("64:ff9b:1::1", [], False),
        ("2002:808:808::1", [], False),
        ("2002:a01:203::1", ["2002::/16"], False),
        ("fd00::1", ["fd00::/8"], True),
        ("::1", [], False),
        ("::", [], False),
    ],
)
def test_permitted(address: str, allowed: list[str], may: bool) -> None:
    assert permitted(plain(address), [ip_network(network) for network in allowed]) is may

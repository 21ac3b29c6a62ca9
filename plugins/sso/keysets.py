"""Key sets of issuers (JSON Web Key Set, RFC 7517): public keys that may sign, and which one did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key

from .documents import Unusable

ALGORITHMS = ("RS256", "ES256")
"""What is accepted. Never ``none``, and never HS256: its key would be one that everybody can read."""

SHORTEST = 2048  # bits of an RSA key
_MOST = 100  # keys of one issuer


@dataclass(frozen=True)
class PublicKey:
    """A key that may verify what was signed by ``algorithm``."""

    kid: str | None
    algorithm: str
    key: RSAKey | ECKey


@dataclass(frozen=True)
class Keys:
    """The usable keys of one issuer."""

    keys: tuple[PublicKey, ...]

    def find(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """The one key that fits. Without ``kid`` only where nothing is to be chosen; two are none."""
        fitting = [k for k in self.keys if k.algorithm == algorithm and (kid is None or k.kid == kid)]
        return fitting[0] if len(fitting) == 1 else None


def keys_of(document: dict[str, Any]) -> Keys:
    """The keys of a key set; those of other kinds or for other uses are passed over. Raises ``Unusable``."""
    given = document.get("keys")
    if not isinstance(given, list) or len(given) > _MOST:
        raise Unusable("it holds no list of keys")
    found = [_public(each) for each in given if isinstance(each, dict)]
    return Keys(tuple(key for key in found if key is not None))


def _public(given: Mapping[str, Any]) -> PublicKey | None:
    algorithm = {"RSA": "RS256", "EC": "ES256"}.get(str(given.get("kty")))
    kid = given.get("kid")
    if algorithm is None or given.get("use", "sig") != "sig" or given.get("alg", algorithm) != algorithm:
        return None
    if kid is not None and not isinstance(kid, str):
        return None
    try:
        key = import_key({name: value for name, value in given.items() if name in _PARTS})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAKey) and key.public_key.key_size >= SHORTEST:
        return PublicKey(kid, algorithm, key)
    if isinstance(key, ECKey) and key.curve_name == "P-256":
        return PublicKey(kid, algorithm, key)
    return None


_PARTS = frozenset({"kty", "n", "e", "crv", "x", "y"})
"""What makes a public key; how it may be used is judged here, and a private part is not wanted."""

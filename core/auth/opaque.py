"""Credentials that say nothing: ``<kind>_<id>_<secret>``, of which only a hash of the secret is stored."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from uuid import UUID

_TEXT = re.compile(r"([a-z]{2})_([a-z2-7]{26})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class Opaque:
    """Which row a credential names, and what must stand there for it to hold."""

    id: UUID
    secret_hash: str


def read(text: str, *, kind: str) -> Opaque | None:
    """What ``text`` claims, or ``None`` where it has not the form of a credential of this kind."""
    parts = _TEXT.fullmatch(text)
    if parts is None or parts[1] != kind:
        return None
    return Opaque(UUID(bytes=base64.b32decode(f"{parts[2].upper()}======")), _hash(parts[3]))


def make(identifier: UUID, *, kind: str) -> tuple[str, str]:
    """A new credential for the row ``identifier``: its text, which exists only here, and the hash to keep."""
    secret = secrets.token_urlsafe(32)
    readable = base64.b32encode(identifier.bytes).decode().rstrip("=").lower()
    return f"{kind}_{readable}_{secret}", _hash(secret)


def _hash(secret: str) -> str:
    # 256 random bits: a plain hash cannot be searched, a slow one would only cost
    return hashlib.sha256(secret.encode()).hexdigest()

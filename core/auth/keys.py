"""Signing keys: made on first need, kept encrypted, published as a JWK set."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from joserfc.jwk import RSAKey
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from core.clock import utcnow
from core.crypto import keyring
from core.db import begin, db
from core.engine import emit

from .events import SigningKeyActivated
from .models import SigningKey

BITS = 3072
FRESH_FOR = 5.0  # seconds until the table is read again, and between reads that unknown key ids may cause


@dataclass
class SigningKeys:
    """The keys of one process: a dict by ``kid``, read from the table now and then."""

    _by_kid: dict[str, RSAKey] = field(default_factory=dict)
    _published: list[dict[str, Any]] = field(default_factory=list)
    _active: str = ""
    _read_at: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def active(self) -> tuple[str, RSAKey]:
        """The key that signs now, with its ``kid``."""
        self._refresh()
        return self._active, self._by_kid[self._active]

    def find(self, kid: str) -> RSAKey | None:
        """The key called ``kid``, if its tokens still count."""
        self._refresh()
        return self._by_kid.get(kid)

    def published(self) -> dict[str, Any]:
        """The JWK set: public parts of every key that is next, active or retiring.

        Told from memory where the database is away.
        """
        try:
            self._refresh()
        except SQLAlchemyError:
            if not self._published:
                raise
        return {"keys": self._published}

    def reread(self) -> None:
        """Look at the table at the next use: this process has changed it."""
        self._read_at = float("-inf")

    def _refresh(self) -> None:
        if time.monotonic() - self._read_at < FRESH_FOR and self._active:
            return
        with self._lock:
            if time.monotonic() - self._read_at < FRESH_FOR and self._active:
                return
            rows = _stored()
            if not any(row.state == "active" for row in rows):
                _make_first()
                rows = _stored()
            self._take(rows)

    def _take(self, rows: Iterable[SigningKey]) -> None:
        known, self._by_kid, self._published = self._by_kid, {}, []
        for row in rows:
            self._by_kid[row.kid] = known.get(row.kid) or RSAKey.import_key(_decrypted(row))
            self._published.append({**row.public, "kid": row.kid, "use": "sig", "alg": "RS256"})
            if row.state == "active":
                self._active = row.kid
        self._read_at = time.monotonic()


def _stored() -> list[SigningKey]:
    with begin(write=False):
        usable = select(SigningKey).where(SigningKey.purpose == "access", SigningKey.state != "gone")
        return list(db.session.execute(usable.order_by(SigningKey.created_at)).scalars())


def _make_first() -> None:
    """Add the first key; when another process was quicker, its key stands."""
    row = generated("active")
    row.activated_at = utcnow()
    try:
        with begin():
            db.insert(row)
            emit(SigningKeyActivated(kid=row.kid, before=None, leaked=False))
    except IntegrityError:
        return


def generated(state: str) -> SigningKey:
    """A new key pair, still to be stored. Takes up to a second: call it outside transactions."""
    key = RSAKey.generate_key(BITS)
    kid = key.thumbprint()  # RFC 7638
    private = keyring().encrypt(key.as_pem(private=True), aad=_bound_to(kid))
    return SigningKey(kid=kid, state=state, public=key.as_dict(private=False), private=private)


def _decrypted(row: SigningKey) -> bytes:
    return keyring().decrypt(row.private, aad=_bound_to(row.kid))


def _bound_to(kid: str) -> str:
    return f"core_signing_key|{kid}|access"

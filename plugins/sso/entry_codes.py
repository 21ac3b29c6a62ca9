"""Codes with which a frontend of another origin, or an app, fetches the session its person just earned."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from core.api import Problem, db, sign_in, update, utcnow

from .flow import challenge_of
from .models import EntryCode

LIFETIME = timedelta(seconds=60)


def issue(user_id: UUID, *, challenge: str, amr: list[str]) -> str:
    """A code for somebody who showed who they are, in the open unit of work; it exists only here."""
    code = secrets.token_urlsafe(32)
    db.insert(
        EntryCode(
            user_id=user_id,
            digest=_digest(code),
            challenge=challenge,
            amr=amr,
            expires_at=utcnow() + LIFETIME,
        )
    )
    return code


def exchange(code: str, verifier: str) -> dict[str, Any]:
    """What ``sign_in`` gives, for a code and the verifier of the challenge it was asked with.

    One atomic statement decides among callers. Raises ``Problem`` 400 ``invalid_code`` alike for a
    code that is unknown, used, older than a minute, or another's.
    """
    taken = db.session.execute(
        update(EntryCode)
        .where(
            EntryCode.digest == _digest(code),
            EntryCode.challenge == challenge_of(verifier),
            EntryCode.used_at.is_(None),
            EntryCode.expires_at > utcnow(),
        )
        .values(used_at=utcnow())
        .returning(EntryCode.user_id, EntryCode.amr)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if taken is None:
        raise Problem("This code does not hold (any more).", code="invalid_code")
    return sign_in(taken.user_id, amr=taken.amr)


def _digest(code: str) -> str:
    # 256 random bits: a plain hash cannot be searched
    return hashlib.sha256(code.encode()).hexdigest()

"""Changing the key that signs, with overlap: next → active → retiring → gone.

The next key is published a day before it signs, so that whoever keeps our key set has it by then.
The one before still verifies until the last token it signed has expired.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, update

from core.clock import utcnow
from core.db import begin, db
from core.engine import emit
from core.errors import Conflict

from .events import SigningKeyActivated, SigningKeyPublished
from .keys import generated
from .models import SigningKey
from .state import auth

EARLY = timedelta(hours=24)
"""How long a key is published before it signs."""

SPARE = timedelta(hours=1)
"""How long a key is kept after the last token it signed has expired."""

_ACCESS = SigningKey.purpose == "access"


@dataclass(frozen=True)
class KeyState:
    """One key and when it became what it is; ``due`` is when it may become the next thing."""

    kid: str
    state: str
    created_at: datetime
    activated_at: datetime | None
    retired_at: datetime | None
    due: datetime | None


def listed() -> list[KeyState]:
    """Every key there ever was, the newest first."""
    with begin(write=False):
        rows = db.session.execute(
            select(
                SigningKey.kid,
                SigningKey.state,
                SigningKey.created_at,
                SigningKey.activated_at,
                SigningKey.retired_at,
            )
            .where(_ACCESS)
            .order_by(SigningKey.created_at.desc(), SigningKey.id.desc())
        ).all()
    return [KeyState(*row, due=_due(row)) for row in rows]


def prepare() -> KeyState:
    """Publish a next key unless there is one, and return it."""
    auth().keys.active()  # there is a first one
    waiting = _next()
    if waiting is None:
        fresh = generated("next")
        with begin():
            _lock_active()
            if _next_row() is None:
                db.insert(fresh)
                emit(SigningKeyPublished(kid=fresh.kid))
        auth().keys.reread()
        waiting = _next()
    if waiting is None:
        raise Conflict("The keys are being rotated by somebody else.")
    return waiting


def rotate(*, at_once: bool = False, leaked: bool = False) -> bool:
    """Let the next key sign; false where it was not published for ``EARLY`` yet.

    ``at_once`` does not wait for that. ``leaked`` does not either, and trusts no older key any more:
    every access token ends, and is had anew by its refresh token. Raises ``Conflict`` where somebody
    else rotates at the same moment.
    """
    prepare()
    now = utcnow()
    with begin():
        active = _lock_active()
        following = _next_row()
        if active is None or following is None:
            raise Conflict("The keys are being rotated by somebody else.")
        if not (at_once or leaked) and following.created_at + EARLY > now:
            return False
        if leaked:
            _forget(SigningKey.state.in_(("active", "retiring")))
        else:
            _set(SigningKey.kid == active.kid, state="retiring", retired_at=now)
        _set(SigningKey.kid == following.kid, state="active", activated_at=now)
        emit(SigningKeyActivated(kid=following.kid, before=active.kid, leaked=leaked))
    auth().keys.reread()
    prepare()
    return True


def tidy() -> dict[str, int]:
    """Forget keys whose last token has expired, and have a next one published."""
    with begin():
        gone = _forget(
            SigningKey.state == "retiring", SigningKey.retired_at < utcnow() - auth().tokens.lifetime - SPARE
        )
    auth().keys.reread()
    prepare()
    return {"gone": gone}


def _due(row: Any) -> datetime | None:
    if row.state == "next":
        return row.created_at + EARLY  # type: ignore[no-any-return]
    if row.state == "retiring" and row.retired_at is not None:
        return row.retired_at + auth().tokens.lifetime + SPARE  # type: ignore[no-any-return]
    return None


def _next() -> KeyState | None:
    return next((key for key in listed() if key.state == "next"), None)


def _next_row() -> Row[str, datetime] | None:
    waiting = select(SigningKey.kid, SigningKey.created_at).where(_ACCESS, SigningKey.state == "next")
    return db.session.execute(waiting.order_by(SigningKey.created_at).limit(1)).one_or_none()


def _lock_active() -> Row[str] | None:
    """The key that signs, locked: who changes keys waits for whoever else does."""
    signing = select(SigningKey.kid).where(_ACCESS, SigningKey.state == "active")
    return db.session.execute(signing.with_for_update()).one_or_none()


def _forget(*which: Any) -> int:
    """Take keys out of use for good; what they signed with is not kept."""
    return _set(*which, state="gone", private="", retired_at=utcnow())


def _set(*which: Any, **values: Any) -> int:
    changed = (
        update(SigningKey)
        .where(_ACCESS, *which)
        .values(**values)
        .returning(SigningKey.id)
        .execution_options(synchronize_session=False)
    )
    return len(db.session.execute(changed).all())

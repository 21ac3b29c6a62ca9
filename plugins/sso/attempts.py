"""What we remember of somebody who went to a provider, until they come back: in their own browser, sealed.

Each attempt has a cookie of its own, named and sealed for its ``state``, so that an answer of the
provider is worth nothing in any other browser, and two tabs do not disturb each other.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from flask import Response, request

from core.api import DecryptError, Problem, begin, db, decrypt, encrypt, utcnow

from .models import SpentState

LIFETIME = timedelta(minutes=10)
_PREFIX = "__Host-jobstead_sso_"
_STATE = re.compile(r"[A-Za-z0-9_-]{43}")
_TABS = 8  # attempts a browser may have under way


@dataclass(frozen=True)
class Attempt:
    """One journey to a provider and back.

    ``challenge`` is a frontend's, for the code it gets; ``user_id`` and ``session_id`` are those of
    somebody signed in who links an account.
    """

    state: str
    provider: str
    nonce: str
    verifier: str
    target: str
    expires_at: int
    challenge: str | None = None
    user_id: str | None = None
    session_id: str | None = None


def start(
    provider: str,
    *,
    target: str,
    challenge: str | None = None,
    user_id: UUID | None = None,
    session_id: UUID | None = None,
) -> Attempt:
    """A new attempt; ``keep`` puts it into the answer."""
    return Attempt(
        state=secrets.token_urlsafe(32),
        provider=provider,
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        target=target,
        expires_at=int((utcnow() + LIFETIME).timestamp()),
        challenge=challenge,
        user_id=str(user_id) if user_id else None,
        session_id=str(session_id) if session_id else None,
    )


def keep(attempt: Attempt, answer: Response) -> None:
    """Put ``attempt`` into the browser, and take out what it has too many of."""
    sealed = encrypt(json.dumps(asdict(attempt)).encode(), aad=_aad(attempt.state))
    _put(answer, _cookie(attempt.state), sealed, int(LIFETIME.total_seconds()))
    others = [name for name in request.cookies if name.startswith(_PREFIX)]
    for name in others[: max(0, len(others) - _TABS + 1)]:
        _put(answer, name, "", 0)


def take(state: str, provider: str) -> Attempt:
    """The attempt that ``state`` belongs to, once. Raises ``Problem`` 400 ``invalid_state`` for one that
    this browser did not begin, that went to another provider, is older than ten minutes, or came before.

    Ends in a transaction of its own: whatever becomes of the rest, the state is spent.
    """
    attempt = _opened(state)
    if attempt is None or attempt.provider != provider or attempt.expires_at < utcnow().timestamp():
        raise _invalid()
    digest = hashlib.sha256(state.encode()).hexdigest()
    with begin():
        spent = db.session.execute(
            db.unit.upsert(SpentState)
            .values(digest=digest, expires_at=utcnow() + LIFETIME)
            .on_conflict_do_nothing(index_elements=[SpentState.digest])
            .returning(SpentState.id)
        ).scalar_one_or_none()
    if spent is None:
        raise _invalid()
    return attempt


def forget(attempt: Attempt, answer: Response) -> None:
    """Take ``attempt`` out of the browser."""
    _put(answer, _cookie(attempt.state), "", 0)


def _opened(state: str) -> Attempt | None:
    if not _STATE.fullmatch(state):
        return None
    sealed = request.cookies.get(_cookie(state))
    if sealed is None:
        return None
    try:
        return Attempt(**json.loads(decrypt(sealed, aad=_aad(state))))
    except (DecryptError, ValueError, TypeError):
        return None


def _cookie(state: str) -> str:
    return _PREFIX + state[:16]


def _aad(state: str) -> str:
    return f"sso|attempt|{state}"


def _put(answer: Response, name: str, value: str, seconds: int) -> None:
    answer.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="Lax")


def _invalid() -> Problem:
    return Problem(
        "This answer belongs to no sign-in that this browser began of late: begin again.",
        code="invalid_state",
    )

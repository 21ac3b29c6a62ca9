"""A forgotten password: a code to the address, and with it a new password; never a session."""

from __future__ import annotations

from core.engine import emit
from core.users import mark_verified

from . import codes, credentials, sessions
from .codes import RESET, Proof
from .events import PasswordChanged
from .state import auth


def forgot(*, email: str) -> None:
    """Send a code to an account in good standing; any other address only counts.

    Raises ``Problem`` 429 past three an hour, for known and unknown addresses alike.
    """
    found = credentials.find(email=email)
    known = found is not None and found.status == "active"
    codes.request_code(
        email=email,
        user_id=found.user_id if found is not None and known else None,
        purpose=RESET,
        rules=auth().codes,
    )


def shown(*, email: str, code: str) -> Proof | None:
    """What a code proves, without using it up; one try the less."""
    return codes.try_code(email=email, given=code, purpose=RESET, rules=auth().codes)


def check(*, email: str, code: str) -> None:
    """Try a code and leave it at that. Raises ``Problem`` 400 ``invalid_code``."""
    if shown(email=email, code=code) is None:
        raise codes.wrong()


def reset(proof: Proof | None, *, new: str, ip: str) -> None:
    """Replace a password by the code or the link that was sent, and end every session of its owner.

    Raises ``Problem`` 400 ``invalid_code`` where nothing was proven; ``Invalid`` for a password that
    is poor or was there before, which only who was sent the code learns: it then still holds, a code
    for one try the less.
    """
    parts = auth()
    held = credentials.find(user_id=proof.user_id) if proof is not None else None
    # the account may have moved to another address
    if proof is None or held is None or codes.address_key(held.email) != proof.address_key:
        raise codes.wrong()
    hashed = credentials.hash_new(held, new)
    if not codes.take(proof):
        raise codes.wrong()
    credentials.store(proof.user_id, hashed)
    credentials.remember(held)
    mark_verified(proof.user_id)  # the code came by mail
    codes.void(proof.user_id)
    sessions.revoke_all(proof.user_id, reason="password_reset")
    parts.standings.forget_once_committed()
    emit(PasswordChanged(user_id=proof.user_id, email=held.email, ip=ip, how="reset"))

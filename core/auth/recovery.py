"""A forgotten password: a code to the address, and with it a new password; never a session."""

from __future__ import annotations

from core.engine import emit
from core.users import mark_verified

from . import codes, credentials, sessions
from .codes import RESET
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


def check(*, email: str, code: str) -> None:
    """Try a code without using it up; one try the less. Raises ``Problem`` 400 ``invalid_code``."""
    if codes.try_code(email=email, given=code, purpose=RESET, rules=auth().codes) is None:
        raise codes.wrong()


def reset(*, email: str, code: str, new: str, ip: str) -> None:
    """Replace a password by the code that was sent, and end every session of its owner.

    Raises ``Problem`` 400 ``invalid_code``; ``Invalid`` for a password that is poor or was there
    before, which only who knows the code learns: the code then still holds, one try the less.
    """
    parts = auth()
    proof = codes.try_code(email=email, given=code, purpose=RESET, rules=parts.codes)
    held = credentials.find(user_id=proof.user_id) if proof is not None else None
    if proof is None or held is None or held.email != email:  # the account may have moved to another address
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
    emit(PasswordChanged(user_id=proof.user_id, email=email, ip=ip, how="reset"))

"""Registering and showing that an address is one's own, without telling anybody which addresses are known."""

from __future__ import annotations

from core.engine import emit
from core.errors import Problem
from core.users import UserUpdated, create_user, find_by_email, mark_verified, rename

from . import credentials
from .codes import VERIFY_EMAIL, redeem, request_code, wrong
from .events import RegistrationRepeated
from .state import auth


def register(*, email: str, password: str, name: str) -> None:
    """Make an account and send its code.

    A known address is treated alike in answer and effort. If it was never verified, whoever comes
    last sets its password: a stranger who came first must not keep a way in. If it was, its owner
    hears of it by mail. Raises ``Invalid`` for a poor password, ``Problem`` 429 past three an hour.
    """
    parts = auth()
    parts.passwords.check(password, email=email, name=name)
    hashed = parts.passwords.hash(password)  # slow, so before the transaction begins
    user = create_user(email=email, name=name)
    if user is not None:
        parts.organisations.welcome(user)
    else:
        user = find_by_email(email)
        if user is None:
            raise Problem("Try again.", status=409, code="conflict")
        if user.verified:
            request_code(email=email, user_id=None, purpose=VERIFY_EMAIL, rules=parts.codes)
            emit(RegistrationRepeated(user_id=user.id, email=email))
            return
        rename(user.id, name)
        emit(UserUpdated(user_id=user.id, fields=["name", "password"]))
    credentials.store(user.id, hashed)
    request_code(email=email, user_id=user.id, purpose=VERIFY_EMAIL, rules=parts.codes)


def resend(*, email: str) -> None:
    """Send another code to an address still to be verified; any other address only counts."""
    found = credentials.find(email=email)
    waiting = found is not None and not found.verified
    request_code(
        email=email,
        user_id=found.user_id if found is not None and waiting else None,
        purpose=VERIFY_EMAIL,
        rules=auth().codes,
    )


def verify(*, email: str, code: str) -> None:
    """Take the code of an address. Raises ``Problem`` 400 ``invalid_code``, for whatever reason alike."""
    user_id = redeem(email=email, given=code, purpose=VERIFY_EMAIL, rules=auth().codes)
    if user_id is None:
        raise wrong()
    mark_verified(user_id)

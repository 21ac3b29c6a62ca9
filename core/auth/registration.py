"""Registering and showing that an address is one's own, without telling anybody which addresses are known."""

from __future__ import annotations

import secrets
from contextlib import suppress

from core.db import db
from core.engine import emit
from core.errors import Problem
from core.users import UserUpdated, create_user, find_by_email, mark_verified, rename

from . import credentials
from .codes import VERIFY_EMAIL, is_awaited, redeem, request_code, wrong
from .events import RegistrationRepeated
from .state import auth


def register(*, email: str, password: str, name: str) -> None:
    """Make an account and send its code.

    A known address is treated alike in answer and effort. If it was verified, its owner hears of it by
    mail. If it never was, the password is set anew, for a stranger who came first must not keep a way
    in; but while a code is still on its way two people may be at it, and whoever types the code cannot
    know whose password it confirms: then there is none, and its owner chooses one by ``forgot``.
    Raises ``Invalid`` for a poor password, ``Problem`` 429 past three an hour.
    """
    parts = auth()
    parts.passwords.check(password, email=email, name=name)
    held = credentials.find(email=email)
    same = parts.passwords.verify(held.hash if held else None, password)  # slow, so before the
    hashed = parts.passwords.hash(password)  # transaction begins
    user = find_by_email(email)
    made = create_user(email=email, name=name) if user is None else None
    if made is not None:
        parts.organisations.welcome(made)
        credentials.store(made.id, hashed)
        request_code(email=email, user_id=made.id, purpose=VERIFY_EMAIL, rules=parts.codes)
        return
    user = user or find_by_email(email)  # somebody was quicker
    if user is None:
        raise Problem("Try again.", status=409, code="conflict")
    _in_vain(name, hashed)
    if user.verified:
        request_code(email=email, user_id=None, purpose=VERIFY_EMAIL, rules=parts.codes)
        emit(RegistrationRepeated(user_id=user.id, email=email))
        return
    rename(user.id, name)
    emit(UserUpdated(user_id=user.id, fields=["name", "password"]))
    if not (held and same and credentials.holds(held)):
        if is_awaited(email=email, purpose=VERIFY_EMAIL):
            credentials.forget(user.id)
        else:
            credentials.store(user.id, hashed)
    request_code(email=email, user_id=user.id, purpose=VERIFY_EMAIL, rules=parts.codes)


class _Undone(Exception):
    """Takes back what ``_in_vain`` did."""


def _in_vain(name: str, hashed: str) -> None:
    """Make an account and take it back, so that a known address takes no less time than an unknown one."""
    with suppress(_Undone), db.session.begin_nested():
        nobody = create_user(email=f"{secrets.token_hex(16)}@nobody.invalid", name=name)
        if nobody is not None:
            auth().organisations.welcome(nobody)
            credentials.store(nobody.id, hashed)
        raise _Undone


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

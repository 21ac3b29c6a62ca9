"""The first admin: by a link that works once, or from the environment."""

from __future__ import annotations

import base64
import hashlib
import hmac
from uuid import UUID

from flask import Flask
from marshmallow import ValidationError
from sqlalchemy import exists, select, update

from core.clock import utcnow
from core.config import ConfigError
from core.context import SYSTEM, acting_as, address, within
from core.crypto import keyring
from core.db import begin, db, uuid7
from core.engine import emit
from core.errors import Forbidden, Invalid
from core.users import (
    UserInfo,
    UserRole,
    create_user,
    find_by_email,
    grant_role,
    mark_verified,
    normalise,
    roles_of,
    someone_holds,
)

from . import credentials, sessions
from .admin.events import UserRolesChanged
from .events import PasswordChanged
from .models import Setup
from .state import auth

WELL_KNOWN = "Admin123!"
"""A first password from the documents: accepted from the environment, good for one log-in."""


def issue_link(app: Flask) -> str | None:
    """Call once the database is up to date: the link that makes the first admin, if one is needed.

    ``None`` where there is a superadmin already, or where ``ADMIN_EMAIL`` and ``ADMIN_PASSWORD``
    just made one. The link holds until it is used, and is the same at each start until then.
    Raises ``ConfigError`` for an address or password that cannot be.
    """
    with app.app_context(), within(None), acting_as(SYSTEM):
        auth().keys.active()
        with begin():
            auth().organisations.prepare()
            crowned = someone_holds("superadmin")
            identifier = None if crowned else _open_setup()
        if _from_environment(first=not crowned) or identifier is None:
            return None
        return f"{auth().config.server.url}/setup?token={_token(identifier)}"


def link_holds(token: str) -> bool:
    """Whether ``token`` can still make the first admin."""
    with begin(write=False):
        found = select(exists().where(Setup.token_hash == _hash(token), Setup.used_at.is_(None)))
        return bool(db.session.execute(found).scalar()) and not someone_holds("superadmin")


def complete(*, token: str, email: str, password: str, name: str) -> UserInfo:
    """Make the first admin, once. Raises ``Forbidden`` for a token that does not hold (any more),
    ``Invalid`` for a poor password."""
    parts = auth()
    if not link_holds(token):  # before a costly hash is made for a stranger
        raise _closed()
    parts.passwords.check(password, email=email, name=name)
    hashed = parts.passwords.hash(password)
    return _crown(Setup.token_hash == _hash(token), email, name, hashed, must_change=False)


def _from_environment(*, first: bool) -> bool:
    """Make the admin that the environment names, if it names one.

    Where there is an admin already, the environment may still replace the well-known password that
    was never changed: otherwise who lost the one session it is good for would be locked out.
    """
    parts = auth()
    wanted = parts.config.bootstrap
    if not wanted.admin_email or not wanted.admin_password:
        return False
    password = wanted.admin_password.reveal()
    waiting = None if first else credentials.waiting_for_change(wanted.admin_email.strip().casefold())
    if not first and (waiting is None or password == WELL_KNOWN):
        return False
    try:
        email = normalise(wanted.admin_email)
        if password != WELL_KNOWN:
            parts.passwords.check(password, email=email)
    except Invalid as poor:
        raise ConfigError(f"ADMIN_PASSWORD: {(poor.errors or {}).get('password', ['too weak'])[0]}") from None
    except ValidationError:
        raise ConfigError(f"ADMIN_EMAIL is not an e-mail address: {wanted.admin_email!r}") from None
    hashed = parts.passwords.hash(password)
    if waiting is not None:
        with begin():
            credentials.store(waiting, hashed)
            emit(PasswordChanged(user_id=waiting, email=email, ip="", how="setup"))
        return True
    try:
        with begin():
            _crown(Setup.used_at.is_(None), email, "Admin", hashed, must_change=password == WELL_KNOWN)
    except Forbidden:
        pass  # another process was quicker
    return True


def _crown(claim: object, email: str, name: str, hashed: str, *, must_change: bool) -> UserInfo:
    """Take the one setup row and make the admin, in the open unit of work.

    The row decides among all who try at once, by whatever way they come.
    """
    taken = db.session.execute(
        update(Setup)
        .where(
            claim,  # type: ignore[arg-type]
            Setup.used_at.is_(None),
            ~exists().where(UserRole.role == "superadmin"),
        )
        .values(used_at=utcnow())
        .returning(Setup.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if taken is None:
        raise _closed()
    user = create_user(email=email, name=name, verified=True)
    if user is None:
        user = _taken_over(email)
    else:
        auth().organisations.welcome(user)
    credentials.store(user.id, hashed, must_change=must_change)
    held = roles_of(user.id)
    if "superadmin" not in held:
        grant_role(user.id, "superadmin")
        before = sorted(held - {"user"})
        emit(UserRolesChanged(user_id=user.id, roles=sorted({*before, "superadmin"}), before=before))
    auth().organisations.crown(user)
    return user


def _taken_over(email: str) -> UserInfo:
    """An account that has the address already becomes the admin's; whoever made it loses it."""
    user = find_by_email(email)
    if user is None:
        raise _closed()
    mark_verified(user.id)
    emit(PasswordChanged(user_id=user.id, email=email, ip=address() or "", how="setup"))
    sessions.revoke_all(user.id, reason="became_admin")
    auth().standings.forget_once_committed()
    return user


def _open_setup() -> UUID:
    """The id of the setup row, waiting to be used."""
    fresh = uuid7()
    db.session.execute(
        db.unit.upsert(Setup)
        .values(id=fresh, name="first-admin", token_hash=_hash(_token(fresh)))
        .on_conflict_do_nothing(index_elements=[Setup.name])
    )
    row = db.session.execute(select(Setup.id, Setup.used_at).with_for_update()).one()
    if row.used_at is None:
        return UUID(str(row.id))
    db.session.execute(  # every superadmin is gone again: a new link, for the old one is spent
        update(Setup).values(id=fresh, token_hash=_hash(_token(fresh)), used_at=None)
    )
    return fresh


def _token(identifier: UUID) -> str:
    # derived, so that the same link can be printed again while only its hash is stored
    digest = hmac.new(keyring().derive("auth.setup"), identifier.bytes, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _closed() -> Forbidden:
    return Forbidden("This setup link has been used, or never was one.", code="setup_closed")

"""Somebody's accounts elsewhere: which there are, and how one is taken off."""

from __future__ import annotations

from uuid import UUID

from core.api import (
    Conflict,
    NotFound,
    Select,
    db,
    delete,
    emit,
    end_sessions,
    has_password,
    principal,
    security_alert,
    select,
)

from .events import IdentityUnlinked
from .models import Identity
from .provider import known_issuers


def mine() -> Select[Identity]:
    """The caller's own."""
    return select(Identity).where(Identity.user_id == principal().user_id)


def unlink(identity_id: UUID) -> None:
    """Take one of the caller's off, and end every other session of theirs.

    Raises ``NotFound`` for what is not theirs, ``Conflict`` ``last_way_in`` where they would have
    neither a password nor an account at an issuer that is still offered.
    """
    user_id = principal().user_id
    if user_id is None:
        raise NotFound
    # whoever takes off another one at this moment waits here
    held = db.session.scalars(mine().order_by(Identity.id).with_for_update()).all()
    row = next((each for each in held if each.id == identity_id), None)
    if row is None:
        raise NotFound
    offered = known_issuers()
    others = [each for each in held if each is not row and each.issuer in offered]
    if not others and not has_password(user_id):
        raise Conflict(
            "This is your only way to sign in: set a password or link another account first.",
            code="last_way_in",
        )
    db.session.execute(delete(Identity).where(Identity.id == identity_id))
    end_sessions(user_id, but=principal().session_id, reason="identity_unlinked")
    emit(IdentityUnlinked(user_id=user_id, identity_id=identity_id, provider=row.provider, issuer=row.issuer))
    security_alert(user_id, kind="identity_unlinked")

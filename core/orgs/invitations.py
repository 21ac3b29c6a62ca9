"""Invitations: an address is asked to join, and whoever has it joins, once.

What the mail carries is derived from the row and the instance's key when it is written, as codes
are: no table, event, job or log holds it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, update

from core.auth import auth
from core.auth.codes import request_code
from core.clock import utcnow
from core.crypto import keyring
from core.db import acting_for, begin, current_unit, db, unscoped, uuid7
from core.engine import emit
from core.errors import Conflict, Forbidden, NotFound
from core.users import User, UserInfo

from .events import InvitationAccepted, InvitationCreated
from .members import add, locked, still, withdraw_those
from .models import Invitation, Member, Organisation

MOST = 200
"""Invitations an organisation may have waiting."""

_PREFIX = "jst_inv_"  # the log masks what begins with jst_
_BY_TOKEN = "an invitation is found by its token, before one belongs to its organisation"  # noqa: S105


def invite(email: str, role: str, *, by: UUID) -> Invitation:
    """Ask an address to join the organisation acted for; an earlier invitation of it is void.

    Whether somebody has an account with the address makes no difference. Raises ``Conflict`` for a
    member's address, for an organisation that is to be deleted and for one invitation too many,
    ``Problem`` 429 for too many mails to one address within the hour.
    """
    organisation = locked()
    still(by, "owner", "admin")
    if organisation.deletes_at is not None:
        raise Conflict("This organisation is about to be deleted.", code="deletion_scheduled")
    if db.session.execute(_member_with(email)).scalar_one_or_none() is not None:
        raise Conflict("This person belongs to it already.", code="already_member")
    # a row without a person: it only counts, apart from the codes this address asks for itself
    request_code(email=f"invitation:{email}", user_id=None, purpose="invitation", rules=auth().codes)
    for row in db.session.scalars(pending().where(Invitation.email == email)).all():
        withdraw(row.id)
    waiting = select(func.count(Invitation.id)).where(_waiting())
    if db.session.execute(waiting).scalar_one() >= MOST:
        raise Conflict(f"{MOST} invitations are waiting already.", code="too_many_invitations")
    identifier = uuid7()
    row = db.insert(
        Invitation(
            id=identifier,
            email=email,
            role=role,
            token_hash=_hash(_token(identifier)),
            invited_by=by,
            expires_at=utcnow() + auth().config.auth.invitation_ttl,
        )
    )
    emit(
        InvitationCreated(
            invitation_id=identifier, email=email, role=role, organisation=organisation.name, invited_by=by
        )
    )
    return row


def pending() -> Select[Invitation]:
    """Those nobody has taken yet, also too old ones."""
    return select(Invitation).where(Invitation.accepted_at.is_(None))


def listed() -> Select[Invitation]:
    """Those that can still be taken."""
    return select(Invitation).where(_waiting())


def withdraw(identifier: UUID) -> None:
    """Void an invitation. Raises ``NotFound`` where there is none, or somebody took it."""
    if not withdraw_those(Invitation.id == identifier):
        raise NotFound


def accept(token: str, *, user: UserInfo) -> dict[str, Any]:
    """Let ``user`` join; one atomic statement decides among those who come with the same token.

    Raises ``NotFound`` alike for one that is used, withdrawn, too old or never was, and for one of
    somebody who is suspended by now; ``Forbidden``
    for somebody with another address, ``Conflict`` for who belongs to it already.
    """
    given = _hash(token)
    with unscoped(_BY_TOKEN):
        row = db.session.execute(_to_take(given)).one_or_none()
        if row is None:
            raise _gone()
        if row.email != user.email or not user.verified:
            raise Forbidden("This invitation is for another address.", code="other_address")
        with acting_for(row.id):
            organisation = locked()
            taken = db.session.execute(
                update(Invitation)
                .where(Invitation.token_hash == given, _waiting())
                .values(accepted_at=utcnow())
                .returning(Invitation.id, Invitation.role)
                .execution_options(synchronize_session=False)
            ).one_or_none()
            if taken is None:
                raise _gone()
            add(user.id, taken.role)
            emit(InvitationAccepted(invitation_id=taken.id, user_id=user.id))
    return {
        "id": organisation.id,
        "name": organisation.name,
        "slug": organisation.slug,
        "kind": organisation.kind,
        "role": taken.role,
    }


def invitation_token(invitation_id: UUID) -> str:
    """What the mail of an invitation carries, for whoever writes it; the same at each call.

    Raises ``LookupError`` where it cannot be taken any more. Keep the result out of logs and tables.
    """
    if current_unit() is None:
        with begin(write=False):
            return invitation_token(invitation_id)
    with unscoped("whoever writes the mail may act for no organisation"):
        there = select(Invitation.id).where(Invitation.id == invitation_id, _waiting())
        if db.session.execute(there).scalar_one_or_none() is None:
            raise LookupError(f"there is no invitation {invitation_id}")
    return _token(invitation_id)


def _to_take(given: str) -> Any:
    return (
        select(Organisation.id, Invitation.email)
        .join(Invitation, Invitation.organisation_id == Organisation.id)
        .join(User, User.id == Invitation.invited_by)
        .where(
            Invitation.token_hash == given,
            _waiting(),
            Organisation.deletes_at.is_(None),
            User.status == "active",
        )
    )


def _waiting() -> Any:
    return Invitation.accepted_at.is_(None) & (Invitation.expires_at > utcnow())


def _member_with(email: str) -> Any:
    return select(Member.id).join(User, User.id == Member.user_id).where(User.email == email)


def _token(identifier: UUID) -> str:
    digest = hmac.new(keyring().derive("orgs.invitation"), identifier.bytes, hashlib.sha256).digest()
    return _PREFIX + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _hash(token: str) -> str:
    # 256 bits nobody can guess: a plain hash cannot be searched, a slow one would only cost
    return hashlib.sha256(token.encode()).hexdigest()


def _gone() -> NotFound:
    return NotFound("This invitation is used, withdrawn or too old, or never was one.")

"""Whose account is it that somebody elsewhere signed in to: known, new, entered by its address, or refused.

Who somebody is, is told by ``(issuer, subject)`` alone. An address counts once, to find where a
subject never seen before belongs, and only where an address says something.
"""

from __future__ import annotations

from uuid import UUID

from core.api import (
    Conflict,
    Forbidden,
    UserInfo,
    ValidationError,
    add_user,
    db,
    delete,
    emit,
    find_by_email,
    normalise_email,
    presentable,
    reclaim,
    security_alert,
    select,
    update,
    utcnow,
)

from .events import IdentityLinked
from .models import Identity
from .provider import Claims, Voucher


def enter(voucher: Voucher, claims: Claims) -> UUID:
    """The id of the account that ``claims`` let somebody into, in the open unit of work.

    Raises ``Forbidden``: ``not_admitted``, ``email_not_verified``, ``sign_up_closed``, and
    ``link_required`` where the address has an account and the voucher's word is not enough for it.
    """
    if not voucher.admits(claims):
        raise Forbidden("This account may not sign in here.", code="not_admitted")
    known = _used(voucher, claims)
    if known is not None:
        return known
    email = _address(voucher, claims)
    user = find_by_email(email)
    if user is None:
        if not voucher.sign_up:
            raise Forbidden("You have no account here.", code="sign_up_closed")
        user, how = add_user(email=email, name=_name(claims, email)), "registered"
    else:
        _take_over(user, voucher, claims)
        how = "address"
    if user is not None and _insert(user.id, voucher, claims, how):
        return user.id
    known = _used(voucher, claims)  # somebody else did the same a moment ago
    if known is None:
        raise Conflict("Try again.")
    return known


def link(user_id: UUID, voucher: Voucher, claims: Claims) -> None:
    """Let ``claims`` let ``user_id`` in from now on, who is signed in and asked for it.

    Raises ``Forbidden`` ``not_admitted``, ``Conflict`` ``identity_taken`` where it is somebody else's.
    """
    if not voucher.admits(claims):
        raise Forbidden("This account may not sign in here.", code="not_admitted")
    if not _insert(user_id, voucher, claims, "asked") and _used(voucher, claims) != user_id:
        raise Conflict("This account lets somebody else in here.", code="identity_taken")


def holder(issuer: str, subject: str) -> UUID | None:
    """Whom an account elsewhere lets in."""
    return db.session.execute(
        select(Identity.user_id).where(Identity.issuer == issuer, Identity.subject == subject)
    ).scalar_one_or_none()


def _used(voucher: Voucher, claims: Claims) -> UUID | None:
    email = claims.get("email")
    return db.session.execute(
        update(Identity)
        .where(Identity.issuer == voucher.issuer, Identity.subject == claims["sub"])
        .values(last_used_at=utcnow(), email=email[:320] if isinstance(email, str) else None)
        .returning(Identity.user_id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()


def _insert(user_id: UUID, voucher: Voucher, claims: Claims, how: str) -> bool:
    email = claims.get("email")
    made = db.session.execute(
        db.unit.upsert(Identity)
        .values(
            user_id=user_id,
            provider=voucher.name,
            issuer=voucher.issuer,
            subject=claims["sub"],
            email=email[:320] if isinstance(email, str) else None,
        )
        .on_conflict_do_nothing(index_elements=[Identity.issuer, Identity.subject])
        .returning(Identity.id)
    ).scalar_one_or_none()
    if made is None:
        return False
    emit(
        IdentityLinked(
            user_id=user_id, identity_id=made, provider=voucher.name, issuer=voucher.issuer, how=how
        )
    )
    if how != "registered":
        security_alert(user_id, kind="identity_linked")
    return True


def _address(voucher: Voucher, claims: Claims) -> str:
    given = claims.get("email")
    if not isinstance(given, str) or not voucher.verified(claims):
        raise Forbidden(
            "Your provider does not say that your address was verified.", code="email_not_verified"
        )
    try:
        return normalise_email(given)
    except ValidationError:
        raise Forbidden("Your provider gives no address we can use.", code="email_not_verified") from None


def _take_over(user: UserInfo, voucher: Voucher, claims: Claims) -> None:
    """Let the voucher's word open the account of an address, or raise ``Forbidden``.

    An account whose address nobody showed to be theirs was never owned: whoever made it, with a
    password they know, must not stay in it.
    """
    if not voucher.authoritative or not voucher.keeps(claims):
        raise Forbidden(
            "Your address has an account here: sign in to it and link this one there.", code="link_required"
        )
    if user.status != "active":
        raise Forbidden("This account is suspended.", code="account_suspended")
    if not user.verified:
        db.session.execute(
            delete(Identity).where(Identity.user_id == user.id).execution_options(synchronize_session=False)
        )
        reclaim(user.id)


def _name(claims: Claims, email: str) -> str:
    for key in ("name", "preferred_username"):
        value = claims.get(key)
        if isinstance(value, str) and (name := presentable(value)):
            return name
    return presentable(email.partition("@")[0])

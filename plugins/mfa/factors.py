"""Authenticator apps as rows: their secrets, and their codes, each good once."""

from __future__ import annotations

from uuid import UUID

from core.api import DecryptError, Select, db, decrypt, encrypt, func, get_logger, select, update, utcnow

from . import totp
from .models import Factor

log = get_logger(__name__)


def confirmed(user_id: UUID) -> Select[Factor]:
    """The factors that guard somebody."""
    return select(Factor).where(Factor.user_id == user_id, Factor.confirmed_at.is_not(None))


def count(user_id: UUID) -> int:
    """How many of them there are."""
    statement = select(func.count()).select_from(confirmed(user_id).subquery())
    return int(db.session.execute(statement).scalar_one())


def sealed(secret: bytes, *, factor_id: UUID, user_id: UUID) -> str:
    """A secret as it is stored: it opens in its own row alone."""
    return encrypt(secret, aad=_bound_to(factor_id, user_id))


def step_in(factor: Factor, code: str) -> int | None:
    """The time step of ``factor`` that ``code`` belongs to, used or not; ``None`` where it is wrong."""
    try:
        secret = decrypt(factor.secret, aad=_bound_to(factor.id, factor.user_id))
    except DecryptError as fault:
        log.error("a factor's secret cannot be read", factor=str(factor.id), error=str(fault))
        return None
    return totp.step_of(code, secret, now=utcnow())


def take(user_id: UUID, code: str) -> bool:
    """Use a code of one of somebody's factors up, in the open unit of work.

    One atomic statement decides: of many callers with the same code one is served, and no code of
    that time step or an earlier one is accepted again.
    """
    for factor in db.session.scalars(confirmed(user_id)).all():
        step = step_in(factor, code)
        if step is not None:
            taken = db.session.execute(
                update(Factor)
                .where(Factor.id == factor.id, Factor.confirmed_at.is_not(None), Factor.last_step < step)
                .values(last_step=step, last_used_at=utcnow())
                .returning(Factor.id)
                .execution_options(synchronize_session=False)
            ).scalar_one_or_none()
            return taken is not None
    return False


def _bound_to(factor_id: UUID, user_id: UUID) -> str:
    return f"mfa_factor|{factor_id}|{user_id}|secret"

"""Recovery codes: ten, shown once, each good for one log-in without the authenticator app."""

from __future__ import annotations

import secrets
from uuid import UUID

from core.api import db, delete, digest, func, select, update, utcnow

from .models import RecoveryCode

COUNT = 10
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 of them; none that looks like another
_GROUPS, _LONG = 3, 4  # 60 bits


def replace(user_id: UUID) -> list[str]:
    """Give somebody new codes in the open unit of work; the former ones are worthless.

    This is the only time their text exists.
    """
    discard(user_id)
    codes = [_new() for _ in range(COUNT)]
    for code in codes:
        db.insert(RecoveryCode(user_id=user_id, digest=_digest(user_id, code)))
    return codes


def discard(user_id: UUID) -> None:
    """Make all of somebody's codes worthless."""
    db.session.execute(
        delete(RecoveryCode)
        .where(RecoveryCode.user_id == user_id)
        .execution_options(synchronize_session=False)
    )


def left(user_id: UUID) -> int:
    """How many codes somebody could still use."""
    unused = (RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return int(db.session.execute(select(func.count()).select_from(RecoveryCode).where(*unused)).scalar_one())


def take(user_id: UUID, code: str) -> bool:
    """Use a code up, in the open unit of work: one atomic statement serves one of many callers."""
    taken = db.session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.digest == _digest(user_id, code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=utcnow())
        .returning(RecoveryCode.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    return taken is not None


def _new() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_LONG)) for _ in range(_GROUPS))


def _digest(user_id: UUID, code: str) -> str:
    # as typed from paper: capitals, spaces and hyphens do not matter
    typed = "".join(code.lower().split()).replace("-", "")
    return digest(f"{user_id}|{typed}", purpose="mfa.recovery_code")

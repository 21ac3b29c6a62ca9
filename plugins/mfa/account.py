"""One person's second step as a whole: its lock, and how often wrong codes may be tried.

The count stands with the person and not with a ticket, so that more log-ins give no more guesses.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from core.api import Problem, begin, db, emit, security_alert, select, update, utcnow

from .events import TriesExhausted
from .models import Account

TRIES = 10
WINDOW = timedelta(hours=1)


def lock(user_id: UUID) -> list[float]:
    """Have everybody else wait who would change somebody's second step; when they tried wrong codes.

    In the open unit of work, before anything of theirs is read.
    """
    db.session.execute(db.unit.upsert(Account).values(user_id=user_id, tries=[]).on_conflict_do_nothing())
    row = select(Account.tries).where(Account.user_id == user_id).with_for_update()
    return list(db.session.execute(row).scalar_one())


def count_try(user_id: UUID) -> float:
    """Count a try before it is judged; ``forgive`` takes what this returns once it was right.

    A unit of work of its own, committed on return. Raises ``Problem`` 429 for one too many within
    the hour, whichever tickets they came with. The owner is warned once they are used up.
    """
    now = utcnow()
    with begin():
        recent = [moment for moment in lock(user_id) if moment > (now - WINDOW).timestamp()]
        if len(recent) >= TRIES:
            raise _too_many(min(recent) + WINDOW.total_seconds() - now.timestamp())
        _store(user_id, [*recent, now.timestamp()])
        if len(recent) == TRIES - 1:
            emit(TriesExhausted(user_id=user_id))
            security_alert(user_id, kind="mfa_tries_exhausted")
    return now.timestamp()


def forgive(user_id: UUID, moment: float) -> None:
    """The try counted at ``moment`` was right, in the open unit of work."""
    tries = lock(user_id)
    if moment in tries:
        tries.remove(moment)
    _store(user_id, tries)


def forget_tries(user_id: UUID) -> None:
    """Let somebody try afresh, in the open unit of work."""
    _store(user_id, [])


def _store(user_id: UUID, tries: list[float]) -> None:
    db.session.execute(
        update(Account)
        .where(Account.user_id == user_id)
        .values(tries=tries)
        .execution_options(synchronize_session=False)
    )


def _too_many(seconds: float) -> Problem:
    return Problem(
        f"{TRIES} wrong codes an hour are judged. Try again later.",
        status=429,
        code="rate_limited",
        headers={"Retry-After": str(max(1, int(seconds) + 1))},
    )

"""Wrong passwords: counted for each address and a quarter of an hour, told once that is over.

Nothing is told while somebody tries. What an attempt costs is the same for an address that somebody
has and for any other (one row each, counted up), and however many come, one event comes of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import Flask
from sqlalchemy import Row, delete, exists, select, tuple_

from core.clock import utcnow
from core.context import address
from core.db import begin, db
from core.engine import emit, register_job, register_schedule
from core.users import User

from .codes import address_key
from .events import LoginFailed
from .models import LoginFailure

WINDOW = timedelta(minutes=15)
_CHUNK = 500


def note(email: str, user_id: UUID | None) -> None:
    """Count a wrong password for ``email``, which ``user_id`` has if anybody. Commits on its own."""
    with begin() as unit:
        fresh = unit.upsert(LoginFailure).values(
            address_key=address_key(email), since=_began(utcnow()), user_id=user_id, tries=1, ip=address()
        )
        again = {"tries": LoginFailure.tries + 1, "ip": fresh.excluded.ip, "user_id": fresh.excluded.user_id}
        unit.connection.execute(
            fresh.on_conflict_do_update(index_elements=["address_key", "since"], set_=again)
        )


def tell() -> dict[str, int]:
    """``core.tell_failed_logins``: one ``login.failed`` for each account and time that is over.

    What was counted for addresses that nobody has is forgotten. Telling and forgetting are one
    transaction, so that each is told once.
    """
    told, gone = 0, _CHUNK
    while gone == _CHUNK:
        with begin():
            rows = _take_over()
            for row in rows:
                if row.user_id is not None and row.known:
                    emit(LoginFailed(user_id=row.user_id, count=row.tries, since=row.since, ip=row.ip))
                    told += 1
            gone = len(rows)
    return {"told": told}


def register(app: Flask) -> None:
    """Have the job run, a little after each quarter of an hour."""
    register_job(app, "core", "tell_failed_logins", tell, timeout=600)
    register_schedule(
        app,
        "core",
        "tell_failed_logins",
        job="core.tell_failed_logins",
        cron="1-59/15 * * * *",
        policy="once",
    )


def _began(moment: datetime) -> datetime:
    """When the quarter of an hour began that ``moment`` lies in."""
    seconds = int(moment.timestamp())
    return datetime.fromtimestamp(seconds - seconds % int(WINDOW.total_seconds()), UTC)


def _take_over() -> Sequence[Row[UUID | None, int, datetime, str | None, bool]]:
    """Some rows whose time is over, deleted; ``known`` says whether the account is still there."""
    over = select(LoginFailure.address_key, LoginFailure.since).where(LoginFailure.since <= utcnow() - WINDOW)
    gone = (
        delete(LoginFailure)
        .where(tuple_(LoginFailure.address_key, LoginFailure.since).in_(over.limit(_CHUNK)))
        .returning(
            LoginFailure.user_id,
            LoginFailure.tries,
            LoginFailure.since,
            LoginFailure.ip,
            exists().where(User.id == LoginFailure.user_id).label("known"),
        )
    )
    return db.session.execute(gone.execution_options(synchronize_session=False)).all()

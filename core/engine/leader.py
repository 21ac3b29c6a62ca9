"""Who leads: one process at a time, by a lease; any number may stand by."""

from __future__ import annotations

from sqlalchemy import or_, select, update

from core.db import Unit, begin

from .models import LeaseRow
from .moment import db_now
from .state import Engine

NAME = "leader"


def lead(engine: Engine, holder: str) -> bool:
    """Become leader, or stay it, for ``timing.leadership`` seconds. Returns whether ``holder`` leads."""
    mine_or_free = or_(LeaseRow.holder == holder, LeaseRow.until < db_now())
    with begin(on=engine.database, write=False) as unit:
        known = unit.connection.scalar(select(mine_or_free).where(LeaseRow.name == NAME))
    if known is not None and not known:
        return False  # somebody else leads: no write lock is taken to learn that
    with begin(on=engine.database) as unit:
        until = db_now(engine.timing.leadership)
        if known is None:
            new = unit.upsert(LeaseRow).values(name=NAME, holder=holder, until=until).on_conflict_do_nothing()
            counted = {"preserve_rowcount": True}
            if unit.connection.execute(new, execution_options=counted).rowcount == 1:
                return True
        taken = update(LeaseRow).where(LeaseRow.name == NAME, mine_or_free).values(holder=holder, until=until)
        return unit.connection.execute(taken).rowcount == 1


def renew(unit: Unit, holder: str, seconds: float) -> bool:
    """Stay leader inside ``unit``'s transaction. False: somebody else leads, or nobody."""
    mine = update(LeaseRow).where(LeaseRow.name == NAME, LeaseRow.holder == holder)
    return unit.connection.execute(mine.values(until=db_now(seconds))).rowcount == 1


def resign(engine: Engine, holder: str) -> None:
    """Let another lead at once."""
    with begin(on=engine.database) as unit:
        mine = update(LeaseRow).where(LeaseRow.name == NAME, LeaseRow.holder == holder)
        unit.connection.execute(mine.values(until=db_now(-1)))

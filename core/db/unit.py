"""One unit of work: one transaction, with a session for each scope that takes part in it.

A request, a handler and a job each have one. Sessions share its connection, so that what an
instance-wide handler writes for three organisations commits together or not at all, while no
session ever holds rows of two organisations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn, TypeVar, cast
from uuid import UUID

from sqlalchemy import Connection, Table, event, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstanceState, Session, SessionTransaction
from sqlalchemy.orm.attributes import set_committed_value

from core import context
from core.context import Scope, System

from . import guard
from .base import TenantMixin
from .engine import Database, database

Row = TypeVar("Row")


class UnitSession(Session):
    """A session of one scope inside a unit of work, which alone commits and rolls back."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        super().__init__(
            bind=unit.connection,
            expire_on_commit=False,
            join_transaction_mode="rollback_only",
            info={"unit": unit, "scope": scope},
        )
        self._emitted_before: dict[SessionTransaction, int] = {}

    def flush(self, objects: Any = None) -> None:
        token = guard.flushing.set(True)
        try:
            super().flush(objects)
        finally:
            guard.flushing.reset(token)

    def begin_nested(self) -> SessionTransaction:
        savepoint = super().begin_nested()
        self.connection()  # else it begins with the session's next statement, too late for db.insert()
        self._emitted_before[savepoint] = len(self.info["unit"].pending)
        return savepoint

    def commit(self) -> NoReturn:
        raise RuntimeError(
            "core commits once, when the view, handler or job returns; flush() if you need ids"
        )

    def rollback(self) -> NoReturn:
        raise RuntimeError("raise to roll back, or use begin_nested() for a part")


@event.listens_for(UnitSession, "after_soft_rollback")
def _drop_what_a_savepoint_emitted(session: UnitSession, previous: SessionTransaction) -> None:
    kept = session._emitted_before.pop(previous, None)
    if kept is not None:
        del session.info["unit"].pending[kept:]


event.listen(UnitSession, "do_orm_execute", guard.scope_statement)
event.listen(UnitSession, "before_attach", guard.check_attached)
event.listen(UnitSession, "before_flush", guard.check_writes)


class Unit:
    """A transaction that begins at its first statement and ends once.

    ``write`` takes SQLite's write lock at the start. ``pending`` holds what shall become durable
    with the commit (events); ``before_commit`` callables run inside the transaction, after every
    flush, and ``after_commit`` ones once it is durable. ``info`` is the rooms' scratch space.
    """

    def __init__(self, on: Database, *, write: bool = True) -> None:
        self.database = on
        self.write = write
        self.pending: list[Any] = []
        self.before_commit: list[Callable[[Unit], None]] = []
        self.after_commit: list[Callable[[], None]] = []
        self.info: dict[str, Any] = {}
        self._connection: Connection | None = None
        self._sessions: dict[Scope, UnitSession] = {}

    @property
    def begun(self) -> bool:
        """Whether any statement has been run."""
        return self._connection is not None

    @property
    def holds_write_lock(self) -> bool:
        """Whether everybody else who would write waits for this unit, as on SQLite."""
        return self.write and self.begun and self.database.dialect == "sqlite"

    @property
    def connection(self) -> Connection:
        """The connection, its transaction begun. Statements on organisations' tables are refused."""
        if self._connection is None:
            connection = self.database.engine.connect()
            connection.info["write"] = self.write
            try:
                connection.begin()
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def session(self) -> UnitSession:
        """The session of the current scope."""
        scope = context.scope()
        session = self._sessions.get(scope)
        if session is None:
            session = self._sessions[scope] = UnitSession(self, scope)
        return session

    def upsert(self, model: type[Any]) -> postgresql.Insert:
        """An INSERT into ``model``'s table that takes ``on_conflict_do_nothing`` or ``..._do_update``.

        Both databases spell it alike; SQLAlchemy has a class for each.
        """
        if self.database.dialect == "sqlite":
            return cast(postgresql.Insert, sqlite.insert(model))
        return postgresql.insert(model)

    def flush(self) -> None:
        """Write what the current scope's session holds."""
        session = self._sessions.get(context.scope())
        if session is not None:
            session.flush()

    def commit(self) -> None:
        """Flush, run ``before_commit``, commit, run ``after_commit``."""
        self._flush_all()
        for callback in self.before_commit:
            callback(self)
        self._flush_all()
        if self._connection is not None:
            self._connection.commit()
        self.pending.clear()
        for done in self.after_commit:
            done()

    def close(self) -> None:
        """Give the connection back; whatever was not committed is rolled back."""
        self.pending.clear()
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _flush_all(self) -> None:
        for scope, session in list(self._sessions.items()):
            with context.within(scope):
                session.flush()


_unit: ContextVar[Unit | None] = ContextVar("unit", default=None)


def current_unit() -> Unit | None:
    """The unit of work that is open here, if any."""
    return _unit.get()


@contextmanager
def begin(*, write: bool = True, on: Database | None = None) -> Iterator[Unit]:
    """Open a unit of work of its own: commits when the block ends, rolls back when it raises.

    Inside another unit it is independent of that one. On SQLite a second writer inside a writer
    could only wait for itself, and is refused.
    """
    outer = _unit.get()
    unit = Unit(on or database(), write=write)
    if outer is not None and write and outer.holds_write_lock and outer.database is unit.database:
        raise RuntimeError("a second writing transaction would wait for the one already open here")
    token = _unit.set(unit)
    try:
        yield unit
        unit.commit()
    finally:
        _unit.reset(token)
        unit.close()


@contextmanager
def _entered(scope: Scope) -> Iterator[None]:
    unit = _unit.get()
    if unit is None:
        with context.within(scope), begin():
            yield
        return
    unit.flush()  # rows of this scope are in before the next one refers to them
    with context.within(scope):
        yield
        unit.flush()


@contextmanager
def acting_for(organisation: UUID) -> Iterator[None]:
    """Act for one organisation: its rows alone are seen and written.

    Joins the open unit of work, or opens one. From inside another organisation it raises
    ``ScopeError``; leave that one first, by ``unscoped(reason)``.
    """
    current = context.scope()
    if isinstance(current, UUID) and current != organisation:
        raise guard.ScopeError("already acting for another organisation")
    with _entered(organisation):
        yield


@contextmanager
def unscoped(reason: str) -> Iterator[None]:
    """See the rows of all organisations; ``reason`` says why that is right here.

    Joins the open unit of work, or opens one.
    """
    with _entered(System(reason)):
        yield


class _Db:
    """What services use: ``db.session``, ``db.insert``, ``db.begin``."""

    begin = staticmethod(begin)

    @property
    def unit(self) -> Unit:
        """The open unit of work. Raises ``RuntimeError`` where there is none."""
        unit = _unit.get()
        if unit is None:
            raise RuntimeError(
                "no unit of work is open: use `with db.begin():` outside requests, handlers and jobs"
            )
        return unit

    @property
    def session(self) -> UnitSession:
        """The session of the current scope. Raises ``RuntimeError`` outside a unit of work."""
        return self.unit.session()

    def insert(self, row: Row) -> Row:
        """Insert one row at once, past the session, and give it back with its defaults filled.

        The quick way to create: the row is not tracked afterwards. Raises ``IntegrityError``.
        """
        if isinstance(row, TenantMixin):
            guard.adopt(row)
        unit = self.unit
        unit.flush()  # what it refers to may still be in the session
        state: InstanceState[Row] = row._sa_instance_state  # type: ignore[attr-defined]
        columns = state.mapper.columns
        values = {columns[name].name: value for name, value in state.dict.items() if name in columns}
        for attribute, column in state.mapper.columns.items():
            if column.name not in values and column.default is not None and attribute not in state.dict:
                values[column.name] = _default(column.default)
                set_committed_value(row, attribute, values[column.name])
        unit.connection.execute(
            insert(cast(Table, state.mapper.local_table)), values, execution_options={guard.SCOPED: "insert"}
        )
        return row


def _default(default: Any) -> Any:
    return default.arg(None) if default.is_callable else default.arg


db = _Db()

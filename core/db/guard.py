"""The wall around organisations' rows: reads are filtered, writes checked, the rest refused.

An ORM statement gets the organisation's criterion and is marked ``jobstead_scoped``. Whatever
else names an organisation's table (Core, ``text()``, bulk calls, a raw connection) is refused by
the dialect's execute hook, outside ``unscoped(reason)``. The hook sits on the dialect because
an engine event would cost each request tens of microseconds.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from typing import Any, cast
from uuid import UUID
from weakref import WeakSet

from sqlalchemy import CTE, Engine, Join, Select, Table, Update, UpdateBase, event, inspect
from sqlalchemy.engine.interfaces import ExecutionContext
from sqlalchemy.orm import FromStatement, ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ColumnClause, TextClause
from sqlalchemy.sql.selectable import AliasedReturnsRows

from core.context import System, scope

from .base import TenantMixin, tenant_tables

SCOPED = "jobstead_scoped"
"""Execution option of a statement that carries its organisation's criterion already."""

flushing: ContextVar[bool] = ContextVar("flushing", default=False)
"""True while a session writes rows that ``check_writes`` has looked at."""


class ScopeError(RuntimeError):
    """A statement or row would have crossed from one organisation into another."""


def install(engine: Engine) -> None:
    """Guard every statement that ``engine`` runs."""

    def check(_cursor: Any, statement: str, _parameters: Any, context: ExecutionContext | None) -> None:
        _check(statement, context)

    def check_bare(_cursor: Any, statement: str, context: ExecutionContext | None) -> None:
        _check(statement, context)

    event.listen(engine, "do_execute", check)
    event.listen(engine, "do_executemany", check)
    event.listen(engine, "do_execute_no_params", check_bare)


def _check(statement: str, context: ExecutionContext | None) -> None:
    if isinstance(scope(), System) or flushing.get():
        return
    mark = context.execution_options.get(SCOPED) if context is not None else None
    if mark is None:
        if names_tenant_table(statement):
            raise ScopeError(
                "this statement touches rows of an organisation outside the ORM; "
                f"use a select() of the model, or unscoped(reason): {statement[:200]}"
            )
    elif mark == "author" and context is not None and context.compiled is not None:
        _look_inside(context.compiled)


_named: dict[str, bool] = {}
_pattern: tuple[int, re.Pattern[str]] = (0, re.compile(r"(?!)"))


def names_tenant_table(sql: str) -> bool:
    """Whether the text of ``sql`` mentions a table whose rows belong to organisations."""
    global _pattern
    if _pattern[0] != len(tenant_tables):
        names = "|".join(sorted(map(re.escape, tenant_tables)))
        _pattern = (len(tenant_tables), re.compile(rf"\b(?:{names})\b"))
        _named.clear()
    known = _named.get(sql)
    if known is None:
        if len(_named) > 4096:
            _named.clear()
        known = _named[sql] = _pattern[1].search(sql) is not None
    return known


_looked_at: WeakSet[Any] = WeakSet()


def _look_inside(compiled: Any) -> None:
    """Refuse an ORM statement with a part that the organisation's criterion cannot reach.

    Compiled statements are cached, so each is looked at once.
    """
    if compiled in _looked_at:
        return
    elements = list(visitors.iterate(compiled.statement))
    filtered = {source.name for e in elements if _of_a_model(e) and isinstance(source := _source(e), Table)}
    for element in elements:
        name = _beyond_reach(element, filtered)
        if name:
            raise ScopeError(f"{name} is used as a bare table or text here; use the model instead")
    _looked_at.add(compiled)


def _beyond_reach(element: Any, filtered: set[str]) -> str | None:
    """The name of an organisation's table that ``element`` uses without its model, if it does.

    A bare column alone is harmless where the same table is ``filtered`` through its model: the
    ORM builds such comparisons itself.
    """
    if isinstance(element, TextClause):
        return element.text if names_tenant_table(element.text) else None
    if isinstance(element, ColumnClause):
        name = _bare(element)
        return None if name in filtered else name
    if isinstance(element, Select):
        named = (*element._raw_columns, *element._from_obj, *(join[0] for join in element._setup_joins))
    elif isinstance(element, Join):
        named = (element.left, element.right)
    elif isinstance(element, CTE) and isinstance(element.element, UpdateBase):
        target = cast(Table, element.element.table)  # writes, where the criterion does not reach
        return target.name if target.name in tenant_tables else None
    else:
        return None
    return next((name for e in named if (name := _bare(e))), None)


def _bare(element: Any) -> str | None:
    """The organisation's table that ``element`` stands for without its model, if any."""
    source = _source(element)
    bare = isinstance(source, Table) and source.name in tenant_tables and not _of_a_model(element)
    return source.name if bare else None


def _source(element: Any) -> Any:
    """The table behind a column, an alias or a table."""
    source = element.table if isinstance(element, ColumnClause) else element
    while isinstance(source, AliasedReturnsRows):
        source = source.element
    return source


def _of_a_model(element: Any) -> bool:
    return "parententity" in element._annotations or "parentmapper" in element._annotations


def scope_statement(state: ORMExecuteState) -> None:
    """``do_orm_execute``: filter by the organisation in scope, and mark the statement."""
    current = scope()
    if state.session.info["scope"] != current:
        raise ScopeError("this session belongs to another scope; read db.session again after entering one")
    if isinstance(current, System):
        return
    if state.is_insert or state.is_update:
        _check_statement(state)
    if not state.is_orm_statement or current is None:
        return  # unmarked: the execute hook refuses it if it names an organisation's table
    by_the_orm = bool(state.is_relationship_load) or bool(state.is_column_load)
    if isinstance(state.statement, FromStatement) and not by_the_orm:
        return  # the criterion does not reach what is inside
    mark = "loader" if by_the_orm else "author"
    if not state.is_column_load:
        state.statement = state.statement.options(
            with_loader_criteria(
                TenantMixin,
                lambda cls: cls.organisation_id == current,
                include_aliases=True,
                propagate_to_loaders=False,
            )
        )
    state.update_execution_options(**{SCOPED: mark})


def _check_statement(state: ORMExecuteState) -> None:
    """Refuse what writes an organisation's rows past ``check_writes``, or moves them by a criterion."""
    if not any(issubclass(mapper.class_, TenantMixin) for mapper in state.all_mappers):
        return
    if state.is_insert or isinstance(state.parameters, list):
        raise ScopeError("bulk writes of an organisation's rows are not checked; add rows to the session")
    if not isinstance(state.statement, Update):
        return  # inside select().from_statement(), which is not marked
    values = state.statement._values or ()
    if "organisation_id" in {getattr(key, "key", key) for key in (*values, *(state.parameters or ()))}:
        raise ScopeError("a row never moves to another organisation")


def check_attached(_session: Session, row: Any) -> None:
    """``before_attach``: refuse an organisation's row that this session has neither read nor made.

    It would be written by its key alone, whoever's row that is.
    """
    if isinstance(row, TenantMixin) and inspect(row).key is not None and not isinstance(scope(), System):
        raise ScopeError("this row was read elsewhere; read it again here")


def check_writes(session: Session, _context: UOWTransaction, _instances: Any) -> None:
    """``before_flush``: fill ``organisation_id`` and refuse rows of any other organisation."""
    current = scope()
    if session.info["scope"] != current:
        raise ScopeError("this session belongs to another scope; it cannot write here")
    for row in session.new:
        if isinstance(row, TenantMixin):
            adopt(row)
    for row in (*session.dirty, *session.deleted):
        if isinstance(row, TenantMixin):
            if inspect(row).attrs.organisation_id.history.has_changes():
                raise ScopeError("a row never moves to another organisation")
            if isinstance(current, UUID) and row.organisation_id != current:
                raise ScopeError("this row belongs to another organisation")


def adopt(row: TenantMixin) -> None:
    """Give a new row the organisation in scope. Raises ``ScopeError`` where there is none or another."""
    current = scope()
    given: UUID | None = row.organisation_id
    if isinstance(current, System):
        if given is None:
            raise ScopeError(
                "unscoped code must say which organisation a new row belongs to; use acting_for()"
            )
    elif current is None:
        raise ScopeError(f"{type(row).__name__} rows belong to an organisation, and none is in scope")
    elif given is None:
        row.organisation_id = current
    elif given != current:
        raise ScopeError("a new row cannot be given to another organisation")

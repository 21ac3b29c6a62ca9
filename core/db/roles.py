"""The role a transaction has on PostgreSQL, where the database itself keeps organisations apart.

Every transaction leaves the login role, which owns the tables: in an organisation, and in no scope
at all, it becomes ``jobstead_app``, which ``app.tenant`` alone lets see rows (none where it is
empty); inside ``unscoped(reason)`` it becomes ``jobstead_system``. Role and setting travel with BEGIN in
one message, follow the scope before each statement, and end with the transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event

from core.context import Scope, System, scope

if TYPE_CHECKING:
    import psycopg

APP = "jobstead_app"
"""Sees and writes the rows of the organisation in ``app.tenant``, and the instance's."""
SYSTEM = "jobstead_system"
"""Sees and writes the rows of all organisations, and the instance's."""

_IN_SAVEPOINTS = ("SAVEPOINT", "RELEASE", "ROLLBACK")
_UNKNOWN = object()


def setting(current: Scope) -> str:
    """The statement that gives the open transaction the role and tenant of a scope."""
    role = SYSTEM if isinstance(current, System) else APP
    tenant = "" if current is None or isinstance(current, System) else str(current)
    return f"SELECT set_config('role', '{role}', true), set_config('app.tenant', '{tenant}', true)"


def install(engine: Engine) -> None:
    """Have every transaction of a PostgreSQL ``engine`` begun here, in the role of its scope.

    The driver's connections must be in autocommit mode: BEGIN is ours, as it is on SQLite.
    """
    import psycopg

    entered: WeakKeyDictionary[psycopg.Connection[Any], Scope | object] = WeakKeyDictionary()

    def follow(cursor: psycopg.Cursor[Any], statement: str, *_: Any) -> None:
        connection, current = cursor.connection, scope()
        if connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            _enter(connection, f"BEGIN; {setting(current)}")
            entered[connection] = current
            return
        if statement.lstrip()[:9].upper().startswith(_IN_SAVEPOINTS):
            # the transaction may have failed, which forbids anything else; and what was set since
            # the savepoint ends with it
            entered[connection] = _UNKNOWN
        elif entered.get(connection, _UNKNOWN) != current:
            entered[connection] = _UNKNOWN
            _enter(connection, setting(current))
            entered[connection] = current

    for execution in ("do_execute", "do_executemany", "do_execute_no_params"):
        event.listen(engine, execution, follow)
    event.listen(engine, "connect", _keep_search_path, insert=True)


def _enter(connection: psycopg.Connection[Any], statement: str) -> None:
    import psycopg

    try:
        connection.execute(statement.encode(), prepare=False)
    except (psycopg.errors.InvalidParameterValue, psycopg.errors.InsufficientPrivilege) as fault:
        reason = str(fault).strip()
        raise psycopg.OperationalError(f"{reason}: run jobstead db upgrade") from fault


def _keep_search_path(connection: psycopg.Connection[Any], _record: Any) -> None:
    """Look for tables where the login role does: ``$user`` would be another name in another role."""
    connection.execute(
        "SELECT set_config('search_path', string_agg(quote_ident(name), ', '), false)"
        " FROM unnest(current_schemas(false)) AS name HAVING count(*) > 0"
    )

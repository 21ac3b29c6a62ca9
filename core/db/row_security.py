"""Setting up and checking PostgreSQL's row-level security, for core's tables and every plugin's.

A table is an organisation's when its ``organisation_id`` is never null and points at
``core_organisation`` or is unique together with ``id``, as ``TenantMixin`` makes it (one that outlives
the organisation points at nothing): the catalogue tells, so that no plugin needs to be imported, nor
its author to do anything. On SQLite there is nothing to set up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.exc import DBAPIError

from . import catalogue
from .base import tenant_tables
from .roles import APP, SYSTEM

POLICIES = {
    APP: "organisation_id = nullif(current_setting('app.tenant', true), '')::uuid",
    SYSTEM: "true",
}
"""Who sees and writes which rows of an organisation's table: by role, which is the policy's name too."""

_RIGHTS = (
    ("r", "TABLE", "SELECT, INSERT, UPDATE, DELETE"),
    ("S", "SEQUENCE", "USAGE, SELECT"),
)
_BOTH = f"TO {APP}, {SYSTEM}"
_DENIED = "42501"
_RACES = {"23505", "42710", "XX000"}  # unique violation, duplicate object, "tuple concurrently updated"


class RowSecurityError(Exception):
    """The login role lacks a right that setting up takes; the text says what to do."""


def enforce(connection: Connection) -> list[str]:
    """Make roles, rights and policies complete, in the open transaction of the tables' owner.

    Returns the statements it took, none where nothing has changed. Raises ``RowSecurityError``.
    """
    if connection.dialect.name != "postgresql":
        return []
    done = _make_roles(connection)
    missing = [*_rights(connection), *_policies(connection)]
    try:
        for statement in missing:
            connection.exec_driver_sql(statement)
    except DBAPIError as fault:
        if _state(fault) != _DENIED:
            raise
        raise RowSecurityError(
            f"row-level security cannot be set up ({fault.orig}): "
            "let DATABASE_URL log in as the role that owns schema and tables"
        ) from fault
    return done + missing


def _state(fault: DBAPIError) -> str | None:
    return getattr(fault.orig, "sqlstate", None)


def _make_roles(connection: Connection) -> list[str]:
    """Create and grant what lacks. The roles are the cluster's: another database's upgrade may be at
    it in the same moment, then look again."""
    for last in (False, False, False, True):
        found = connection.execute(catalogue.ROLES).all()
        lacking = [row.name for row in found if not row.held]
        if not lacking:
            return []
        created = [f"CREATE ROLE {row.name} NOLOGIN" for row in found if not row.there]
        granted = f"GRANT {', '.join(lacking)} TO {found[0].quoted}"
        try:
            with connection.begin_nested():
                for statement in (*created, granted):
                    connection.exec_driver_sql(statement)
            return [*created, granted]
        except DBAPIError as fault:
            if _state(fault) == _DENIED:
                raise RowSecurityError(_for_an_administrator(found[0].login, created, granted)) from fault
            if last or _state(fault) not in _RACES:
                raise
    raise AssertionError("unreachable")


def _for_an_administrator(login: str, created: list[str], granted: str) -> str:
    lines = ["; ".join(created), granted] if created else [granted]
    return "\n".join(
        [
            f"row-level security needs two roles which {login} may not create or be given. Have an"
            " administrator of PostgreSQL run the following, then run jobstead db upgrade again:",
            *(f"{line};" for line in lines),
        ]
    )


def _rights(connection: Connection) -> Iterator[str]:
    schema = connection.execute(catalogue.SCHEMA).one()
    if not schema.usable:
        yield f"GRANT USAGE ON SCHEMA {schema.name} {_BOTH}"
    unshared = connection.execute(catalogue.UNSHARED).all()
    for kind, what, rights in _RIGHTS:
        if kind not in schema.kinds:
            yield f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema.name} GRANT {rights} ON {what}S {_BOTH}"
        names = [row.name for row in unshared if row.sequence is (kind == "S")]
        if names:
            yield f"GRANT {rights} ON {what} {', '.join(names)} {_BOTH}"


def _policies(connection: Connection) -> Iterator[str]:
    for table in _tables(connection):
        if not table.enabled:
            yield f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY"
        if not table.forced:
            yield f"ALTER TABLE {table.name} FORCE ROW LEVEL SECURITY"
        for name in _more(table):
            yield f"DROP POLICY {name} ON {table.name}"
        for role in _lacking(table):
            if role in table.policies:
                yield f"DROP POLICY {role} ON {table.name}"
            rows = POLICIES[role]
            yield f"CREATE POLICY {role} ON {table.name} TO {role} USING ({rows}) WITH CHECK ({rows})"


def _lacking(table: Row[Any]) -> list[str]:
    """The policies that are not there as they should be."""
    return [role for role in POLICIES if not _is(table.policies.get(role), role)]


def _is(policy: dict[str, Any] | None, role: str) -> bool:
    if policy is None or not (policy["all"] and policy["permissive"]) or policy["roles"] != [role]:
        return False
    return _plain(policy["read"]) == _plain(policy["written"]) == _plain(POLICIES[role])


def _plain(expression: str | None) -> str:
    """An expression without what PostgreSQL adds when it tells it again."""
    kept = (expression or "").lower().replace("::text", "")
    return "".join(character for character in kept if character not in "() ")


def _more(table: Row[Any]) -> list[str]:
    """Further policies that let the app see rows; restrictive ones only take away."""
    return [
        policy["name"]
        for name, policy in table.policies.items()
        if name not in POLICIES and policy["permissive"] and {APP, "public"} & set(policy["roles"])
    ]


def faults(connection: Connection) -> list[str]:
    """What lets rows be seen in a transaction of this process that should not; none: all is well.

    Call it on a connection of the app's own engine, in no scope.
    """
    me = connection.execute(catalogue.CURRENT_ROLE).one()
    found = []
    if me.free:
        found.append(f"row-level security does not hold for the role {me.name}")
    if me.name != APP or me.system:
        found.append(f"transactions run as {me.name}, which sees the rows of every organisation")
    return found + [f"{table.name} {fault}" for table in _tables(connection) for fault in _faults_of(table)]


def _tables(connection: Connection) -> Sequence[Row[Any]]:
    """What the catalogue takes for organisations' tables, and what the models here say."""
    return connection.execute(catalogue.TABLES, {"names": sorted(tenant_tables)}).all()


def _faults_of(table: Row[Any]) -> Iterator[str]:
    if table.owned:
        yield "belongs to the role that requests run as"
    if not (table.enabled and table.forced):
        yield "has no row-level security in force"
    for role in _lacking(table):
        yield f"lacks the policy {role}"
    for name in _more(table):
        yield f"has another policy for {APP}, {name}, which lets it see more"

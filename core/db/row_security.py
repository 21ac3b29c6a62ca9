"""Setting up and checking PostgreSQL's row-level security, for core's tables and every plugin's.

A table is an organisation's when its ``organisation_id`` is never null and points at
``core_organisation``, as ``TenantMixin`` makes it: the catalogue tells, so that no plugin needs to
be imported, nor its author to do anything. On SQLite there is nothing to set up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import DBAPIError

from .base import tenant_tables
from .roles import APP, SYSTEM

_OF_TENANT = "(organisation_id = (nullif(current_setting('app.tenant', true), ''))::uuid)"
POLICIES = {APP: _OF_TENANT, SYSTEM: "true"}
"""Who sees and writes which rows of an organisation's table: by role, which is the policy's name too."""

_TABLE_RIGHTS, _SEQUENCE_RIGHTS = "SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT"
_PUBLIC = "unknown (OID=0)"  # what pg_get_userbyid says of everybody
_OWNER = "the role that DATABASE_URL logs in as must own the tables and the right to share them"
_DENIED = "42501"
_RACES = {"23505", "42710", "XX000"}  # unique violation, duplicate object, "tuple concurrently updated"


class RowSecurityError(Exception):
    """The login role lacks a right that setting up takes; the text says what to do."""


def enforce(connection: Connection) -> list[str]:
    """Make roles, grants and policies complete in the open transaction of the tables' owner.

    Returns the statements it took, none where nothing has changed. Raises ``RowSecurityError``.
    """
    if connection.dialect.name != "postgresql":
        return []
    done = _roles(connection)
    missing = [*_rights(connection), *_policies(connection)]
    try:
        for statement in missing:
            connection.exec_driver_sql(statement)
    except DBAPIError as fault:
        if _state(fault) == _DENIED:
            raise RowSecurityError(f"{_OWNER} ({fault.orig})") from fault
        raise
    return done + missing


def _state(fault: DBAPIError) -> str | None:
    return getattr(fault.orig, "sqlstate", None)


# --- the two roles, which all databases of a cluster share --------------------------------------------

_HELD = text(
    "SELECT current_user AS login, quote_ident(current_user) AS quoted, wanted.name, role.oid IS NOT NULL AS there,"
    " CASE WHEN role.oid IS NULL THEN false"
    # from 16 on who creates a role may administer it, and neither becomes nor inherits it
    " WHEN current_setting('server_version_num')::int >= 160000"
    " THEN pg_has_role(role.oid, 'SET') AND pg_has_role(role.oid, 'USAGE')"
    " ELSE pg_has_role(role.oid, 'MEMBER') END AS held"
    f" FROM (VALUES ('{APP}'), ('{SYSTEM}')) AS wanted (name)"
    " LEFT JOIN pg_roles AS role ON role.rolname = wanted.name"
)


def _roles(connection: Connection) -> list[str]:
    """Create and grant what lacks. Another database's upgrade may be at it: then look again."""
    for last in (False, False, False, True):
        found = connection.execute(_HELD).all()
        created = [f"CREATE ROLE {row.name} NOLOGIN" for row in found if not row.there]
        lacking = [row.name for row in found if not row.held]
        if not lacking:
            return []
        statements = [*created, f"GRANT {', '.join(lacking)} TO {found[0].quoted}"]
        try:
            with connection.begin_nested():
                for statement in statements:
                    connection.exec_driver_sql(statement)
            return statements
        except DBAPIError as fault:
            if _state(fault) == _DENIED:
                raise RowSecurityError(_for_an_administrator(found[0].login, created, statements[-1])) from fault
            if last or _state(fault) not in _RACES:
                raise
    raise AssertionError("unreachable")


def _for_an_administrator(login: str, created: list[str], granted: str) -> str:
    lines = [f"{'; '.join(created)};", f"{granted};"] if created else [f"{granted};"]
    return "\n".join(
        [
            f"row-level security needs two roles which {login} may not create or grant. "
            "Have an administrator of PostgreSQL run this, then run jobstead db upgrade again:",
            *lines,
        ]
    )


# --- what they may do ---------------------------------------------------------------------------------

_GRANTED = text(
    "SELECT class.oid::regclass::text AS name, class.relkind = 'S' AS sequence FROM pg_class AS class"
    " JOIN pg_namespace AS space ON space.oid = class.relnamespace"
    " WHERE space.nspname = current_schema() AND class.relkind IN ('r', 'p', 'S')"
    " AND pg_has_role(class.relowner, 'USAGE')"
    # where somebody has left SELECT alone, that was meant
    " AND CASE WHEN class.relkind = 'S'"
    f" THEN NOT (has_sequence_privilege('{APP}', class.oid, 'USAGE')"
    f" AND has_sequence_privilege('{SYSTEM}', class.oid, 'USAGE'))"
    f" ELSE NOT (has_table_privilege('{APP}', class.oid, 'SELECT')"
    f" AND has_table_privilege('{SYSTEM}', class.oid, 'SELECT')) END"
    " ORDER BY 1"
)
_BY_DEFAULT = text(
    "SELECT space.oid AS schema, quote_ident(space.nspname) AS name,"
    f" has_schema_privilege('{APP}', space.oid, 'USAGE')"
    f" AND has_schema_privilege('{SYSTEM}', space.oid, 'USAGE') AS usable,"
    " ARRAY(SELECT given.defaclobjtype::text FROM pg_default_acl AS given, aclexplode(given.defaclacl) AS item"
    " JOIN pg_roles AS role ON role.oid = item.grantee"
    " WHERE given.defaclrole = current_user::regrole AND given.defaclnamespace = space.oid"
    f" AND role.rolname IN ('{APP}', '{SYSTEM}') AND item.privilege_type = 'SELECT'"
    " GROUP BY given.defaclobjtype HAVING count(*) = 2) AS kinds"
    " FROM pg_namespace AS space WHERE space.nspname = current_schema()"
)


def _rights(connection: Connection) -> Iterator[str]:
    to = f"TO {APP}, {SYSTEM}"
    schema = connection.execute(_BY_DEFAULT).one()
    if not schema.usable:
        yield f"GRANT USAGE ON SCHEMA {schema.name} {to}"
    for kind, what, rights in (("r", "TABLES", _TABLE_RIGHTS), ("S", "SEQUENCES", _SEQUENCE_RIGHTS)):
        if kind not in schema.kinds:
            yield f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema.name} GRANT {rights} ON {what} {to}"
    lacking = connection.execute(_GRANTED).all()
    for sequence, what, rights in ((False, "TABLE", _TABLE_RIGHTS), (True, "SEQUENCE", _SEQUENCE_RIGHTS)):
        names = [row.name for row in lacking if row.sequence is sequence]
        if names:
            yield f"GRANT {rights} ON {what} {', '.join(names)} {to}"


# --- which rows ---------------------------------------------------------------------------------------

_POLICY = (
    "SELECT coalesce(jsonb_object_agg(policy.polname, jsonb_build_object("
    "'name', quote_ident(policy.polname), 'read', pg_get_expr(policy.polqual, policy.polrelid),"
    " 'written', pg_get_expr(policy.polwithcheck, policy.polrelid),"
    " 'roles', ARRAY(SELECT pg_get_userbyid(role) FROM unnest(policy.polroles) AS role),"
    " 'all', policy.polcmd = '*', 'permissive', policy.polpermissive)), '{}')"
    " FROM pg_policy AS policy WHERE policy.polrelid = class.oid"
)
_TABLES = (
    "SELECT class.relname, class.oid::regclass::text AS name, class.relrowsecurity AS enabled,"
    f" class.relforcerowsecurity AS forced, ({_POLICY}) AS policies,"
    " pg_has_role(class.relowner, 'MEMBER') AS owned FROM pg_class AS class"
    " JOIN pg_namespace AS space ON space.oid = class.relnamespace"
    " WHERE space.nspname = current_schema() AND class.relkind IN ('r', 'p') AND "
)
_OF_ORGANISATIONS = text(
    _TABLES + "EXISTS (SELECT 1 FROM pg_attribute AS col JOIN pg_constraint AS key"
    " ON key.conrelid = col.attrelid AND key.contype = 'f' AND key.conkey = ARRAY[col.attnum]"
    " WHERE col.attrelid = class.oid AND col.attname = 'organisation_id' AND col.attnotnull"
    " AND key.confrelid = to_regclass('core_organisation')) ORDER BY 1"
)
_NAMED = text(_TABLES + "class.relname = ANY(:names) ORDER BY 1")


def _policies(connection: Connection) -> Iterator[str]:
    for table in connection.execute(_OF_ORGANISATIONS).all():
        if not table.enabled:
            yield f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY"
        if not table.forced:
            yield f"ALTER TABLE {table.name} FORCE ROW LEVEL SECURITY"
        for name in _more(table):
            yield f"DROP POLICY {name} ON {table.name}"
        for role, rows in POLICIES.items():
            there = table.policies.get(role)
            if there is not None and _is(there, role):
                continue
            if there is not None:
                yield f"DROP POLICY {role} ON {table.name}"
            yield f"CREATE POLICY {role} ON {table.name} TO {role} USING ({rows}) WITH CHECK ({rows})"


def _is(policy: dict[str, Any], role: str) -> bool:
    wanted = _plain(POLICIES[role])
    return bool(
        policy["all"]
        and policy["permissive"]
        and policy["roles"] == [role]
        and _plain(policy["read"]) == _plain(policy["written"]) == wanted
    )


def _more(table: Row[Any]) -> list[str]:
    """Further policies that let the app see rows; restrictive ones only take away."""
    return [
        policy["name"]
        for name, policy in table.policies.items()
        if name not in POLICIES and policy["permissive"] and {APP, _PUBLIC} & set(policy["roles"])
    ]


def _plain(expression: str | None) -> str:
    """An expression without what PostgreSQL adds when it tells it again."""
    kept = (expression or "").lower().replace("::text", "")
    return "".join(character for character in kept if character not in "() ")


# --- whether it holds ---------------------------------------------------------------------------------

_ME = text(
    "SELECT current_user AS name, role.rolsuper OR role.rolbypassrls AS free,"
    f" pg_has_role(current_user, '{SYSTEM}', 'MEMBER') AS system FROM pg_roles AS role"
    " WHERE role.rolname = current_user"
)


def faults(connection: Connection) -> list[str]:
    """What keeps rows from being safe in a transaction of this process, each a sentence; none: all is well.

    Call it on a connection of the app's own engine, in no scope.
    """
    me = connection.execute(_ME).one()
    found = []
    if me.free:
        found.append(f"the role {me.name} passes by row-level security")
    if me.name != APP or me.system:
        found.append(f"transactions run as {me.name}, which sees the rows of every organisation")
    for table in connection.execute(_NAMED, {"names": sorted(tenant_tables)}).all():
        found += [f"{table.name} {fault}" for fault in _faults_of(table)]
    return found


def _faults_of(table: Row[Any]) -> Iterator[str]:
    if table.owned:
        yield f"belongs to {APP}, which must own nothing"
    if not (table.enabled and table.forced):
        yield "has no row-level security in force"
    for role in POLICIES:
        if role not in table.policies or not _is(table.policies[role], role):
            yield f"lacks the policy {role}"
    for name in _more(table):
        yield f"has another policy for {APP}, {name}, which lets it see more"

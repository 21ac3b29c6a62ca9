"""What PostgreSQL's catalogue says of roles, rights and row-level security, as the login role sees it."""

from __future__ import annotations

from sqlalchemy import text

ROLES = text("""
    SELECT current_user AS login, quote_ident(current_user) AS quoted, wanted.name,
        role.oid IS NOT NULL AS there,
        CASE WHEN role.oid IS NULL THEN false
            -- since 16 who creates a role may administer it, and neither becomes nor inherits it
            WHEN current_setting('server_version_num')::int >= 160000
                THEN pg_has_role(role.oid, 'SET') AND pg_has_role(role.oid, 'USAGE')
            ELSE pg_has_role(role.oid, 'MEMBER') END AS held
    FROM (VALUES ('jobstead_app'), ('jobstead_system')) AS wanted (name)
    LEFT JOIN pg_roles AS role ON role.rolname = wanted.name
    ORDER BY wanted.name
""")
"""The two roles: whether each is there, and whether the login role can become it."""

SCHEMA = text("""
    SELECT quote_ident(space.nspname) AS name,
        has_schema_privilege('jobstead_app', space.oid, 'USAGE')
            AND has_schema_privilege('jobstead_system', space.oid, 'USAGE') AS usable,
        ARRAY(SELECT given.defaclobjtype::text
            FROM pg_default_acl AS given JOIN pg_roles AS role ON role.oid = given.defaclrole
            WHERE role.rolname = current_user AND given.defaclnamespace = space.oid
                AND given.defaclacl::text LIKE '%jobstead_app=%'
                AND given.defaclacl::text LIKE '%jobstead_system=%') AS kinds
    FROM pg_namespace AS space WHERE space.nspname = current_schema()
""")
"""Where tables are made: whether both roles may look into it, and which kinds (r, S) they get by default."""

UNSHARED = text("""
    SELECT class.oid::regclass::text AS name, class.relkind = 'S' AS sequence
    FROM pg_class AS class JOIN pg_namespace AS space ON space.oid = class.relnamespace
    WHERE space.nspname = current_schema() AND class.relkind IN ('r', 'p', 'S')
        AND pg_has_role(class.relowner, 'USAGE')
        AND CASE WHEN class.relkind = 'S'
            THEN NOT (has_sequence_privilege('jobstead_app', class.oid, 'USAGE')
                AND has_sequence_privilege('jobstead_system', class.oid, 'USAGE'))
            ELSE NOT (has_table_privilege('jobstead_app', class.oid, 'SELECT')
                AND has_table_privilege('jobstead_system', class.oid, 'SELECT')) END
    ORDER BY 1
""")
"""Tables and sequences of ours that a role cannot even read. Where more was revoked, that was meant."""

TABLES = text("""
    SELECT class.oid::regclass::text AS name, class.relrowsecurity AS enabled,
        class.relforcerowsecurity AS forced, pg_has_role(class.relowner, 'MEMBER') AS owned,
        (SELECT coalesce(jsonb_object_agg(policy.polname, jsonb_build_object(
                'name', quote_ident(policy.polname),
                'read', pg_get_expr(policy.polqual, policy.polrelid),
                'written', pg_get_expr(policy.polwithcheck, policy.polrelid),
                'roles', ARRAY(SELECT CASE role WHEN 0 THEN 'public' ELSE pg_get_userbyid(role) END
                    FROM unnest(policy.polroles) AS role),
                'all', policy.polcmd = '*', 'permissive', policy.polpermissive)), '{}')
            FROM pg_policy AS policy WHERE policy.polrelid = class.oid) AS policies
    FROM pg_class AS class JOIN pg_namespace AS space ON space.oid = class.relnamespace
    WHERE space.nspname = current_schema() AND class.relkind IN ('r', 'p')
        AND (class.relname = ANY(CAST(:names AS text[])) OR EXISTS (
            SELECT 1 FROM pg_attribute AS col
            JOIN pg_constraint AS key ON key.conrelid = col.attrelid
            LEFT JOIN pg_attribute AS id ON id.attrelid = col.attrelid AND id.attname = 'id'
            WHERE col.attrelid = class.oid AND col.attname = 'organisation_id' AND col.attnotnull
                AND CASE key.contype
                    WHEN 'f' THEN key.conkey = ARRAY[col.attnum]
                        AND key.confrelid = to_regclass('core_organisation')
                    WHEN 'u' THEN key.conkey = ARRAY[col.attnum, id.attnum]
                    ELSE false END))
    ORDER BY 1
""")
"""Organisations' tables with their policies: those whose ``organisation_id`` is never null and points at
``core_organisation`` or is unique together with ``id``, and those in ``names`` whatever they look like."""

CURRENT_ROLE = text("""
    SELECT current_user AS name, role.rolsuper OR role.rolbypassrls AS free,
        pg_has_role(current_user, 'jobstead_system', 'MEMBER') AS system
    FROM pg_roles AS role WHERE role.rolname = current_user
""")
"""Who the transaction is: whether row-level security holds for it, and whether it sees all by membership."""

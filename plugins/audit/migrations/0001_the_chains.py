"""The chains, and triggers that let nobody change or delete what stands in them

Whoever changes these tables later and has SQLite rebuild one must call ``guard`` again: its triggers
go with the old table.

Revision 0001, the first. Written 2026-11-21.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


ENTRIES = ("audit_instance_entry", "audit_organisation_entry")
_SHRINKS = "NEW.name <> OLD.name OR NEW.seq < OLD.seq OR (NEW.seq = OLD.seq AND NEW.hash <> OLD.hash)"


def guard() -> None:
    """Refuse every change of a row, its deletion, and a chain that becomes shorter."""
    if op.get_bind().dialect.name == "sqlite":
        refuse = "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        for table in ENTRIES:
            op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}")
        for table in (*ENTRIES, "audit_chain"):
            op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}")
        op.execute(f"CREATE TRIGGER audit_chain_grows BEFORE UPDATE ON audit_chain WHEN {_SHRINKS} {refuse}")
        return
    op.execute(
        "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
    )
    refuse = "EXECUTE FUNCTION audit_refuse()"
    for table in ENTRIES:
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW {refuse}")
    for table in (*ENTRIES, "audit_chain"):
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {refuse}")
        op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} {refuse}")
    op.execute(
        "CREATE TRIGGER audit_chain_grows BEFORE UPDATE ON audit_chain "
        f"FOR EACH ROW WHEN ({_SHRINKS}) {refuse}"
    )


def upgrade() -> None:
    op.create_table(
        "audit_chain",
        sa.Column("name", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("exported", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_audit_chain")),
    )
    op.create_table(
        "audit_instance_entry",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("target_type", sa.String(length=64), nullable=False),
        sa.Column("target_id", sa.String(length=100), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_instance_entry")),
        sa.UniqueConstraint("event_id", name=op.f("uq_audit_instance_entry_event_id")),
        sa.UniqueConstraint("seq", name=op.f("uq_audit_instance_entry_seq")),
    )
    with op.batch_alter_table("audit_instance_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_instance_entry_actor_seq"), ["actor", "seq"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_audit_instance_entry_target_id_seq"), ["target_id", "seq"], unique=False
        )

    op.create_table(
        "audit_organisation_entry",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("target_type", sa.String(length=64), nullable=False),
        sa.Column("target_id", sa.String(length=100), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_organisation_entry")),
        sa.UniqueConstraint(
            "organisation_id", "event_id", name=op.f("uq_audit_organisation_entry_organisation_id_event_id")
        ),
        sa.UniqueConstraint(
            "organisation_id", "id", name=op.f("uq_audit_organisation_entry_organisation_id_id")
        ),
        sa.UniqueConstraint(
            "organisation_id", "seq", name=op.f("uq_audit_organisation_entry_organisation_id_seq")
        ),
    )
    with op.batch_alter_table("audit_organisation_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_audit_organisation_entry_organisation_id_actor_seq"),
            ["organisation_id", "actor", "seq"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_audit_organisation_entry_organisation_id_target_id_seq"),
            ["organisation_id", "target_id", "seq"],
            unique=False,
        )

    guard()


def downgrade() -> None:
    with op.batch_alter_table("audit_organisation_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_organisation_entry_organisation_id_target_id_seq"))
        batch_op.drop_index(batch_op.f("ix_audit_organisation_entry_organisation_id_actor_seq"))

    op.drop_table("audit_organisation_entry")
    with op.batch_alter_table("audit_instance_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_instance_entry_target_id_seq"))
        batch_op.drop_index(batch_op.f("ix_audit_instance_entry_actor_seq"))

    op.drop_table("audit_instance_entry")
    op.drop_table("audit_chain")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_refuse()")

"""initial

Revision 0001, the first. Written 2026-11-21.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("handler", sa.String(length=120), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("order_key", sa.String(length=200), nullable=True),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("kills", sa.SmallInteger(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_delivery")),
    )
    with op.batch_alter_table("core_delivery", schema=None) as batch_op:
        batch_op.create_index(
            "ix_core_delivery_dead",
            ["finished_at"],
            unique=False,
            sqlite_where=sa.text("status = 'dead'"),
            postgresql_where=sa.text("status = 'dead'"),
        )
        batch_op.create_index("ix_core_delivery_event_seq", ["event_seq"], unique=False)
        batch_op.create_index(
            "ix_core_delivery_failing",
            ["handler", "slot"],
            unique=False,
            sqlite_where=sa.text("status = 'pending' AND attempts > 0"),
            postgresql_where=sa.text("status = 'pending' AND attempts > 0"),
        )
        batch_op.create_index(
            "ix_core_delivery_lane",
            ["handler", "slot", "event_seq"],
            unique=False,
            sqlite_where=sa.text("status = 'pending'"),
            postgresql_where=sa.text("status = 'pending'"),
        )

    op.create_table(
        "core_event",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("order_key", sa.String(length=200), nullable=True),
        sa.Column("payload", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_core_event")),
        sa.UniqueConstraint("id", name=op.f("uq_core_event_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("core_event", schema=None) as batch_op:
        batch_op.create_index(
            "ix_core_event_pending",
            ["seq"],
            unique=False,
            sqlite_where=sa.text("pending"),
            postgresql_where=sa.text("pending"),
        )

    op.create_table(
        "core_job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("args", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("queue", sa.String(length=40), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("unique_key", sa.String(length=400), nullable=True),
        sa.Column("status", sa.String(length=9), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("kills", sa.SmallInteger(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("holder", sa.String(length=100), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("result", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_job")),
    )
    with op.batch_alter_table("core_job", schema=None) as batch_op:
        batch_op.create_index(
            "ix_core_job_due",
            ["queue", "due"],
            unique=False,
            sqlite_where=sa.text("status = 'queued'"),
            postgresql_where=sa.text("status = 'queued'"),
        )
        batch_op.create_index("ix_core_job_organisation_id", ["organisation_id", "created_at"], unique=False)
        batch_op.create_index(
            "ix_core_job_running",
            ["until"],
            unique=False,
            sqlite_where=sa.text("status = 'running'"),
            postgresql_where=sa.text("status = 'running'"),
        )
        batch_op.create_index(
            "ix_core_job_unique",
            ["unique_key"],
            unique=True,
            sqlite_where=sa.text("status IN ('queued', 'running')"),
            postgresql_where=sa.text("status IN ('queued', 'running')"),
        )

    op.create_table(
        "core_lane",
        sa.Column("handler", sa.String(length=120), nullable=False),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("queue", sa.String(length=40), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rung", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(length=100), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("suspect", sa.Uuid(), nullable=True),
        sa.Column("unattributed", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("handler", "slot", name=op.f("pk_core_lane")),
    )
    op.create_table(
        "core_lease",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=100), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_core_lease")),
    )
    op.create_table(
        "core_plugin",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=80), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_core_plugin")),
    )
    op.create_table(
        "core_queue",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_core_queue")),
    )
    op.create_table(
        "core_schedule",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("job", sa.String(length=120), nullable=False),
        sa.Column("args", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("cron", sa.String(length=100), nullable=False),
        sa.Column("tz", sa.String(length=64), nullable=False),
        sa.Column("policy", sa.String(length=4), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_schedule")),
        sa.UniqueConstraint("name", name=op.f("uq_core_schedule_name")),
    )
    with op.batch_alter_table("core_schedule", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_core_schedule_next_at"), ["next_at"], unique=False)

    op.create_table(
        "core_setup",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_setup")),
        sa.UniqueConstraint("name", name=op.f("uq_core_setup_name")),
    )
    op.create_table(
        "core_signing_key",
        sa.Column("kid", sa.String(length=43), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("public", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("private", sa.Text(), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('next', 'active', 'retiring', 'gone')", name=op.f("ck_core_signing_key_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_signing_key")),
        sa.UniqueConstraint("kid", name=op.f("uq_core_signing_key_kid")),
    )
    with op.batch_alter_table("core_signing_key", schema=None) as batch_op:
        batch_op.create_index(
            "uq_core_signing_key_active",
            ["purpose"],
            unique=True,
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )

    op.create_table(
        "core_user",
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("avatar", sa.String(length=500), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("locale", sa.String(length=35), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("preferences", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('active', 'suspended')", name=op.f("ck_core_user_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_user")),
        sa.UniqueConstraint("email", name=op.f("uq_core_user_email")),
    )
    with op.batch_alter_table("core_user", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_core_user_created_at"), ["created_at"], unique=False)

    op.create_table(
        "core_code",
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["core_user.id"], name=op.f("fk_core_code_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_code")),
    )
    with op.batch_alter_table("core_code", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_core_code_address_key_purpose_created_at"),
            ["address_key", "purpose", "created_at"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_core_code_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "core_organisation",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("slug", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('personal', 'team', 'home')", name=op.f("ck_core_organisation_kind")),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["core_user.id"],
            name=op.f("fk_core_organisation_created_by"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_organisation")),
        sa.UniqueConstraint("slug", name=op.f("uq_core_organisation_slug")),
    )
    with op.batch_alter_table("core_organisation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_core_organisation_created_at"), ["created_at"], unique=False)
        batch_op.create_index(
            "uq_core_organisation_home",
            ["kind"],
            unique=True,
            sqlite_where=sa.text("kind = 'home'"),
            postgresql_where=sa.text("kind = 'home'"),
        )
        batch_op.create_index(
            "uq_core_organisation_personal",
            ["created_by"],
            unique=True,
            sqlite_where=sa.text("kind = 'personal'"),
            postgresql_where=sa.text("kind = 'personal'"),
        )

    op.create_table(
        "core_password",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.String(length=255), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("spent", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["core_user.id"], name=op.f("fk_core_password_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_core_password")),
    )
    op.create_table(
        "core_schedule_fire",
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("fire_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["core_schedule.id"],
            name=op.f("fk_core_schedule_fire_schedule_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("schedule_id", "fire_at", name=op.f("pk_core_schedule_fire")),
    )
    op.create_table(
        "core_session",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("amr", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_for", sa.String(length=40), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["core_user.id"], name=op.f("fk_core_session_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_session")),
    )
    with op.batch_alter_table("core_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_core_session_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_core_session_user_id_revoked_at"), ["user_id", "revoked_at"], unique=False
        )

    op.create_table(
        "core_user_role",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["core_user.id"], name=op.f("fk_core_user_role_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "role", name=op.f("pk_core_user_role")),
    )
    with op.batch_alter_table("core_user_role", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_core_user_role_role"), ["role"], unique=False)

    op.create_table(
        "core_member",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('owner', 'admin', 'member', 'viewer')", name=op.f("ck_core_member_role")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["core_organisation.id"],
            name=op.f("fk_core_member_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["core_user.id"], name=op.f("fk_core_member_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_member")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_core_member_organisation_id_id")),
        sa.UniqueConstraint(
            "organisation_id", "user_id", name=op.f("uq_core_member_organisation_id_user_id")
        ),
    )
    with op.batch_alter_table("core_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_core_member_user_id"), ["user_id"], unique=False)

    op.create_table(
        "core_refresh_token",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["core_session.id"],
            name=op.f("fk_core_refresh_token_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_refresh_token")),
    )
    with op.batch_alter_table("core_refresh_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_core_refresh_token_session_id"), ["session_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("core_refresh_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_core_refresh_token_session_id"))

    op.drop_table("core_refresh_token")
    with op.batch_alter_table("core_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_core_member_user_id"))

    op.drop_table("core_member")
    with op.batch_alter_table("core_user_role", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_core_user_role_role"))

    op.drop_table("core_user_role")
    with op.batch_alter_table("core_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_core_session_user_id_revoked_at"))
        batch_op.drop_index(batch_op.f("ix_core_session_expires_at"))

    op.drop_table("core_session")
    op.drop_table("core_schedule_fire")
    op.drop_table("core_password")
    with op.batch_alter_table("core_organisation", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_core_organisation_personal",
            sqlite_where=sa.text("kind = 'personal'"),
            postgresql_where=sa.text("kind = 'personal'"),
        )
        batch_op.drop_index(
            "uq_core_organisation_home",
            sqlite_where=sa.text("kind = 'home'"),
            postgresql_where=sa.text("kind = 'home'"),
        )
        batch_op.drop_index(batch_op.f("ix_core_organisation_created_at"))

    op.drop_table("core_organisation")
    with op.batch_alter_table("core_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_core_code_expires_at"))
        batch_op.drop_index(batch_op.f("ix_core_code_address_key_purpose_created_at"))

    op.drop_table("core_code")
    with op.batch_alter_table("core_user", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_core_user_created_at"))

    op.drop_table("core_user")
    with op.batch_alter_table("core_signing_key", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_core_signing_key_active",
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )

    op.drop_table("core_signing_key")
    op.drop_table("core_setup")
    with op.batch_alter_table("core_schedule", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_core_schedule_next_at"))

    op.drop_table("core_schedule")
    op.drop_table("core_queue")
    op.drop_table("core_plugin")
    op.drop_table("core_lease")
    op.drop_table("core_lane")
    with op.batch_alter_table("core_job", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_core_job_unique",
            sqlite_where=sa.text("status IN ('queued', 'running')"),
            postgresql_where=sa.text("status IN ('queued', 'running')"),
        )
        batch_op.drop_index(
            "ix_core_job_running",
            sqlite_where=sa.text("status = 'running'"),
            postgresql_where=sa.text("status = 'running'"),
        )
        batch_op.drop_index("ix_core_job_organisation_id")
        batch_op.drop_index(
            "ix_core_job_due",
            sqlite_where=sa.text("status = 'queued'"),
            postgresql_where=sa.text("status = 'queued'"),
        )

    op.drop_table("core_job")
    with op.batch_alter_table("core_event", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_core_event_pending", sqlite_where=sa.text("pending"), postgresql_where=sa.text("pending")
        )

    op.drop_table("core_event")
    with op.batch_alter_table("core_delivery", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_core_delivery_lane",
            sqlite_where=sa.text("status = 'pending'"),
            postgresql_where=sa.text("status = 'pending'"),
        )
        batch_op.drop_index(
            "ix_core_delivery_failing",
            sqlite_where=sa.text("status = 'pending' AND attempts > 0"),
            postgresql_where=sa.text("status = 'pending' AND attempts > 0"),
        )
        batch_op.drop_index("ix_core_delivery_event_seq")
        batch_op.drop_index(
            "ix_core_delivery_dead",
            sqlite_where=sa.text("status = 'dead'"),
            postgresql_where=sa.text("status = 'dead'"),
        )

    op.drop_table("core_delivery")

"""Identities, spent states and entry codes

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
        "sso_spent_state",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sso_spent_state")),
        sa.UniqueConstraint("digest", name=op.f("uq_sso_spent_state_digest")),
    )
    with op.batch_alter_table("sso_spent_state", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sso_spent_state_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "sso_entry_code",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("challenge", sa.String(length=43), nullable=False),
        sa.Column("amr", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["core_user.id"], name=op.f("fk_sso_entry_code_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sso_entry_code")),
        sa.UniqueConstraint("digest", name=op.f("uq_sso_entry_code_digest")),
    )
    with op.batch_alter_table("sso_entry_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sso_entry_code_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_sso_entry_code_user_id"), ["user_id"], unique=False)

    op.create_table(
        "sso_identity",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(length=60), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["core_user.id"], name=op.f("fk_sso_identity_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sso_identity")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_sso_identity_issuer_subject")),
    )
    with op.batch_alter_table("sso_identity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sso_identity_user_id"), ["user_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("sso_identity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sso_identity_user_id"))

    op.drop_table("sso_identity")
    with op.batch_alter_table("sso_entry_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sso_entry_code_user_id"))
        batch_op.drop_index(batch_op.f("ix_sso_entry_code_expires_at"))

    op.drop_table("sso_entry_code")
    with op.batch_alter_table("sso_spent_state", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sso_spent_state_expires_at"))

    op.drop_table("sso_spent_state")

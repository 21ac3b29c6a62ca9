"""second step of signing in

Revision 0005, after 0003. Written 2026-11-21.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_login_ticket",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("amr", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["core_user.id"], name=op.f("fk_core_login_ticket_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_login_ticket")),
    )
    with op.batch_alter_table("core_login_ticket", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_core_login_ticket_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_core_login_ticket_user_id"), ["user_id"], unique=False)

    op.create_table(
        "core_second_step",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["core_user.id"], name=op.f("fk_core_second_step_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "plugin", name=op.f("pk_core_second_step")),
    )


def downgrade() -> None:
    op.drop_table("core_second_step")
    with op.batch_alter_table("core_login_ticket", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_core_login_ticket_user_id"))
        batch_op.drop_index(batch_op.f("ix_core_login_ticket_expires_at"))

    op.drop_table("core_login_ticket")

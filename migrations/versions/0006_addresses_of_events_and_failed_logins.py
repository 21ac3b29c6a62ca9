"""addresses of events and failed log-ins

Revision 0006, after 0005. Written 2026-11-21.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_login_failure",
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.PrimaryKeyConstraint("address_key", "since", name=op.f("pk_core_login_failure")),
    )
    with op.batch_alter_table("core_login_failure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_core_login_failure_since"), ["since"], unique=False)

    op.add_column("core_event", sa.Column("ip", sa.String(length=45), nullable=True))


def downgrade() -> None:
    op.drop_column("core_event", "ip")  # without rebuilding the table, which would lose AUTOINCREMENT

    with op.batch_alter_table("core_login_failure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_core_login_failure_since"))

    op.drop_table("core_login_failure")

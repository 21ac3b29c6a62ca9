"""a lost answer may be asked for again

Revision 0007, after 0006. Written 2026-11-21.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("core_refresh_token", schema=None) as batch_op:
        batch_op.add_column(sa.Column("successor", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("core_refresh_token", schema=None) as batch_op:
        batch_op.drop_column("successor")

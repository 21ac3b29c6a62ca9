"""nowhere

Revision 0001, the first.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE broken_migration_first (id INTEGER PRIMARY KEY)")
    op.execute("INSERT INTO a_table_that_is_not_there VALUES (1)")


def downgrade() -> None:
    pass

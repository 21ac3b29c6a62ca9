"""row-level security

Revision 0004, after 0003. Written 2026-11-21.

No table changes: `jobstead db upgrade` completes row-level security after whatever it has applied.
This revision has those wait for it whose database is older than that.
"""

from __future__ import annotations

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

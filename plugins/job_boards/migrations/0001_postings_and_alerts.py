"""postings and alerts

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
        "job_boards_ingest",
        sa.Column("feed", sa.String(length=120), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("run_key", sa.String(length=120), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column(
            "skipped_records", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_boards_ingest")),
        sa.UniqueConstraint("run_key", name=op.f("uq_job_boards_ingest_run_key")),
    )
    with op.batch_alter_table("job_boards_ingest", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_job_boards_ingest_feed_created_at"), ["feed", "created_at"], unique=False
        )

    op.create_table(
        "job_boards_source",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("etag", sa.String(length=300), nullable=True),
        sa.Column("last_modified", sa.String(length=100), nullable=True),
        sa.Column("last_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_ok_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.Column("last_error_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("created_count", sa.Integer(), nullable=False),
        sa.Column("updated_count", sa.Integer(), nullable=False),
        sa.Column("skipped_count", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_boards_source")),
        sa.UniqueConstraint("name", name=op.f("uq_job_boards_source_name")),
    )
    op.create_table(
        "job_boards_posting",
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("feed", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("company", sa.String(length=200), nullable=False),
        sa.Column("location", sa.String(length=200), nullable=False),
        sa.Column("remote", sa.Boolean(), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=True),
        sa.Column("salary_min", sa.Integer(), nullable=True),
        sa.Column("salary_max", sa.Integer(), nullable=True),
        sa.Column("salary_currency", sa.String(length=3), nullable=True),
        sa.Column("salary_period", sa.String(length=10), nullable=True),
        sa.Column("salary_year_min", sa.Integer(), nullable=True),
        sa.Column("salary_year_max", sa.Integer(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("excerpt", sa.String(length=300), nullable=False),
        sa.Column("tags", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("requirements", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("benefits", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("source_url", sa.String(length=2000), nullable=False),
        sa.Column("apply_url", sa.String(length=2000), nullable=True),
        sa.Column("attribution", sa.String(length=300), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("location_key", sa.String(length=200), nullable=False),
        sa.Column("company_key", sa.String(length=200), nullable=False),
        sa.Column("duplicate_of", sa.Uuid(), nullable=True),
        sa.Column("ingest_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["duplicate_of"],
            ["job_boards_posting.id"],
            name=op.f("fk_job_boards_posting_duplicate_of"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["ingest_id"],
            ["job_boards_ingest.id"],
            name=op.f("fk_job_boards_posting_ingest_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_boards_posting")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_job_boards_posting_source_external_id")),
    )
    with op.batch_alter_table("job_boards_posting", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_job_boards_posting_duplicate_of"), ["duplicate_of"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_job_boards_posting_fingerprint"), ["fingerprint"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_boards_posting_ingest_id"), ["ingest_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_job_boards_posting_location_key_type"), ["location_key", "type"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_job_boards_posting_posted_at_id"), ["posted_at", "id"], unique=False
        )

    op.create_table(
        "job_boards_alert",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("filters", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("frequency", sa.String(length=10), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["core_organisation.id"],
            name=op.f("fk_job_boards_alert_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["core_user.id"], name=op.f("fk_job_boards_alert_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_boards_alert")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_job_boards_alert_organisation_id_id")),
    )
    with op.batch_alter_table("job_boards_alert", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_job_boards_alert_organisation_id_user_id_is_active"),
            ["organisation_id", "user_id", "is_active"],
            unique=False,
        )

    op.create_table(
        "job_boards_alert_match",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("posting_id", sa.Uuid(), nullable=False),
        sa.Column("ingest_id", sa.Uuid(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["ingest_id"],
            ["job_boards_ingest.id"],
            name=op.f("fk_job_boards_alert_match_ingest_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "alert_id"],
            ["job_boards_alert.organisation_id", "job_boards_alert.id"],
            name=op.f("fk_job_boards_alert_match_organisation_id_alert_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["core_organisation.id"],
            name=op.f("fk_job_boards_alert_match_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["posting_id"],
            ["job_boards_posting.id"],
            name=op.f("fk_job_boards_alert_match_posting_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_boards_alert_match")),
        sa.UniqueConstraint(
            "organisation_id",
            "alert_id",
            "posting_id",
            name=op.f("uq_job_boards_alert_match_organisation_id_alert_id_posting_id"),
        ),
        sa.UniqueConstraint(
            "organisation_id", "id", name=op.f("uq_job_boards_alert_match_organisation_id_id")
        ),
    )
    with op.batch_alter_table("job_boards_alert_match", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_boards_alert_match_ingest_id"), ["ingest_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_job_boards_alert_match_organisation_id_alert_id"),
            ["organisation_id", "alert_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_job_boards_alert_match_posting_id"), ["posting_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_job_boards_alert_match_sent_at"), ["sent_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("job_boards_alert_match", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_boards_alert_match_sent_at"))
        batch_op.drop_index(batch_op.f("ix_job_boards_alert_match_posting_id"))
        batch_op.drop_index(batch_op.f("ix_job_boards_alert_match_organisation_id_alert_id"))
        batch_op.drop_index(batch_op.f("ix_job_boards_alert_match_ingest_id"))

    op.drop_table("job_boards_alert_match")
    with op.batch_alter_table("job_boards_alert", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_boards_alert_organisation_id_user_id_is_active"))

    op.drop_table("job_boards_alert")
    with op.batch_alter_table("job_boards_posting", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_boards_posting_posted_at_id"))
        batch_op.drop_index(batch_op.f("ix_job_boards_posting_location_key_type"))
        batch_op.drop_index(batch_op.f("ix_job_boards_posting_ingest_id"))
        batch_op.drop_index(batch_op.f("ix_job_boards_posting_fingerprint"))
        batch_op.drop_index(batch_op.f("ix_job_boards_posting_duplicate_of"))

    op.drop_table("job_boards_posting")
    op.drop_table("job_boards_source")
    with op.batch_alter_table("job_boards_ingest", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_boards_ingest_feed_created_at"))

    op.drop_table("job_boards_ingest")

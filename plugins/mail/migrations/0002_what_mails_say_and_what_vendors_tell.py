"""What mails say, who gets none, and what vendors tell

Revision 0002, after 0001. Written 2026-11-21.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_inbound",
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_inbound")),
        sa.UniqueConstraint("provider", "external_id", name=op.f("uq_mail_inbound_provider_external_id")),
    )
    with op.batch_alter_table("mail_inbound", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_inbound_created_at"), ["created_at"], unique=False)

    op.create_table(
        "mail_suppression",
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=True),
        sa.Column("provider", sa.String(length=64), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_suppression")),
        sa.UniqueConstraint("address", name=op.f("uq_mail_suppression_address")),
    )
    with op.batch_alter_table("mail_suppression", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_suppression_created_at"), ["created_at"], unique=False)

    op.create_table(
        "mail_template",
        sa.Column("template", sa.String(length=64), nullable=False),
        sa.Column("locale", sa.String(length=35), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["core_organisation.id"],
            name=op.f("fk_mail_template_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_template")),
        sa.UniqueConstraint("organisation_id", "id", name=op.f("uq_mail_template_organisation_id_id")),
        sa.UniqueConstraint(
            "organisation_id",
            "template",
            "locale",
            "version",
            name=op.f("uq_mail_template_organisation_id_template_locale_version"),
        ),
    )
    with op.batch_alter_table("mail_message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("organisation_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("recipient", sa.String(length=254), nullable=True))
        batch_op.add_column(sa.Column("status", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("source", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("reference", sa.String(length=200), nullable=True))

    mail = sa.table(
        "mail_message",
        sa.column("sent_at", sa.DateTime()),
        sa.column("status", sa.String()),
        sa.column("recipient", sa.String()),
        sa.column("source", sa.String()),
    )
    status = sa.case((mail.c.sent_at.is_not(None), "sent"), else_="queued")  # jobs and deliveries go on
    op.execute(mail.update().values(status=status, recipient="", source="shipped"))
    with op.batch_alter_table("mail_message", schema=None) as batch_op:
        batch_op.alter_column("recipient", existing_type=sa.String(length=254), nullable=False)
        batch_op.alter_column("status", existing_type=sa.String(length=16), nullable=False)
        batch_op.alter_column("source", existing_type=sa.String(length=16), nullable=False)
        batch_op.create_index(batch_op.f("ix_mail_message_reference"), ["reference"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_mail_message_status_created_at"), ["status", "created_at"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("mail_message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mail_message_status_created_at"))
        batch_op.drop_index(batch_op.f("ix_mail_message_reference"))
        batch_op.drop_column("reference")
        batch_op.drop_column("source")
        batch_op.drop_column("status")
        batch_op.drop_column("recipient")
        batch_op.drop_column("organisation_id")

    op.drop_table("mail_template")
    with op.batch_alter_table("mail_suppression", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mail_suppression_created_at"))

    op.drop_table("mail_suppression")
    with op.batch_alter_table("mail_inbound", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mail_inbound_created_at"))

    op.drop_table("mail_inbound")

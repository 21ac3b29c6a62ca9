"""What an earlier version noted is kept, and the way back is open."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from uuid import uuid4

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

FIRST = import_module("plugins.mail.migrations.0001_what_became_of_each_mail")
SECOND = import_module("plugins.mail.migrations.0002_what_mails_say_and_what_vendors_tell")


MAILS = sa.table(
    "mail_message",
    *(sa.column(name, sa.DateTime(timezone=True)) for name in ("sent_at", "created_at", "updated_at")),
    *(sa.column(name, sa.String()) for name in ("template", "transport", "status", "source")),
    sa.column("attempts", sa.Integer()),
    sa.column("id", sa.Uuid()),
)


def test_mails_of_an_earlier_version_have_a_status(database_url: str) -> None:
    engine = sa.create_engine(database_url)
    now = datetime.now(UTC)
    out, waiting = uuid4(), uuid4()
    common = {"template": "welcome", "transport": "file", "attempts": 1, "created_at": now, "updated_at": now}
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        key = sa.Column("id", sa.Uuid(), primary_key=True)
        sa.Table("core_organisation", sa.MetaData(), key).create(connection)
        FIRST.upgrade()
        rows = [{"id": out, "sent_at": now}, {"id": waiting, "sent_at": None}]
        connection.execute(sa.insert(MAILS), [common | row for row in rows])

        SECOND.upgrade()
        found = connection.execute(sa.select(MAILS.c.id, MAILS.c.status, MAILS.c.source)).all()
        assert {row.id: (row.status, row.source) for row in found} == {
            out: ("sent", "shipped"),
            waiting: ("queued", "shipped"),
        }

        SECOND.downgrade()
        assert set(sa.inspect(connection).get_table_names()) == {"core_organisation", "mail_message"}
        SECOND.upgrade()
        assert connection.scalar(sa.select(sa.func.count()).select_from(MAILS)) == 2
    engine.dispose()

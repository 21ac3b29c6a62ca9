"""A bad mapping stays where it was made, also when it reached for somebody else's class."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import configure_mappers

from core.db import begin, db, metadata
from core.host.registry import host

from .conftest import Instance

OWNER = """
from core.api import InstanceMixin, Mapped, String, mapped_column, model_base

Base = model_base("owner")

class Thing(InstanceMixin, Base):
    __tablename__ = "owner_thing"
    name: Mapped[str] = mapped_column(String(20))
"""

INTRUDER = """
from uuid import UUID
from core.api import ForeignKey, InstanceMixin, Mapped, mapped_column, model_base, relationship
from plugins.owner.models import Thing

Base = model_base("intruder")

class Grip(InstanceMixin, Base):
    __tablename__ = "intruder_grip"
    thing_id: Mapped[UUID] = mapped_column(ForeignKey("owner_thing.id"))
    thing: Mapped[Thing] = relationship(Thing, backref="grips")
    other: Mapped[object] = relationship("NobodyIsCalledSo")
"""


def test_a_backref_of_a_broken_plugin_breaks_nobody(instance: Instance) -> None:
    folder = instance.write("owner", models=OWNER)
    (folder / "migrations" / "0001_things.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\nrevision = '0001'\ndown_revision = None\n"
        "def upgrade():\n"
        "    op.create_table('owner_thing', sa.Column('id', sa.Uuid(), primary_key=True),"
        " sa.Column('name', sa.String(20)), sa.Column('created_at', sa.DateTime(timezone=True)),"
        " sa.Column('updated_at', sa.DateTime(timezone=True)))\n"
    )
    instance.write("intruder", 'requires = ["owner"]', models=INTRUDER)
    instance.upgrade()
    app = instance.boot()
    records = host(app).records
    assert (records["intruder"].state, records["intruder"].step) == ("failed", "mapped")
    assert "Grip.thing puts a backref on another plugin's class" in (records["intruder"].reason or "")
    assert records["owner"].state == "active"
    Thing = records["owner"].package.models.Thing
    with app.app_context(), begin():
        db.session.add(Thing(name="one"))
        db.session.flush()
        assert db.session.scalars(select(Thing.name)).all() == ["one"]
        db.session.delete(db.session.scalars(select(Thing)).one())
    configure_mappers()


LATE = """
from core.api import InstanceMixin, Mapped, hookimpl, model_base, relationship

@hookimpl
def register_jobs():
    class Late(InstanceMixin, model_base("late")):
        __tablename__ = "late_row"
        other: Mapped[object] = relationship("NobodyIsCalledSo")
"""


def test_models_that_are_imported_late_are_proved_too(instance: Instance) -> None:
    instance.write("late", init=LATE)
    record = host(instance.boot()).records["late"]
    assert (record.state, record.step) == ("failed", "mapped")
    assert "late_row" not in metadata.tables

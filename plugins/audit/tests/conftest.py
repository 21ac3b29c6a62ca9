"""An instance that audits, and people who do things there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result

from core.api import Select, begin, db, invitation_token, select, unscoped
from core.testing import Databases, Instance, Person, engine_for
from plugins.audit import heads
from plugins.audit.commands import audit
from plugins.audit.models import InstanceEntry, OrganisationEntry


@dataclass
class World:
    """Ada, Bob and Root, who is superadmin; they share nothing unless a test says so."""

    instance: Instance
    ada: Person = field(init=False)
    bob: Person = field(init=False)
    root: Person = field(init=False)

    def __post_init__(self) -> None:
        self.ada = self.instance.person("ada@example.com")
        self.bob = self.instance.person("bob@example.com")
        self.root = self.instance.person("root@example.com", role="superadmin")

    def team(self, owner: Person) -> dict[str, Any]:
        """An organisation that ``owner`` owns."""
        answer = owner.post("/orgs", {"name": "Team", "slug": f"team-{uuid4().hex[:8]}"})
        assert answer.status_code == 201, answer.text
        return dict(answer.json or {})

    def join(self, organisation: dict[str, Any], who: Person, role: str) -> None:
        """Invited by the owner, who is Ada, and come."""
        invited = self.ada.post(
            f"/orgs/{organisation['slug']}/invitations", {"email": who.email, "role": role}
        )
        assert invited.status_code == 201, invited.text
        with self.instance.app.app_context():
            token = invitation_token(UUID((invited.json or {})["id"]))
        assert who.post(f"/invitations/{token}/accept").status_code == 200

    def told(self, who: Person, query: str = "", **headers: str) -> list[dict[str, Any]]:
        """The rows ``who`` gets from ``/audit``, once everything has been recorded."""
        self.instance.drain()
        answer = who.get(f"/audit{query}", headers=headers)
        assert answer.status_code == 200, answer.text
        return list((answer.json or {})["items"])

    def rows(self, organisation: UUID | None = None) -> list[Any]:
        """A whole chain, as it is stored."""
        statement: Select[Any] = select(InstanceEntry).order_by(InstanceEntry.seq)
        if organisation is not None:
            whose = OrganisationEntry.organisation_id == organisation
            statement = select(OrganisationEntry).where(whose).order_by(OrganisationEntry.seq)
        with self.instance.app.app_context(), begin(write=False), unscoped("look"):
            return list(db.session.scalars(statement))

    def verify(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Exit code and JSON of ``jobstead audit verify``."""
        result = self.command("verify", "--json", *arguments)
        return result.exit_code, json.loads(result.output)

    def command(self, *arguments: str) -> Result:
        with self.instance.app.app_context():
            return CliRunner().invoke(audit, list(arguments))

    def export(self) -> None:
        with self.instance.app.app_context(), begin():
            heads.export()

    def as_owner_of_the_database(self, *statements: str) -> None:
        """Change what stands there, past every trigger."""
        tables = ("audit_instance_entry", "audit_organisation_entry", "audit_chain")
        with engine_for(self.instance.app.extensions["jobstead.config"].database.url).begin() as connection:
            run = connection.exec_driver_sql
            if connection.dialect.name == "sqlite":
                triggers = run("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
                off = [f"DROP TRIGGER {name}" for name in triggers]
            else:
                off = [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables]
            for statement in (*off, *statements):
                run(statement)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[World]:
    """One for all tests of a module: they look at rows of their own."""
    instance = Instance(tmp_path_factory.mktemp("audit"), databases)
    yield World(instance.plugins("audit"))
    instance.close()


@pytest.fixture
def fresh(instance: Instance) -> World:
    """One to be tampered with."""
    return World(instance.plugins("audit"))


@pytest.fixture
def profile_changes(fresh: World) -> Callable[[int], None]:
    """Lets so many things happen to Ada."""

    def happen(count: int) -> None:
        for number in range(count):
            assert fresh.ada.put("/auth/profile", {"name": f"Ada {number}"}).status_code == 200
        fresh.instance.drain()

    return happen

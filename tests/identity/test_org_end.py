"""The end of an organisation: announced, called off, and then everything of it gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import func, select, update

from core import engine
from core.api import invitation_token
from core.auth import setup
from core.clock import utcnow
from core.db import begin, metadata, tenant_tables, unscoped
from core.engine import enqueue
from core.orgs import Organisation, orgs
from core.orgs.models import Invitation
from core.testing import Instance
from tests.db import models
from tests.identity.teams import code_of, found, grow_stale, join
from tests.identity.world import Person, World


@pytest.fixture
def ann(world: World) -> Person:
    return world.person("ann@example.org")


@pytest.fixture
def acme(ann: Person) -> dict[str, Any]:
    return found(ann, "acme")


def _delete(who: Person, org: str = "acme") -> Any:
    return who.call("DELETE", f"/orgs/{org}")


def _restore(who: Person, org: str = "acme") -> Any:
    return who.call("POST", f"/orgs/{org}/restore")


def _purge(world: World) -> None:
    """What the hourly schedule does."""
    with world.app.app_context():
        with begin():
            enqueue("core.purge_organisations")
        engine.drain()


def test_it_goes_when_the_grace_is_over(world: World, ann: Person, acme: dict[str, Any]) -> None:
    eve = world.person("eve@example.org")
    other = found(eve, "evil")
    bob = world.person("bob@example.org")
    join(world, acme, bob, "member")
    ann.call("POST", "/orgs/acme/invitations", json={"email": "cid@example.org"})

    answer = _delete(ann)

    assert answer.status_code == 202
    left = world.execute(select(Organisation.deletes_at).where(Organisation.slug == "acme")).scalar_one()
    assert left - utcnow() == pytest.approx(timedelta(days=14), abs=timedelta(minutes=1))
    assert ann.call("GET", "/orgs/acme").json["deletesAt"] == answer.json["deletesAt"]
    assert _delete(ann).json == answer.json  # announcing it again does not put it off
    assert bob.call("GET", "/orgs/acme").status_code == 200
    _purge(world)
    assert ann.call("GET", "/orgs/acme").status_code == 200

    with time_machine.travel(utcnow() + timedelta(days=14, seconds=10)):
        _purge(world)

    for who in (ann, bob):
        assert who.call("GET", "/orgs/acme").status_code == 404
        assert [o["kind"] for o in who.me()["organisations"]] == ["personal"]
    assert eve.call("GET", "/orgs/evil").json == other
    assert world.events("organisation.deleted") == [
        {"organisation_id": acme["id"], "name": "Acme", "slug": "acme"}
    ]
    for table in (t for t in metadata.sorted_tables if t.name.startswith("core_")):
        if table.name in tenant_tables or table.name in ("core_event", "core_delivery", "core_job"):
            of_it = select(func.count()).where(table.c.organisation_id == UUID(acme["id"]))
            assert world.execute(of_it).scalar_one() == 0, table.name


def test_from_the_moment_it_ends_nobody_acts_for_it(world: World, ann: Person, acme: dict[str, Any]) -> None:
    _delete(ann)
    world.execute(update(Organisation).where(Organisation.slug == "acme").values(deletes_at=utcnow()))
    with world.app.app_context():
        orgs().memberships.forget_once_committed()

    assert ann.call("GET", "/orgs/acme").status_code == 404
    assert _restore(ann).status_code == 404
    assert ann.call("GET", "/auth/me", headers={"X-Org": "acme"}).status_code == 404
    assert [o["kind"] for o in ann.call("GET", "/orgs").json["items"]] == ["personal"]


def test_it_can_be_kept_after_all(world: World, ann: Person, acme: dict[str, Any]) -> None:
    _delete(ann)

    assert _restore(ann).json == acme
    assert _restore(ann).status_code == 200
    with time_machine.travel(utcnow() + timedelta(days=15)):
        _purge(world)
    assert world.execute(select(Organisation.id).where(Organisation.slug == "acme")).scalar_one()
    assert [len(world.events(f"organisation.{e}")) for e in ("deletion_scheduled", "restored")] == [1, 1]


def test_nobody_joins_what_is_about_to_end(world: World, ann: Person, acme: dict[str, Any]) -> None:
    bob = world.person("bob@example.org")
    made = ann.call("POST", "/orgs/acme/invitations", json={"email": bob.email}).json
    with world.app.app_context():
        token = invitation_token(UUID(made["id"]))
    _delete(ann)

    again = ann.call("POST", "/orgs/acme/invitations", json={"email": bob.email})

    assert code_of(again) == (409, "deletion_scheduled")
    assert bob.call("POST", f"/invitations/{token}/accept").status_code == 404


@pytest.mark.parametrize(("role", "status"), [("admin", 403), ("member", 403), ("viewer", 403), (None, 404)])
def test_owners_alone(world: World, ann: Person, acme: dict[str, Any], role: str | None, status: int) -> None:
    bob = world.person("bob@example.org")
    if role:
        join(world, acme, bob, role)

    assert _delete(bob).status_code == _restore(bob).status_code == status
    assert ann.call("GET", "/orgs/acme").json == acme
    assert world.app.test_client().delete("/api/v1/orgs/acme").status_code == 401


def test_it_asks_for_a_fresh_sign_in(world: World, ann: Person, acme: dict[str, Any]) -> None:
    grow_stale(world, ann)

    assert code_of(_delete(ann)) == (403, "fresh_login_required")
    assert ann.call("GET", "/orgs/acme").json == acme
    assert _delete(world.signed_in(ann.email)).status_code == 202


def test_personal_ones_and_the_home_stay(world: World, ann: Person) -> None:
    assert code_of(_delete(ann, ann.me()["organisationId"])) == (409, "personal_organisation")
    setup.issue_link(world.app)
    home = world.execute(select(Organisation.id).where(Organisation.kind == "home")).scalar_one()
    join(world, {"id": str(home)}, ann, "owner")

    assert code_of(_delete(ann, "home")) == (409, "home_organisation")
    assert code_of(ann.call("PATCH", "/orgs/home", json={"slug": "house"})) == (409, "home_organisation")
    assert ann.call("PATCH", "/orgs/home", json={"name": "House"}).status_code == 200


def test_invitations_are_forgotten_a_month_after_they_are_over(
    world: World, ann: Person, acme: dict[str, Any]
) -> None:
    for slug, days in (("acme", 31), ("other", 29)):
        if slug != "acme":
            found(ann, slug)
        ann.call("POST", f"/orgs/{slug}/invitations", json={"email": f"{slug}@example.org"})
        mine = update(Invitation).where(Invitation.email == f"{slug}@example.org")
        world.execute(mine.values(expires_at=utcnow() - timedelta(days=days)))

    _purge(world)

    assert world.execute(select(Invitation.email)).scalars().all() == ["other@example.org"]


def test_rows_of_plugins_go_with_it(instance: Instance) -> None:
    # also where a plugin is imported whose tables this database does not have yet
    assert models.Note.__tablename__ in metadata.tables
    instance.plugins("notifications", "job_boards")
    ann, bob = instance.person("ann@example.com"), instance.person("bob@example.com")
    kept = {}
    for person, slug in ((ann, "acme"), (bob, "bobs")):
        person.post("/orgs", {"name": slug, "slug": slug})
        body = {"name": "Python"}
        made = person.post("/job-alerts", body, headers={"X-Org": slug})
        assert made.status_code == 201, made.text
        kept[slug] = made.json
    instance.drain()
    assert ann.delete("/orgs/acme").status_code == 202

    with time_machine.travel(utcnow() + timedelta(days=15)), instance.app.app_context():
        with begin():
            enqueue("core.purge_organisations")
        engine.drain()

    counts = {}
    with instance.app.app_context(), unscoped("look everywhere"):
        database = instance.app.extensions["jobstead.db"]
        with database.engine.connect() as connection:
            for name in ("core_member", "job_boards_alert"):
                table = metadata.tables[name]
                counts[name] = connection.scalar(select(func.count()).select_from(table))
    assert counts == {"core_member": 3, "job_boards_alert": 1}
    assert bob.get("/job-alerts", headers={"X-Org": "bobs"}).json["items"][0]["id"] == kept["bobs"]["id"]

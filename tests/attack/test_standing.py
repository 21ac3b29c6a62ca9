"""Roles, places and passwords that somebody had: what is left to them is what they have now."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select, update

from core.auth.models import AuthSession
from core.clock import utcnow
from core.orgs import invitation_token
from tests.attack.people import superadmin
from tests.attack.test_revocation import change_password_elsewhere
from tests.identity.world import PASSWORD, Person, World

NEW = "a newly made secret"

_numbers = itertools.count()


@pytest.fixture
def ann(world: World) -> Person:
    return world.person(f"ann-{next(_numbers)}@example.org")


def boss_of(world: World) -> Person:
    return superadmin(world, f"boss-{next(_numbers)}@example.org")


def test_a_role_of_the_instance_that_was_lost(world: World, twin: World, later: Callable[[], None]) -> None:
    holder, boss = boss_of(world), boss_of(world)
    there = Person(twin, holder.email, holder.tokens)
    assert there.call("GET", "/users").status_code == 200
    path = f"/users/{world.user_id(holder.email)}/role"
    assert boss.call("PUT", path, json={"role": "user"}).status_code == 200
    later()
    assert there.call("GET", "/users").status_code == 401
    again = Person(twin, holder.email, twin.signed_in(holder.email).tokens)
    assert again.call("GET", "/users").status_code == 403
    assert again.call("PUT", path, json={"role": "superadmin"}).status_code == 403


def test_a_made_role_that_holds_less(
    world: World, twin: World, ann: Person, later: Callable[[], None]
) -> None:
    boss, name = boss_of(world), f"reader-{next(_numbers)}"
    assert (
        boss.call("POST", "/roles", json={"name": name, "permissions": ["core.user.read"]}).status_code == 201
    )
    path = f"/users/{world.user_id(ann.email)}/role"
    assert boss.call("PUT", path, json={"role": name}).status_code == 200
    there = Person(twin, ann.email, ann.tokens)
    later()
    assert there.call("GET", "/users").status_code == 200
    assert boss.call("PUT", f"/roles/{name}", json={"permissions": []}).status_code == 200
    later()
    assert there.call("GET", "/users").status_code == 403
    assert boss.call("PUT", f"/roles/{name}", json={"permissions": ["core.user.read"]}).status_code == 200
    assert boss.call("DELETE", f"/roles/{name}").status_code == 204
    later()
    assert there.call("GET", "/users").status_code == 403


def test_a_place_in_an_organisation_that_was_lost(
    world: World, twin: World, ann: Person, later: Callable[[], None]
) -> None:
    owner, slug = world.person(f"owner-{next(_numbers)}@example.org"), f"lost-{next(_numbers)}"
    assert owner.call("POST", "/orgs", json={"name": slug, "slug": slug}).status_code == 201
    asked = owner.call("POST", f"/orgs/{slug}/invitations", json={"email": ann.email, "role": "admin"})
    with world.app.app_context():
        token = invitation_token(UUID((asked.json or {})["id"]))
    assert ann.call("POST", f"/invitations/{token}/accept").status_code == 200
    there = Person(twin, ann.email, ann.tokens)
    assert there.call("GET", f"/orgs/{slug}/invitations").status_code == 200
    mine = f"/orgs/{slug}/members/{world.user_id(ann.email)}"
    assert owner.call("PUT", mine, json={"role": "viewer"}).status_code == 200
    later()
    assert there.call("GET", f"/orgs/{slug}/invitations").status_code == 403
    assert there.call("PUT", mine, json={"role": "owner"}).status_code == 403
    assert owner.call("DELETE", mine).status_code == 204
    later()
    for way in ({}, {"X-Org": slug}):
        assert there.call("GET", f"/orgs/{slug}", headers=way).status_code == 404
    assert there.call("GET", "/notifications", headers={"X-Org": slug}).status_code == 404
    assert ann.call("POST", f"/invitations/{token}/accept").status_code == 404


def test_who_writes_is_looked_up_afresh(world: World, twin: World, ann: Person) -> None:
    """Within the five seconds too: who is still believed to have a role changes no member by it."""
    slug = f"fresh-{next(_numbers)}"
    assert ann.call("POST", "/orgs", json={"name": slug, "slug": slug}).status_code == 201
    other = world.person(f"other-{next(_numbers)}@example.org")
    asked = ann.call("POST", f"/orgs/{slug}/invitations", json={"email": other.email})
    with world.app.app_context():
        token = invitation_token(UUID((asked.json or {})["id"]))
    assert other.call("POST", f"/invitations/{token}/accept").status_code == 200
    there = Person(twin, ann.email, ann.tokens)
    assert there.call("GET", f"/orgs/{slug}/invitations").status_code == 200  # remembered as the owner
    assert (
        ann.call(
            "POST", f"/orgs/{slug}/transfer", json={"userId": str(world.user_id(other.email))}
        ).status_code
        == 200
    )
    mine = f"/orgs/{slug}/members/{world.user_id(ann.email)}"
    assert other.call("PUT", mine, json={"role": "viewer"}).status_code == 200
    for act in (
        lambda: there.call("POST", f"/orgs/{slug}/invitations", json={"email": "friend@example.org"}),
        lambda: there.call("PUT", mine, json={"role": "owner"}),
        lambda: there.call("DELETE", f"/orgs/{slug}/members/{world.user_id(other.email)}"),
        lambda: there.call("POST", f"/orgs/{slug}/transfer", json={"userId": str(world.user_id(ann.email))}),
        lambda: there.call("DELETE", f"/orgs/{slug}"),
    ):
        assert act().status_code == 403


def test_refreshing_makes_nobody_fresh(world: World, ann: Person) -> None:
    """A stolen refresh token does not do what asks for a sign-in of a moment ago."""
    slug = f"stale-{next(_numbers)}"
    assert ann.call("POST", "/orgs", json={"name": slug, "slug": slug}).status_code == 201
    old = utcnow() - world.app.extensions["jobstead.config"].auth.fresh_ttl * 2
    mine = update(AuthSession).where(AuthSession.user_id == world.user_id(ann.email))
    world.execute(mine.values(created_at=old))
    renewed = world.post("/auth/refresh", {"refreshToken": ann.tokens["refreshToken"]})
    assert renewed.status_code == 200
    thief = Person(world, ann.email, dict(renewed.json or {}))
    assert thief.call("DELETE", f"/orgs/{slug}").status_code == 403
    assert thief.call("POST", f"/orgs/{slug}/transfer", json={"userId": str(UUID(int=0))}).status_code == 403


def test_a_code_outlives_nothing(world: World, ann: Person) -> None:
    """Codes asked for before the password or the address changed are worthless after."""
    world.post("/auth/forgot-password", {"email": ann.email})
    code = world.code(ann.email)
    change_password_elsewhere(world, ann)
    body = {"email": ann.email, "code": code, "newPassword": "yet another secret"}
    assert world.app.test_client().put("/api/v1/auth/reset-password", json=body).status_code == 400


def test_a_code_is_good_for_one_purpose(world: World, ann: Person) -> None:
    new = f"purpose-{ann.email}"
    ann.call("POST", "/auth/change-email", json={"newEmail": new, "currentPassword": PASSWORD})
    code = world.code(new)
    client = world.app.test_client()
    for email in (new, ann.email):
        assert world.verify(email, code).status_code == 400
        body = {"email": email, "code": code, "newPassword": NEW}
        assert client.put("/api/v1/auth/reset-password", json=body).status_code == 400
        body = {"email": email, "code": code, "purpose": "reset"}
        assert world.post("/auth/verify-otp", body).status_code == 400
    bob = world.person(f"bob-{next(_numbers)}@example.org")
    confirm = {"newEmail": new, "code": code}
    assert bob.call("POST", "/auth/change-email/confirm", json=confirm).status_code == 400
    world.post("/auth/forgot-password", {"email": ann.email})
    confirm = {"newEmail": ann.email, "code": world.code(ann.email)}
    assert ann.call("POST", "/auth/change-email/confirm", json=confirm).status_code == 400


def test_what_a_must_change_session_is_good_for(world: World) -> None:
    """A password an admin gave opens nothing before it is changed, and opens that once."""
    boss, email = boss_of(world), f"given-{next(_numbers)}@example.org"
    body = {"email": email, "password": NEW, "verified": True, "role": "admin"}
    assert boss.call("POST", "/users", json=body).status_code == 201
    first = world.signed_in(email, NEW)
    for path in ("/users", "/orgs", "/notifications", "/plugins"):
        assert first.call("GET", path).status_code == 403, path
    assert first.call("POST", "/orgs", json={"name": "x"}).status_code == 403
    assert world.login(email, NEW).status_code == 403
    renewed = world.post("/auth/refresh", {"refreshToken": first.tokens["refreshToken"]}).json or {}
    assert Person(world, email, renewed).call("GET", "/users").status_code == 403


def test_only_digests_of_refresh_tokens_are_kept(world: World, ann: Person) -> None:
    rows = world.execute(select(AuthSession.id).where(AuthSession.user_id == world.user_id(ann.email))).all()
    assert len(rows) == 1
    for row in rows:
        for made_up in (str(row.id), row.id.hex, f"rt_{row.id.hex}"):
            assert world.post("/auth/refresh", {"refreshToken": made_up}).status_code == 401

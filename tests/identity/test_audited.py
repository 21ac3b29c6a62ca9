"""Every operation of core that changes something tells so in an event that an audit log keeps."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from core.auth import setup
from core.auth.admin import purge_users
from core.auth.cli import keys
from core.auth.models import SigningKey
from core.clock import utcnow
from core.orgs import invitation_token
from core.users import User
from tests.identity.story import Story
from tests.identity.teams import found, holder, join
from tests.identity.world import PASSWORD, World

NEW = "another good password"
NOT_KEPT = {
    "auth.refresh",  # changes nothing but the token; one used twice is told as security.alert
    "auth_pages.submit_reset",  # a page before auth.reset_password
    "auth_pages.submit_setup",  # a page before auth.first_admin
}
GONE_THROUGH: dict[str, set[str]] = {
    "test_an_account": {
        "account.change_email",
        "account.change_preferences",
        "account.change_profile",
        "account.confirm_email",
        "account.end_other_sessions",
        "account.end_session",
        "auth.change_password",
        "auth.forgot_password",
        "auth.login",
        "auth.logout",
        "auth.register",
        "auth.resend_otp",
        "auth.reset_password",
        "auth.verify_otp",
    },
    "test_the_first_admin": {"auth.first_admin"},
    "test_somebody_who_had_the_first_admins_address_loses_the_account": {"auth.first_admin"},
    "test_people_and_roles": {
        "roles.change",
        "roles.create",
        "roles.remove",
        "users.assign",
        "users.change",
        "users.create",
        "users.remove",
        "users.suspend",
    },
    "test_an_organisation": {
        "invitations.accept",
        "invitations.invite",
        "invitations.withdraw",
        "members.change",
        "members.remove",
        "members.transfer",
        "orgs.create",
        "orgs.delete",
        "orgs.edit",
        "orgs.restore",
    },
    "test_plugins_of_the_instance": {"plugins.disable", "plugins.enable"},
    "test_keys_that_sign": set(),
}
"""The endpoints that each test goes through: all of core that change something, altogether."""


@pytest.fixture
def story(world: World, request: pytest.FixtureRequest) -> Iterator[Story]:
    with world.app.app_context():
        world.app.extensions["jobstead.auth"].keys.active()  # as after a first start
    told = Story(world)
    yield told
    assert told.seen == GONE_THROUGH[request.node.name]


def test_an_account(story: Story) -> None:
    world, ada = story.world, "ada@example.com"
    register = {"email": ada, "password": PASSWORD, "name": "Ada"}
    first = story.does(None, "POST", "/auth/register", register)
    me = str(world.user_id(ada))
    assert first.kept[0] == ("user.created", me)
    assert first.actions == ["user.created", "organisation.created", "otp.requested"]
    again = story.does(None, "POST", "/auth/register", register)
    assert again.actions == ["user.updated", "otp.requested"]
    assert story.does(None, "POST", "/auth/resend-otp", {"email": ada}).kept == [("otp.requested", me)]
    code = {"email": ada, "code": world.code(ada)}
    assert story.does(None, "POST", "/auth/verify-otp", code).kept == [("user.verified", me)]
    repeated = story.does(None, "POST", "/auth/register", register)
    assert repeated.kept == [("user.registration_repeated", me)]
    login = {"email": ada, "password": PASSWORD}
    assert story.does(None, "POST", "/auth/login", login).kept == [("user.login", me)]
    other, who = world.signed_in(ada), world.signed_in(ada)
    assert story.does(who, "PUT", "/auth/profile", {"name": "A"}).kept == [("user.updated", me)]
    assert story.does(who, "PATCH", "/auth/preferences", {"newsletter": True}).kept == [("user.updated", me)]
    alive = other.call("GET", "/auth/sessions").json or {}
    session = next(item["id"] for item in alive["items"] if item["current"])
    assert story.does(who, "DELETE", f"/auth/sessions/{session}").kept == [("session.ended", me)]
    assert story.does(who, "DELETE", "/auth/sessions").kept == [("session.ended", me)]
    world.signed_in(ada)
    changed = {"currentPassword": PASSWORD, "newPassword": NEW}
    assert story.does(who, "PUT", "/auth/change-password", changed).kept == [
        ("session.revoked", me),
        ("password.changed", me),
    ]
    move = {"newEmail": "a@example.org", "currentPassword": NEW}
    assert story.does(who, "POST", "/auth/change-email", move).kept == [("otp.requested", me)]
    proof = {"newEmail": "a@example.org", "code": world.code("a@example.org")}
    assert story.does(who, "POST", "/auth/change-email/confirm", proof).kept == [("email.changed", me)]
    assert story.does(who, "POST", "/auth/logout").kept == [("session.ended", me)]
    asked = story.does(None, "POST", "/auth/forgot-password", {"email": "a@example.org"})
    assert asked.kept == [("otp.requested", me)]
    code = {"email": "a@example.org", "code": world.code("a@example.org"), "newPassword": PASSWORD}
    assert story.does(None, "PUT", "/auth/reset-password", code).kept == [("password.changed", me)]
    assert [event["how"] for event in world.events("password.changed")] == ["changed", "reset"]


def test_the_first_admin(story: Story) -> None:
    world = story.world
    link = setup.issue_link(world.app) or ""
    given = {"token": link.partition("token=")[2], "email": "root@example.com", "password": PASSWORD}
    told = story.does(None, "POST", "/auth/setup", {**given, "name": "Root"})
    assert told.actions == [
        "user.created",
        "user.verified",
        "organisation.created",
        "user.roles_changed",
        "member.added",
    ]


def test_somebody_who_had_the_first_admins_address_loses_the_account(story: Story) -> None:
    world = story.world
    link = setup.issue_link(world.app) or ""
    world.person("root@example.com")
    given = {"token": link.partition("token=")[2], "email": "root@example.com", "password": NEW}
    told = story.does(None, "POST", "/auth/setup", {**given, "name": "Root"})
    assert told.actions == ["password.changed", "session.revoked", "user.roles_changed", "member.added"]


def test_people_and_roles(story: Story) -> None:
    world = story.world
    root = holder(world, "root@example.com", "superadmin")
    made = {"email": "bob@example.com", "name": "Bob", "roles": ["author"], "password": PASSWORD}
    told = story.does(root, "POST", "/users", made)
    bob = told.json["id"]
    assert ("user.invited", bob) in told.kept
    assert world.events("user.invited")[0]["roles"] == ["author"]
    told = story.does(root, "PUT", f"/users/{bob}", {"email": "b@example.com", "verified": True})
    assert told.kept == [("email.changed", bob), ("user.updated", bob)]
    assert (world.events("email.changed")[0]["old"], world.events("email.changed")[0]["new"]) == (
        "bob@example.com",
        "b@example.com",
    )
    assert story.does(root, "PUT", f"/users/{bob}/role", {"role": "support"}).kept == [
        ("user.roles_changed", bob)
    ]
    assert story.does(root, "POST", f"/users/{bob}/suspend", {"reason": "x"}).kept == [
        ("user.suspended", bob)
    ]
    back = story.does(root, "POST", f"/users/{bob}/suspend", {"suspended": False})
    assert back.kept == [("user.reinstated", bob)]
    role = story.does(root, "POST", "/roles", {"name": "reader", "permissions": ["core.user.read"]})
    assert role.kept == [("role.changed", "reader")]
    assert story.does(root, "PUT", "/roles/reader", {"permissions": []}).kept == [("role.changed", "reader")]
    assert story.does(root, "DELETE", "/roles/reader").kept == [("role.deleted", "reader")]
    team = found(root, "shared")
    join(world, team, world.person("carl@example.com"), "member")
    carl = str(world.user_id("carl@example.com"))
    told = story.does(root, "DELETE", f"/users/{carl}")
    assert told.kept == [("session.revoked", carl), ("user.deleted", carl)]
    world.execute(
        update(User).where(User.email == "carl@example.com").values(deleted_at=utcnow().replace(year=2000))
    )
    assert story.since(purge_users) == ["organisation.deleted", "member.removed", "user.erased"]


def test_an_organisation(story: Story) -> None:
    world = story.world
    ada, bob, eve = (world.person(f"{name}@example.com") for name in ("ada", "bob", "eve"))
    ids = {who.email: str(world.user_id(who.email)) for who in (ada, bob, eve)}
    told = story.does(ada, "POST", "/orgs", {"name": "Team", "slug": "team"})
    org = told.json["id"]
    assert told.kept == [("organisation.created", org)]
    assert story.does(ada, "PATCH", "/orgs/team", {"name": "T"}).kept == [("organisation.updated", org)]
    for who in (bob, eve):
        told = story.does(ada, "POST", "/orgs/team/invitations", {"email": who.email, "role": "admin"})
        invited = told.json["id"]
        assert told.kept == [("invitation.created", invited)]
        with world.app.app_context():
            token = invitation_token(UUID(invited))
        assert story.does(who, "POST", f"/invitations/{token}/accept").kept == [
            ("member.added", ids[who.email]),
            ("invitation.accepted", invited),
        ]
    invited = story.does(eve, "POST", "/orgs/team/invitations", {"email": "f@example.com"}).json["id"]
    told = story.does(ada, "PUT", f"/orgs/team/members/{ids[eve.email]}", {"role": "viewer"})
    assert told.kept == [("invitation.withdrawn", invited), ("member.role_changed", ids[eve.email])]
    invited = story.does(ada, "POST", "/orgs/team/invitations", {"email": "f@example.com"}).json["id"]
    told = story.does(ada, "DELETE", f"/orgs/team/invitations/{invited}")
    assert told.kept == [("invitation.withdrawn", invited)]
    assert story.does(eve, "DELETE", f"/orgs/team/members/{ids[eve.email]}").kept == [
        ("member.removed", ids[eve.email])
    ]
    told = story.does(ada, "POST", "/orgs/team/transfer", {"userId": ids[bob.email]})
    assert told.kept[-1] == ("organisation.transferred", ids[bob.email])
    invited = story.does(bob, "POST", "/orgs/team/invitations", {"email": "f@example.com"}).json["id"]
    told = story.does(bob, "DELETE", "/orgs/team")
    assert told.kept == [("invitation.withdrawn", invited), ("organisation.deletion_scheduled", org)]
    assert story.does(bob, "POST", "/orgs/team/restore").kept == [("organisation.restored", org)]


def test_plugins_of_the_instance(story: Story) -> None:
    root = holder(story.world, "root@example.com", "superadmin")
    told = story.does(root, "POST", "/plugins/job_boards/enable?cascade=true")
    assert ("plugin.enabled", "job_boards") in told.kept
    told = story.does(root, "POST", "/plugins/job_boards/disable?cascade=true")
    assert told.kept == [("plugin.disabled", "job_boards")]
    assert story.does(root, "POST", "/plugins/job_boards/disable").kept == []  # nothing changed


def test_keys_that_sign(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    world = story.world
    monkeypatch.setattr("core.auth.cli._wait_until", lambda _moment: None)

    def rotate() -> None:
        result = CliRunner().invoke(keys, ["rotate", "--leaked"], obj=lambda: world.app)
        assert result.exit_code == 0, result.output

    first = world.execute(select(SigningKey.kid)).scalar_one()
    assert story.since(rotate) == [
        "signing_key.published",
        "signing_key.activated",
        "signing_key.published",
    ]
    told = world.events("signing_key.activated")
    assert [(event["before"], event["leaked"]) for event in told] == [(None, False), (first, True)]


def test_no_event_of_core_is_left_out(world: World) -> None:
    registry = world.app.extensions["jobstead.engine"].registry.events
    left_out = {name for name, known in registry.items() if known.cls.audited is None}
    assert left_out == {"otp.withheld"}  # it happened to nobody


def test_no_operation_of_core_is_left_out(world: World) -> None:
    changing = {
        rule.endpoint
        for rule in world.app.url_map.iter_rules()
        if (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
        and world.app.view_info(rule.endpoint).plugin == "core"
    }
    assert changing - NOT_KEPT == set().union(*GONE_THROUGH.values())

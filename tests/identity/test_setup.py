"""The first admin, by the link on the terminal or from the environment."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, select
from werkzeug.test import TestResponse

from core.auth import setup
from core.auth.models import Setup
from core.config import ConfigError
from core.users import UserRole
from core.web import Server
from tests.identity.world import CROWD, PASSWORD, Person, World, crowd, statuses

ROOT = "root@example.org"


@pytest.fixture
def token(world: World) -> str:
    link = setup.issue_link(world.app)
    assert link is not None
    address, _, token = link.partition("/setup?token=")
    assert address == "http://127.0.0.1:5000"
    assert len(token) >= 43
    return token


def _become(world: World, token: str, email: str = ROOT) -> TestResponse:
    return world.post("/auth/setup", {"token": token, "email": email, "password": PASSWORD, "name": "Root"})


def _page(world: World, token: str) -> TestResponse:
    return world.app.test_client().get("/setup", query_string={"token": token})


def _form(world: World, **values: str) -> TestResponse:
    return world.app.test_client().post(
        "/setup", data={"email": ROOT, "name": "Root", "password": PASSWORD, **values}
    )


def test_the_link_makes_a_superadmin_who_owns_the_home_organisation(world: World, token: str) -> None:
    assert _become(world, token).status_code == 201

    root = world.signed_in(ROOT)
    me = root.me()

    assert me["roles"] == ["superadmin", "user"]
    assert {"core.plugins.manage", "core.user.delete", "core.role.assign"} <= set(me["permissions"])
    assert {(o["kind"], o["role"]) for o in me["organisations"]} == {("home", "owner"), ("personal", "owner")}
    assert root.call("GET", "/orgs/home").status_code == 200


def test_the_link_works_once_and_is_not_issued_again(world: World, token: str) -> None:
    _become(world, token)

    assert _become(world, token, "second@example.org").status_code == 403
    assert _page(world, token).status_code == 403
    assert _form(world, token=token).status_code == 403
    assert setup.issue_link(world.app) is None


def test_the_link_is_the_same_until_it_is_used(world: World, token: str, make: Callable[..., Server]) -> None:
    again = setup.issue_link(make())

    assert again is not None
    assert again.endswith(token)
    assert token not in str(world.execute(select(Setup.__table__)).all())


def test_a_refused_attempt_leaves_the_link_whole(world: World, token: str) -> None:
    poor = world.post("/auth/setup", {"token": token, "email": ROOT, "password": "123456"})
    assert poor.status_code == 422

    assert _become(world, token).status_code == 201


@pytest.mark.parametrize("given", ["", "x", "A" * 43])
def test_a_wrong_token_makes_nobody(world: World, token: str, given: str) -> None:
    assert _become(world, given).status_code in (403, 422)
    assert _page(world, given).status_code == 403
    assert world.events("user.created") == []


def test_of_a_crowd_with_the_link_one_becomes_admin(world: World, token: str) -> None:
    answers = crowd(lambda n: _become(world, token, f"root{n}@example.org"))

    assert statuses(answers) == {201: 1, 403: CROWD - 1}
    assert len(world.execute(select(UserRole.user_id)).all()) == 1
    assert len(world.events("user.created")) == 1


def test_with_every_superadmin_gone_a_new_link_is_issued(world: World, token: str) -> None:
    _become(world, token)
    world.execute(delete(UserRole))

    link = setup.issue_link(world.app)

    assert link is not None
    assert not link.endswith(token)
    assert _become(world, token, "second@example.org").status_code == 403
    assert _become(world, link.partition("token=")[2], "second@example.org").status_code == 201


def test_an_account_that_has_the_address_is_taken_over_and_its_maker_is_out(world: World, token: str) -> None:
    squatter = world.person(ROOT, "the squatter's own")

    assert _become(world, token).status_code == 201

    assert squatter.call("GET", "/auth/me").status_code == 401
    assert world.login(ROOT, "the squatter's own").status_code == 401
    assert "superadmin" in world.signed_in(ROOT).me()["roles"]


def test_the_page_is_a_form_that_needs_no_script(world: World, token: str) -> None:
    page = _page(world, token)

    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    nonce = re.search(r"style-src 'nonce-([\w-]+)'", policy)
    assert nonce is not None
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert f'<style nonce="{nonce[1]}">' in page.text
    assert "<script" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert f'name="token" value="{token}"' in page.text


def test_the_form_makes_the_admin(world: World, token: str) -> None:
    done = _form(world, token=token)

    assert done.status_code == 201
    assert ROOT in done.text
    assert "superadmin" in world.signed_in(ROOT).me()["roles"]


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(world: World, token: str) -> None:
    wrong = _form(world, token=token, password="123456", email='root"><script>@example.org', name="Röot")

    assert wrong.status_code == 422
    assert "Not a valid e-mail address." in wrong.text
    assert "<script" not in wrong.text
    assert "Röot" in wrong.text
    assert "123456" not in wrong.text
    assert _form(world, token=token).status_code == 201


def test_the_environment_makes_the_admin_instead(make: Callable[..., Server]) -> None:
    app = make(ADMIN_EMAIL="Root@Example.org", ADMIN_PASSWORD=PASSWORD)

    assert setup.issue_link(app) is None
    assert setup.issue_link(app) is None

    me = World(app).signed_in(ROOT).me()
    assert (me["roles"], me["mustChangePassword"]) == (["superadmin", "user"], False)


def test_processes_that_start_together_make_one_admin(make: Callable[..., Server]) -> None:
    apps = [make(ADMIN_EMAIL=ROOT, ADMIN_PASSWORD=PASSWORD) for _ in range(4)]
    links: list[Any] = []

    crowd(lambda n: links.append(setup.issue_link(apps[n])) or World(apps[n]).login(ROOT), size=4)  # type: ignore[func-returns-value]

    assert links == [None] * 4
    assert len(World(apps[0]).events("user.created")) == 1


@pytest.mark.parametrize(
    ("email", "password", "named"),
    [(ROOT, "123456", "ADMIN_PASSWORD"), ("root@host.invalid", PASSWORD, "ADMIN_EMAIL")],
)
def test_an_admin_that_cannot_be_is_one_sentence(
    make: Callable[..., Server], email: str, password: str, named: str
) -> None:
    app = make(ADMIN_EMAIL=email, ADMIN_PASSWORD=password)

    with pytest.raises(ConfigError, match=f"^{named}") as said:
        setup.issue_link(app)
    assert PASSWORD not in str(said.value)


class TestTheWellKnownPassword:
    @pytest.fixture
    def root(self, make: Callable[..., Server]) -> Person:
        world = World(make(ADMIN_EMAIL=ROOT, ADMIN_PASSWORD=setup.WELL_KNOWN))
        assert setup.issue_link(world.app) is None
        return world.signed_in(ROOT, setup.WELL_KNOWN)

    def test_it_must_be_changed_before_anything_else(self, root: Person) -> None:
        assert root.tokens["mustChangePassword"] is True
        me = root.me()
        assert me["mustChangePassword"] is True
        assert me["permissions"] == ["core.account.read", "core.account.write"]
        refused = root.call("GET", "/orgs")
        assert (refused.status_code, (refused.json or {})["code"]) == (403, "password_change_required")

        changed = root.call(
            "PUT",
            "/auth/change-password",
            json={"currentPassword": setup.WELL_KNOWN, "newPassword": PASSWORD},
        )

        assert changed.status_code == 200
        assert root.call("GET", "/orgs").status_code == 200
        assert root.world.signed_in(ROOT).me()["mustChangePassword"] is False
        assert root.world.login(ROOT, setup.WELL_KNOWN).status_code == 401

    def test_it_is_good_for_one_log_in(self, root: Person) -> None:
        again = root.world.login(ROOT, setup.WELL_KNOWN)

        assert (again.status_code, (again.json or {})["code"]) == (403, "password_spent")

    def test_of_a_crowd_one_is_let_in(self, make: Callable[..., Server]) -> None:
        world = World(make(ADMIN_EMAIL=ROOT, ADMIN_PASSWORD=setup.WELL_KNOWN))
        setup.issue_link(world.app)

        assert statuses(crowd(lambda _: world.login(ROOT, setup.WELL_KNOWN), size=12)) == {200: 1, 403: 11}

    def test_once_spent_another_one_in_the_environment_helps(
        self, root: Person, make: Callable[..., Server]
    ) -> None:
        app = make(ADMIN_EMAIL=ROOT, ADMIN_PASSWORD=PASSWORD)

        assert setup.issue_link(app) is None

        assert World(app).signed_in(ROOT).me()["mustChangePassword"] is False

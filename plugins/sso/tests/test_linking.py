"""Which account somebody gets into: never one that an address alone points at without its owner."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import time_machine
from werkzeug.test import TestResponse

from core.api import timedelta, utcnow, verification_code
from core.testing import Instance, Person

from .conftest import Browser, Somebody, landed
from .idp import Idp

PASSWORD = "a quiet library"


@dataclass
class Door:
    """Core's own ways in, as a client without cookies."""

    instance: Instance

    def post(self, path: str, **body: Any) -> TestResponse:
        return self.instance.app.test_client().post(f"/api/v1/auth/{path}", json=body)

    def log_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        return self.post("login", email=email, password=password)

    def register(self, email: str) -> None:
        assert self.post("register", email=email, password=PASSWORD, name="Early").status_code == 202

    def verify(self, email: str) -> None:
        sent = [each for each in self.instance.events("otp.requested") if each["email"] == email]
        with self.instance.app.app_context():
            code = verification_code(UUID(sent[-1]["code_id"]))
        assert self.post("verify-otp", email=email, code=code).status_code == 200


@pytest.fixture
def door(instance: Instance) -> Door:
    return Door(instance)


def test_an_address_alone_opens_no_account(
    instance: Instance, browser: Browser, idp: Idp, somebody: Somebody
) -> None:
    instance.person(somebody.email)
    idp.next(claims=somebody.claims())
    assert landed(browser.through("oidc/corp", next="/in")) == "/in?error=link_required"
    assert browser.me() is None


def test_the_word_of_whoever_is_authoritative_opens_an_account_of_a_verified_address(
    instance: Instance, browser: Browser, idp: Idp, somebody: Somebody
) -> None:
    owner = instance.person(somebody.email)
    idp.next(claims=somebody.claims(email=somebody.email.upper()))
    assert landed(browser.through("oidc/owner")) == "/"
    me = browser.me()
    assert me is not None
    assert me["id"] == str(owner.id)
    assert owner.get("/auth/identities").json["items"][0]["email"] == somebody.email.upper()


def test_whoever_registered_an_address_in_advance_is_put_out(
    instance: Instance, door: Door, browser: Browser, idp: Idp, somebody: Somebody
) -> None:
    door.register(somebody.email)
    refused = door.log_in(somebody.email)
    assert refused.json["code"] == "email_not_verified"  # the password is right, and a code is on its way

    idp.next(claims=somebody.claims())
    assert landed(browser.through("oidc/owner")) == "/"
    me = browser.me()
    assert me is not None
    assert (me["email"], me["verified"]) == (somebody.email, True)
    assert [org["kind"] for org in me["organisations"]] == ["personal"]
    assert door.log_in(somebody.email).json["code"] == "invalid_credentials"


def test_an_account_made_in_advance_is_entered_by_no_other_word(
    door: Door, browser: Browser, idp: Idp, somebody: Somebody
) -> None:
    door.register(somebody.email)
    idp.next(claims=somebody.claims())
    assert landed(browser.through("oidc/corp")) == "/?error=link_required"


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email_verified": 1},
        {"email": None},
        {"email": "no address"},
        {"email": ["a@example.org"]},
    ],
    ids=str,
)
@pytest.mark.parametrize("provider", ["oidc/corp", "oidc/owner"])
def test_an_address_nobody_verified_counts_for_nothing(
    browser: Browser, idp: Idp, somebody: Somebody, provider: str, claims: dict[str, Any]
) -> None:
    idp.next(claims=somebody.claims(**claims))
    assert landed(browser.through(provider)) == "/?error=email_not_verified"
    assert browser.me() is None


def test_an_address_is_asked_for_where_the_token_has_none(
    browser: Browser, idp: Idp, somebody: Somebody
) -> None:
    said = {"email": somebody.email, "email_verified": True}
    bare = somebody.claims(email=None, email_verified=None)
    idp.next(claims=bare, userinfo={**said, "sub": "somebody else"})
    assert landed(browser.through()) == "/?error=email_not_verified"
    idp.next(claims=bare, userinfo={**said, "sub": somebody.name, "iss": "x"})
    assert landed(browser.through()) == "/"
    assert browser.me()


def test_the_same_subject_elsewhere_is_somebody_else(
    boot: Callable[..., Instance], idp: Idp, somebody: Somebody
) -> None:
    """Identity is issuer and subject, and an address that changes hands changes nothing."""
    browser = Browser(boot().app.test_client(), idp)
    idp.next(claims=somebody.claims())
    assert landed(browser.through()) == "/"
    other = Somebody()
    idp.next(claims=other.claims(email=somebody.email))
    assert landed(Browser(browser.client.application.test_client(), idp).through()) == "/?error=link_required"


def test_who_is_not_known_is_not_let_in_where_sign_up_is_closed(
    browser: Browser, idp: Idp, somebody: Somebody
) -> None:
    idp.next(claims=somebody.claims())
    assert landed(browser.through("oidc/closed")) == "/?error=sign_up_closed"
    assert landed(browser.through("oidc/corp")) == "/"
    assert landed(browser.through("oidc/closed")) == "/"


def test_who_is_suspended_stays_out(
    instance: Instance, browser: Browser, idp: Idp, somebody: Somebody
) -> None:
    admin = instance.person(f"admin-{somebody.email}", role="superadmin")
    idp.next(claims=somebody.claims())
    landed(browser.through())
    me = browser.me()
    assert me is not None
    assert admin.post(f"/users/{me['id']}/suspend", {"reason": "test"}).status_code == 200
    for provider in ("oidc/corp", "oidc/owner"):
        assert landed(browser.through(provider)) == "/?error=account_suspended"
    assert browser.me() is None


def test_a_crowd_of_one_makes_one_account(instance: Instance, idp: Idp, somebody: Somebody) -> None:
    idp.next(claims=somebody.claims())
    browsers = [Browser(instance.app.test_client(), idp) for _ in range(24)]
    backs = [each.sign_in_there(each.leave()) for each in browsers]
    start = threading.Barrier(24)
    answers: list[str] = []

    def arrive(number: int) -> None:
        start.wait()
        answers.append(landed(browsers[number].come_back(backs[number])))

    threads = [threading.Thread(target=arrive, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["/"] * 24
    found = [each.me() for each in browsers]
    assert len({me["id"] for me in found if me is not None}) == 1
    assert len(browsers[0].get("/api/v1/auth/identities").json["items"]) == 1


# --- linking on purpose ---------------------------------------------------------------------------


@dataclass
class SignedIn:
    """Somebody signed in without cookies, in a browser that keeps those of an attempt."""

    person: Person
    browser: Browser

    def link(self, provider: str = "oidc/corp", **body: str) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.person.token}"}
        return self.browser.post(f"/auth/{provider}/link", body or None, headers=headers)

    def linked(self, provider: str = "oidc/corp", **body: str) -> str:
        there = self.link(provider, **body)
        assert there.status_code == 200, there.text
        return landed(self.browser.come_back(self.browser.sign_in_there(there.json["authorizationUrl"])))


@pytest.fixture
def ann(instance: Instance, browser: Browser) -> SignedIn:
    return SignedIn(instance.person(f"ann-{Somebody().email}"), browser)


def test_linking_on_purpose(ann: SignedIn, instance: Instance, idp: Idp, somebody: Somebody) -> None:
    idp.next(claims=somebody.claims(email_verified=False))
    assert ann.linked(next="/settings?a=1") == "/settings?a=1&linked=oidc%2Fcorp"
    assert ann.browser.me() is None  # linking signs nobody in
    assert len(ann.person.get("/auth/identities").json["items"]) == 1
    assert ann.linked() == "/?linked=oidc%2Fcorp"  # a second time changes nothing
    assert len(ann.person.get("/auth/identities").json["items"]) == 1

    elsewhere = Browser(instance.app.test_client(), idp)
    assert landed(elsewhere.through()) == "/"
    me = elsewhere.me()
    assert me is not None
    assert me["id"] == str(ann.person.id)


def test_what_lets_somebody_else_in_cannot_be_linked(
    ann: SignedIn, instance: Instance, idp: Idp, somebody: Somebody
) -> None:
    idp.next(claims=somebody.claims())
    assert landed(Browser(instance.app.test_client(), idp).through()) == "/"
    assert ann.linked() == "/?error=identity_taken"
    assert ann.person.get("/auth/identities").json["items"] == []


def test_linking_needs_a_moment_ago_and_a_session_that_lasts(
    ann: SignedIn, idp: Idp, somebody: Somebody
) -> None:
    idp.next(claims=somebody.claims())
    with time_machine.travel(utcnow() + timedelta(minutes=16)):
        assert ann.link().json["code"] == "fresh_login_required"
    back = ann.browser.sign_in_there(ann.link().json["authorizationUrl"])
    assert ann.person.post("/auth/logout").status_code == 204
    assert landed(ann.browser.come_back(back)) == "/?error=session_ended"
    ann.person.sign_in()
    assert ann.person.get("/auth/identities").json["items"] == []


def test_nobody_links_for_others(ann: SignedIn, browser: Browser, idp: Idp, somebody: Somebody) -> None:
    assert browser.post("/auth/oidc/corp/link").status_code == 401
    idp.next(claims=somebody.claims())
    assert landed(browser.through()) == "/"  # by cookie now: another site's page could send this
    assert browser.post("/auth/oidc/corp/link").json["code"] == "csrf_failed"
    assert browser.post("/auth/oidc/corp/link", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 403
    token = next(c.value for c in browser.client._cookies.values() if c.key.endswith("csrf"))
    ours = {"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": token}
    assert browser.post("/auth/oidc/corp/link", headers=ours).status_code == 200
    assert ann.link(next="https://evil.test").status_code == 422
    assert ann.link("oidc/nobody").status_code == 404


# --- unlinking ------------------------------------------------------------------------------------


def identities(person: Person) -> list[str]:
    return [each["id"] for each in person.get("/auth/identities").json["items"]]


def test_the_last_way_in_stays(ann: SignedIn, door: Door, idp: Idp, somebody: Somebody) -> None:
    idp.next(claims=somebody.claims())
    ann.linked()
    [only] = identities(ann.person)
    refused = ann.person.delete(f"/auth/identities/{only}")
    assert (refused.status_code, refused.json["code"]) == (409, "last_way_in")

    idp.next(claims=Somebody().claims())
    ann.linked()
    assert ann.person.delete(f"/auth/identities/{only}").status_code == 204
    assert only not in identities(ann.person)
    assert ann.person.delete(f"/auth/identities/{only}").status_code == 404


def test_whoever_has_a_password_may_take_off_all(
    instance: Instance, door: Door, browser: Browser, idp: Idp, somebody: Somebody
) -> None:
    door.register(somebody.email)
    door.verify(somebody.email)
    tokens = door.log_in(somebody.email).json
    me = SignedIn(Person(instance, tokens["userId"], somebody.email, tokens["accessToken"]), browser)
    other = Person(
        instance, tokens["userId"], somebody.email, door.log_in(somebody.email).json["accessToken"]
    )
    idp.next(claims=somebody.claims())
    me.linked()
    [only] = identities(me.person)
    assert other.get("/auth/me").status_code == 200
    assert me.person.delete(f"/auth/identities/{only}").status_code == 204
    assert identities(me.person) == []
    assert other.get("/auth/me").status_code == 401  # what the linked account began might go on otherwise


def test_unlinking_needs_a_moment_ago_and_what_is_ones_own(
    ann: SignedIn, instance: Instance, idp: Idp, somebody: Somebody
) -> None:
    idp.next(claims=somebody.claims())
    ann.linked()
    idp.next(claims=Somebody().claims())
    ann.linked()
    first, _ = identities(ann.person)
    assert instance.person(f"bob-{somebody.email}").delete(f"/auth/identities/{first}").status_code == 404
    with time_machine.travel(utcnow() + timedelta(minutes=16)):
        assert ann.person.delete(f"/auth/identities/{first}").json["code"] == "fresh_login_required"
    assert len(identities(ann.person)) == 2


def test_a_crowd_that_takes_off_all_leaves_one(ann: SignedIn, idp: Idp) -> None:
    for _ in range(4):
        idp.next(claims=Somebody().claims())
        ann.linked()
    every = identities(ann.person)
    start = threading.Barrier(24)
    answers: list[int] = []

    def take_off(number: int) -> None:
        start.wait()
        answers.append(ann.person.delete(f"/auth/identities/{every[number % 4]}").status_code)

    threads = [threading.Thread(target=take_off, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers).count(204) == 3
    assert set(answers) <= {204, 404, 409}
    assert len(identities(ann.person)) == 1

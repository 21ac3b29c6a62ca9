"""Linking an account elsewhere on purpose, and taking one off again."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest
import time_machine
from werkzeug.test import TestResponse

from core.api import timedelta, utcnow
from core.testing import Instance, Person

from .conftest import Browser, Door, Somebody, landed
from .idp import Idp


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

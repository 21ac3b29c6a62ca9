"""Which account somebody gets into: never one that an address alone points at without its owner."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from core.testing import Instance

from .conftest import Browser, Door, Somebody, landed
from .idp import Idp

CROWD = 8  # each writes as much as whoever signs up, and SQLite lets one in at a time


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
    browsers = [Browser(instance.app.test_client(), idp) for _ in range(CROWD)]
    backs = [each.sign_in_there(each.leave()) for each in browsers]
    start = threading.Barrier(CROWD)
    answers: list[str] = []

    def arrive(number: int) -> None:
        start.wait()
        answers.append(landed(browsers[number].come_back(backs[number])))

    threads = [threading.Thread(target=arrive, args=(number,)) for number in range(CROWD)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["/"] * CROWD
    found = [each.me() for each in browsers]
    assert len({me["id"] for me in found if me is not None}) == 1
    assert len(browsers[0].get("/api/v1/auth/identities").json["items"]) == 1

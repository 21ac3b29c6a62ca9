"""Sessions for frontends and apps: by the code they landed with, or by another system's token."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import time_machine
from werkzeug.test import TestResponse

from core.api import timedelta, utcnow
from core.testing import Instance
from plugins.sso.flow import challenge_of

from .conftest import FRONTEND, Browser, Somebody, landed, query_of
from .idp import Idp
from .test_tokens import REFUSED

VERIFIER = "a-verifier-of-a-frontend-that-is-long-enough-for-it"


@pytest.fixture
def app(instance: Instance, idp: Idp) -> Browser:
    """A client that is not the person's browser."""
    return Browser(instance.app.test_client(), idp)


def code_for(browser: Browser, **query: str) -> str:
    answer = browser.through(next=f"{FRONTEND}/done?a=1", codeChallenge=challenge_of(VERIFIER), **query)
    assert "jobstead_access" not in str(answer.headers)
    target = landed(answer)
    assert target.startswith(f"{FRONTEND}/done?a=1&code=")
    return query_of(target)["code"]


def exchange(client: Browser, **body: Any) -> TestResponse:
    return client.post("/auth/token-exchange", body)


def test_a_code_becomes_a_session_once(browser: Browser, app: Browser, idp: Idp, somebody: Somebody) -> None:
    idp.next(claims=somebody.claims())
    code = code_for(browser)
    assert browser.me() is None
    answer = exchange(app, code=code, codeVerifier=VERIFIER)
    assert answer.status_code == 200, answer.text
    token = answer.json["accessToken"]
    me = app.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert me.json["email"] == somebody.email
    again = exchange(app, code=code, codeVerifier=VERIFIER)
    assert (again.status_code, again.json["code"]) == (400, "invalid_code")


def test_a_code_is_bound_to_its_verifier_and_lives_a_minute(
    browser: Browser, app: Browser, idp: Idp, somebody: Somebody
) -> None:
    idp.next(claims=somebody.claims())
    code = code_for(browser)
    assert exchange(app, code=code, codeVerifier=VERIFIER[::-1]).json["code"] == "invalid_code"
    assert exchange(app, code=code[::-1], codeVerifier=VERIFIER).json["code"] == "invalid_code"
    assert exchange(app, code=code, codeVerifier=VERIFIER).status_code == 200
    late = code_for(browser)
    with time_machine.travel(utcnow() + timedelta(seconds=61)):
        assert exchange(app, code=late, codeVerifier=VERIFIER).json["code"] == "invalid_code"


def test_one_of_a_crowd_gets_the_session(
    instance: Instance, browser: Browser, idp: Idp, somebody: Somebody
) -> None:
    idp.next(claims=somebody.claims())
    code = code_for(browser)
    start = threading.Barrier(24)
    answers: list[int] = []

    def fetch() -> None:
        client = Browser(instance.app.test_client(), idp)
        start.wait()
        answers.append(exchange(client, code=code, codeVerifier=VERIFIER).status_code)

    threads = [threading.Thread(target=fetch) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [400] * 23


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": "c"},
        {"codeVerifier": VERIFIER},
        {"code": "c", "codeVerifier": "short"},
        {"code": "c", "codeVerifier": VERIFIER, "token": "a.b.c"},
        {"token": "a.b.c", "codeVerifier": VERIFIER},
        {"token": 7},
        {"token": ""},
        {"code": "c\0", "codeVerifier": VERIFIER},
        {"token": "a.b.c", "more": 1},
    ],
    ids=str,
)
def test_bad_input_is_told(app: Browser, body: dict[str, Any]) -> None:
    answer = exchange(app, **body)
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")


# --- another system's token -----------------------------------------------------------------------


def token_for(idp: Idp, somebody: Somebody, **claims: Any) -> str:
    return idp.sign(idp.claims(**somebody.claims(email_verified=True, **claims)))


def test_a_token_of_an_issuer_we_know_becomes_a_session(app: Browser, idp: Idp, somebody: Somebody) -> None:
    answer = exchange(app, token=token_for(idp, somebody))
    assert answer.status_code == 200, answer.text
    me = app.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {answer.json['accessToken']}"})
    assert (me.json["email"], me.json["verified"]) == (somebody.email, True)
    again = exchange(app, token=token_for(idp, somebody, email="moved@example.org"))
    assert again.json["userId"] == answer.json["userId"]


def test_tokens_become_cookies_for_pages_of_ours_alone(app: Browser, idp: Idp, somebody: Somebody) -> None:
    body = {"token": token_for(idp, somebody), "cookies": True}
    assert exchange(app, **body).json["code"] == "csrf_failed"
    answer = app.post("/auth/token-exchange", body, headers={"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.json["tokenType"]) == (200, "Cookie")
    assert app.me() is not None


_NOT_OF_A_BEARER = {"another nonce", "no nonce", "an access token", "issued long ago"}
FAULTS = [fault for fault in REFUSED if fault not in _NOT_OF_A_BEARER and "access token's hash" not in fault]


@pytest.mark.parametrize("fault", [*FAULTS, "older than an hour"])
def test_a_token_with_a_fault_is_no_session(app: Browser, idp: Idp, somebody: Somebody, fault: str) -> None:
    claims = idp.claims(**somebody.claims(email_verified=True), azp="jobstead")
    if fault == "older than an hour":
        token = idp.sign({**claims, "iat": claims["iat"] - 3700})
    elif "no party" in fault:  # a token for several is fine where it says whom it was given to, or nobody
        token = idp.sign({**claims, "aud": ["another client"], "azp": "another client"})
    else:
        token = REFUSED[fault](idp, claims)
    answer = exchange(app, token=token)
    assert (answer.status_code, answer.json["code"]) in {(401, "invalid_token"), (422, "invalid")}
    assert answer.status_code == 401 or fault == "too long"


def test_linking_rules_hold_for_tokens_too(
    instance: Instance, app: Browser, idp: Idp, somebody: Somebody
) -> None:
    owner = instance.person(somebody.email)
    token = token_for(idp, somebody)
    assert exchange(app, token=token).json["code"] == "link_required"
    unverified = idp.sign(idp.claims(**Somebody().claims(email_verified=False)))
    assert exchange(app, token=unverified).json["code"] == "email_not_verified"

    with time_machine.travel(utcnow() + timedelta(minutes=16)):
        assert owner.post("/auth/identities", {"token": token}).json["code"] == "fresh_login_required"
    assert owner.post("/auth/identities", {"token": token + "x"}).json["code"] == "invalid_token"
    assert owner.post("/auth/identities", {"token": token}).status_code == 204
    assert exchange(app, token=token).json["userId"] == str(owner.id)
    other = instance.person(f"other-{somebody.email}")
    assert other.post("/auth/identities", {"token": token}).json["code"] == "identity_taken"
    assert app.post("/auth/identities", {"token": token}).status_code == 401

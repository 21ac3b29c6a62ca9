"""The way back: once, in the browser that set out, and to a place of ours."""

from __future__ import annotations

import threading

import pytest
import time_machine
from werkzeug.test import TestResponse

from core.api import timedelta, utcnow
from core.testing import Instance

from .conftest import FRONTEND, HOME, Browser, Somebody, landed, query_of
from .idp import Idp


def refused(answer: TestResponse, code: str = "invalid_state") -> bool:
    return (answer.status_code, answer.content_type, answer.json["code"]) == (
        400,
        "application/problem+json",
        code,
    )


def test_a_state_comes_back_once(browser: Browser, idp: Idp, somebody: Somebody) -> None:
    url = browser.leave()
    cookies = dict(browser.client._cookies)
    idp.next(claims=somebody.claims())
    back = browser.sign_in_there(url)
    assert landed(browser.come_back(back)) == "/"
    assert refused(browser.come_back(back))  # the browser has forgotten it
    browser.client._cookies.update(cookies)
    assert refused(browser.come_back(back))  # and so does a browser that has not


def test_one_of_a_crowd_is_let_in(instance: Instance, browser: Browser, idp: Idp, somebody: Somebody) -> None:
    url = browser.leave()
    idp.next(claims=somebody.claims())
    back = browser.sign_in_there(url)
    answers: list[TestResponse] = []
    start = threading.Barrier(24)

    def arrive() -> None:
        same = Browser(instance.app.test_client(), idp)
        same.client._cookies.update(browser.client._cookies)
        start.wait()
        answers.append(same.come_back(back))

    threads = [threading.Thread(target=arrive) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [303] + [400] * 23
    assert len(idp.seen("token")) == 1


def test_another_browser_is_not_let_in(instance: Instance, browser: Browser, idp: Idp) -> None:
    """Somebody who gets a victim to open their own way back signs nobody in as themselves."""
    idp.next(claims=Somebody().claims())
    back = browser.sign_in_there(browser.leave())
    victim = Browser(instance.app.test_client(), idp)
    victim.leave()
    assert refused(victim.come_back(back))
    assert victim.me() is None
    assert landed(browser.come_back(back)) == "/"


def test_an_answer_belongs_to_the_provider_one_went_to(browser: Browser, idp: Idp) -> None:
    back = browser.sign_in_there(browser.leave("oidc/corp"))
    assert refused(browser.come_back(back.replace("oidc/corp", "oidc/owner")))


@pytest.mark.parametrize("state", ["", "x", "x" * 43, "%00", "é" * 10, "../../etc"])
def test_a_state_nobody_gave_out(browser: Browser, state: str) -> None:
    browser.leave()
    assert refused(browser.get("/api/v1/auth/oidc/corp/callback", query_string={"state": state, "code": "c"}))


def test_a_way_back_without_a_state_is_bad_input(browser: Browser) -> None:
    answer = browser.get("/api/v1/auth/oidc/corp/callback?code=c")
    assert (answer.status_code, answer.json["errors"]) == (
        422,
        {"state": ["Missing data for required field."]},
    )


def test_a_cookie_that_was_changed_opens_nothing(browser: Browser, idp: Idp) -> None:
    back = browser.sign_in_there(browser.leave())
    [cookie] = browser.client._cookies.values()
    cookie.value = cookie.value[:-4] + "AAAA"
    assert refused(browser.come_back(back))


def test_ten_minutes_are_enough(browser: Browser, idp: Idp) -> None:
    idp.next(claims=Somebody().claims())
    late, early = (browser.sign_in_there(browser.leave()) for _ in range(2))
    with time_machine.travel(utcnow() + timedelta(minutes=9)):
        assert "invalid_state" not in browser.come_back(early).text
    with time_machine.travel(utcnow() + timedelta(minutes=11)):
        assert refused(browser.come_back(late))


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"error": "access_denied", "code": None}, "access_denied"),
        ({"error": "temporarily_unavailable", "code": None}, "provider_error"),
        ({"error": "<script>", "code": "c"}, "provider_error"),
        ({"code": None}, "provider_error"),
        ({"iss": "https://evil.example.org"}, "invalid_token"),
    ],
    ids=str,
)
def test_trouble_is_told_where_one_lands(
    browser: Browser, idp: Idp, said: dict[str, str | None], error: str
) -> None:
    idp.next(redirect=said)
    assert landed(browser.through(next="/in?a=1")) == f"/in?a=1&error={error}"
    assert browser.me() is None
    assert idp.seen("token") == []  # the code is not even asked about


def test_an_answer_that_names_its_issuer(browser: Browser, idp: Idp, somebody: Somebody) -> None:
    idp.next(claims=somebody.claims(), redirect={"iss": idp.issuer})
    assert landed(browser.through()) == "/"


ELSEWHERE = [
    "https://evil.test/",
    "//evil.test",
    "///evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "/\t/evil.test",
    "https:evil.test",
    "https:/evil.test",
    "javascript:alert(1)",
    "data:text/html,x",
    f"{HOME}@evil.test/",
    f"{HOME}.evil.test/",
    f"{FRONTEND}:8443/",
    FRONTEND.replace("https", "http"),
    "https://user@app.test/",
    "http://[::1",
    "https://app.test:port/",
    "evil.test",
    "",
    "/é",
    "/a\r\nSet-Cookie:a=b",
    "/" + "a" * 2000,
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_sent_elsewhere(browser: Browser, target: str) -> None:
    answer = browser.get("/api/v1/auth/oidc/corp", query_string={"next": target})
    assert answer.status_code == 422
    assert "next" in answer.json["errors"]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "target", ["/", "/deep/er?a=1&b=2#c", f"{HOME}/x", f"{FRONTEND}/done?a=1", f"{FRONTEND}:443"]
)
def test_places_of_ours(browser: Browser, idp: Idp, target: str) -> None:
    idp.next(claims=Somebody().claims())
    assert landed(browser.through(next=target)) == target


def test_a_place_that_is_ours_no_more_is_not_gone_to(
    instance: Instance, browser: Browser, idp: Idp, monkeypatch: pytest.MonkeyPatch
) -> None:
    idp.next(claims=Somebody().claims())
    back = browser.sign_in_there(browser.leave(next=f"{FRONTEND}/done"))
    monkeypatch.setitem(instance.app.extensions["jobstead.settings"]["sso"], "return_origins", [])
    assert landed(browser.come_back(back)) == "/?error=invalid_next"


def test_bad_input_is_told(browser: Browser) -> None:
    for query in ("codeChallenge=short", "codeChallenge=", "unknown=1"):
        assert browser.get(f"/api/v1/auth/oidc/corp?{query}").status_code == 422
    assert query_of(browser.leave())["state"]

"""There and back again: somebody new, somebody known, and what the provider is asked on the way."""

from __future__ import annotations

import base64

from plugins.sso.flow import challenge_of

from .conftest import HOME, Browser, Somebody, landed, query_of
from .idp import Idp


def test_somebody_new_gets_an_account_and_is_known_from_then_on(
    browser: Browser, idp: Idp, somebody: Somebody
) -> None:
    idp.next(claims=somebody.claims())
    assert landed(browser.through(next="/welcome?a=1")) == "/welcome?a=1"
    me = browser.me()
    assert me is not None
    assert (me["email"], me["name"], me["verified"]) == (somebody.email, somebody.name.title(), True)
    assert [org["kind"] for org in me["organisations"]] == ["personal"]
    assert not me["mustChangePassword"]

    found = browser.get("/api/v1/auth/identities").json["items"]
    assert [(each["provider"], each["issuer"], each["email"]) for each in found] == [
        ("oidc/corp", idp.issuer, somebody.email)
    ]

    idp.next(claims=somebody.claims(email=f"other-{somebody.email}"))
    again = Browser(browser.client.application.test_client(), idp)
    assert landed(again.through()) == "/"
    there = again.me()
    assert there is not None
    assert (there["id"], there["email"]) == (me["id"], somebody.email)


def test_the_provider_is_asked_with_pkce_nonce_state_and_our_own_address(browser: Browser, idp: Idp) -> None:
    url = browser.leave(next="/")
    asked = query_of(url)
    assert url.startswith(f"{idp.issuer}/authorize?")
    assert asked["redirect_uri"] == f"{HOME}/api/v1/auth/oidc/corp/callback"
    assert asked["code_challenge_method"] == "S256"
    assert asked["scope"] == "openid profile email"
    assert {len(asked[name]) for name in ("state", "nonce", "code_challenge")} == {43}

    idp.next(claims=Somebody().claims())
    landed(browser.come_back(browser.sign_in_there(url)))
    [request] = idp.seen("token")
    assert challenge_of(request["body"]["code_verifier"]) == asked["code_challenge"]
    pair = base64.b64decode(request["authorization"].removeprefix("Basic ")).decode()
    assert pair == "jobstead:s3cret+of+ours"
    assert "client_secret" not in request["body"]


def test_two_attempts_share_nothing(browser: Browser) -> None:
    first, second = (query_of(browser.leave()) for _ in range(2))
    assert all(first[name] != second[name] for name in ("state", "nonce", "code_challenge"))


def test_a_host_header_moves_nothing(browser: Browser) -> None:
    answer = browser.client.get("/api/v1/auth/oidc/corp", base_url="https://evil.test")
    assert query_of(answer.headers["Location"])["redirect_uri"].startswith(f"{HOME}/")


def test_cookies_of_an_attempt_are_for_this_host_alone_and_go_away(browser: Browser, idp: Idp) -> None:
    idp.next(claims=Somebody().claims())
    answer = browser.get("/api/v1/auth/oidc/corp")
    [cookie] = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-jobstead_sso_")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Max-Age=600", "Path=/"))
    for secret in query_of(answer.headers["Location"])["state"], "oidc/corp":
        assert secret not in cookie.partition("=")[2]
    back = browser.come_back(browser.sign_in_there(answer.headers["Location"]))
    kept = {cookie.partition("=")[0]: cookie for cookie in back.headers.getlist("Set-Cookie")}
    gone = next(cookie for name, cookie in kept.items() if name.startswith("__Host-jobstead_sso_"))
    assert "Max-Age=0" in gone
    assert {"__Host-jobstead_access", "__Host-jobstead_refresh", "__Host-jobstead_csrf"} < set(kept)


def test_tabs_are_independent_and_few(browser: Browser, idp: Idp) -> None:
    idp.next(claims=Somebody().claims())
    first = browser.leave(next="/first")
    second = browser.leave(next="/second")
    assert landed(browser.come_back(browser.sign_in_there(second))) == "/second"
    assert landed(browser.come_back(browser.sign_in_there(first))) == "/first"
    for _ in range(20):
        browser.leave()
    kept = [cookie for cookie in browser.client._cookies.values() if "_sso_" in cookie.key]
    assert len(kept) <= 8


def test_every_way_in_is_listed(browser: Browser, idp: Idp) -> None:
    items = browser.get("/api/v1/auth/providers").json["items"]
    assert [(each["name"], each["type"], each["title"]) for each in items] == [
        ("password", "password", "Password"),
        ("oidc/corp", "redirect", "Corp"),
        ("oidc/owner", "redirect", "owner"),
        ("oidc/closed", "redirect", "closed"),
        ("elsewhere", "token", "elsewhere"),
    ]
    assert items[1]["url"] == "/api/v1/auth/oidc/corp"
    assert "s3cret" not in str(items)


def test_a_provider_that_is_not_offered_is_not_there(browser: Browser) -> None:
    for path in ("google", "linkedin", "oidc/nobody", "oidc/nobody/callback?state=x"):
        assert browser.get(f"/api/v1/auth/{path}").status_code == 404

"""What issuers publish about themselves: believed only of themselves, fetched seldom and with care."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.testing import Instance

from .conftest import Browser, Somebody, landed, query_of, settings
from .idp import HTTP, Idp

pytestmark = pytest.mark.once


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of the documents fetched, in order."""
    from plugins.sso import documents

    seen: list[str] = []
    really = documents.fetch

    def fetch(url: str) -> dict[str, Any]:
        seen.append(url)
        return really(url)

    monkeypatch.setattr(documents, "fetch", fetch)
    return seen


def test_a_rotated_key_is_found_once_a_minute(
    boot: Callable[..., Instance],
    idp: Idp,
    fetched: list[str],
    monkeypatch: pytest.MonkeyPatch,
    somebody: Somebody,
) -> None:
    browser = Browser(boot().app.test_client(), idp)
    idp.next(claims=somebody.claims())
    assert landed(browser.through()) == "/"
    assert fetched == [f"{idp.issuer}/.well-known/openid-configuration", f"{idp.issuer}/jwks"]

    idp.rotate(f"key-{somebody.name}")
    idp.next(claims=somebody.claims())
    while idp.keys()[0]["kid"] != f"key-{somebody.name}":
        idp.next(idToken=idp.sign(idp.claims()))
        browser.sign_in_there(browser.leave())
        _turn(idp)
    known = len(fetched)
    for _ in range(3):
        idp.next(idToken=_signed_for(idp, browser, somebody, url := browser.leave()))
        assert landed(browser.come_back(browser.sign_in_there(url))) == "/?error=invalid_token"
    assert len(fetched) == known  # looked for a minute ago, when the first was fetched
    monkeypatch.setattr("plugins.sso.documents.PAUSE", 0.0)
    idp.next(idToken=_signed_for(idp, browser, somebody, url := browser.leave()))
    assert landed(browser.come_back(browser.sign_in_there(url))) == "/"
    assert fetched[known:] == [f"{idp.issuer}/jwks"]


@pytest.mark.parametrize(
    "issuer",
    [
        pytest.param("{issuer}/", id="whose document names another issuer"),
        pytest.param("{issuer}/token", id="without a document"),
        pytest.param("http://127.0.0.1:9", id="where nobody listens"),
        pytest.param("http://10.0.0.1", id="in a network that is not for us"),
        pytest.param("http://169.254.169.254", id="that is a cloud's own"),
    ],
)
def test_an_issuer_is_not_believed(boot: Callable[..., Instance], idp: Idp, issuer: str) -> None:
    chosen = settings(idp)
    chosen["oidc"]["corp"]["issuer"] = issuer.format(issuer=idp.issuer)
    answer = Browser(boot(sso=chosen).app.test_client(), idp).get("/api/v1/auth/oidc/corp")
    assert (answer.status_code, answer.json["code"]) == (503, "provider_unavailable")


def test_a_document_that_cannot_be_had_is_not_asked_for_again_at_once(
    boot: Callable[..., Instance], idp: Idp, fetched: list[str]
) -> None:
    chosen = settings(idp)
    chosen["oidc"]["corp"]["issuer"] = f"{idp.issuer}/token"
    browser = Browser(boot(sso=chosen).app.test_client(), idp)
    for _ in range(5):
        assert browser.get("/api/v1/auth/oidc/corp").status_code == 503
    assert len(fetched) == 1


DOCUMENT = {
    "issuer": "https://id.example.org",
    "authorization_endpoint": "https://id.example.org/authorize",
    "token_endpoint": "https://id.example.org/token",
    "jwks_uri": "https://id.example.org/jwks",
}


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://id.example.org/"},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": 7},
        {"token_endpoint": "http://id.example.org/token"},
        {"token_endpoint": "https://user:password@id.example.org/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://id.example.org/\r\nSet-Cookie:a=b"},
        {"authorization_endpoint": "https:///nowhere"},
        {"token_endpoint_auth_methods_supported": "client_secret_basic"},
    ],
    ids=str,
)
def test_a_document_is_refused(change: dict[str, Any]) -> None:
    from plugins.sso import discovery
    from plugins.sso.documents import Unusable

    assert discovery._metadata(DOCUMENT, "https://id.example.org").jwks_uri == DOCUMENT["jwks_uri"]
    with pytest.raises(Unusable):
        discovery._metadata({**DOCUMENT, **change}, "https://id.example.org")


def _turn(idp: Idp) -> None:
    """Have the provider sign something, so that it is the other key's turn."""
    HTTP.post(f"{idp.issuer}/token", data={"grant_type": "client_credentials", "scope": "a", "aud": "b"})


def _signed_for(idp: Idp, browser: Browser, somebody: Somebody, url: str) -> str:
    return idp.sign(idp.claims(**somebody.claims(email_verified=True), nonce=query_of(url)["nonce"]))

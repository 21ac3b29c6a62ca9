"""Google and LinkedIn: requests in the shape they publish, and what each says in its own way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from core.testing import Instance

from .conftest import HOME, Browser, Somebody, landed, query_of
from .idp import Idp

CONTRACTS = Path(__file__).parent / "contracts"
CLIENT = {
    "google": {"client_id": "1-a.apps.googleusercontent.com", "client_secret": "from google"},
    "linkedin": {"client_id": "86abc", "client_secret": "from linkedin"},
}
DOMAINS = {"hosted_domains": ["example.com"]}

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def instance(boot: Callable[..., Instance], idp: Idp) -> Instance:
    """With both vendors, each played by our provider."""
    return boot(sso={name: {**client, "issuer": idp.issuer} for name, client in CLIENT.items()})


@pytest.fixture(scope="module")
def workspace(boot: Callable[..., Instance], idp: Idp) -> Instance:
    """With Google for the people of one Workspace domain."""
    return boot(sso={"google": {**CLIENT["google"], **DOMAINS, "issuer": idp.issuer}})


def judge(vendor: str, part: str, request: dict[str, Any]) -> None:
    """Raise ``ValidationError`` unless ``request`` has the shape ``vendor`` publishes."""
    contract = json.loads((CONTRACTS / f"{vendor}.json").read_text())
    Draft202012Validator({**contract, "$ref": f"#/$defs/{part}"}).validate(request)


@pytest.mark.parametrize("vendor", ["google", "linkedin"])
def test_requests_have_the_vendors_shape(browser: Browser, idp: Idp, vendor: str) -> None:
    url = browser.leave(vendor)
    asked = query_of(url)
    judge(vendor, "authorization", asked)
    assert asked["redirect_uri"] == f"{HOME}/api/v1/auth/{vendor}/callback"
    said = {"email_verified": "true"} if vendor == "linkedin" else {}
    idp.next(claims=Somebody().claims(**said))
    assert landed(browser.come_back(browser.sign_in_there(url))) == "/"
    [sent] = idp.seen("token")
    judge(vendor, "token", sent["body"])
    assert sent["authorization"] is None
    assert sent["body"]["redirect_uri"] == asked["redirect_uri"]

    other = "linkedin" if vendor == "google" else "google"
    for part, request in (("authorization", asked), ("token", sent["body"])):
        with pytest.raises(ValidationError):
            judge(other, part, request)
        for name in request:
            if name != "hd":
                with pytest.raises(ValidationError):
                    judge(vendor, part, {key: value for key, value in request.items() if key != name})


@pytest.mark.parametrize("nonce", [None, "another"])
def test_linkedin_says_no_nonce_and_a_wrong_one_is_refused(
    browser: Browser, idp: Idp, somebody: Somebody, nonce: str | None
) -> None:
    idp.next(claims=somebody.claims(email_verified="true", nonce=nonce))
    assert landed(browser.through("linkedin")) == ("/" if nonce is None else "/?error=invalid_token")


def test_only_linkedin_may_write_true_as_a_text(browser: Browser, idp: Idp, somebody: Somebody) -> None:
    idp.next(claims=somebody.claims(email_verified="true"))
    assert landed(browser.through("google")) == "/?error=email_not_verified"
    for text in ("True", "1", "yes", "false", ""):
        idp.next(claims=somebody.claims(email_verified=text))
        assert landed(browser.through("linkedin")) == "/?error=email_not_verified"


@pytest.mark.parametrize(
    ("email", "more", "where"),
    [
        ("{name}@gmail.com", {}, "/"),
        ("{name}@GoogleMail.com", {}, "/"),
        ("{name}@corp.example", {"hd": "corp.example"}, "/"),
        ("{name}@corp.example", {}, "/?error=link_required"),
        ("{name}@gmail.com.evil.example", {}, "/?error=link_required"),
        ("{name}@corp.example", {"hd": ""}, "/?error=link_required"),
    ],
)
def test_google_speaks_for_the_addresses_it_keeps(
    instance: Instance,
    browser: Browser,
    idp: Idp,
    somebody: Somebody,
    email: str,
    more: dict[str, str],
    where: str,
) -> None:
    address = email.format(name=somebody.name)
    instance.person(address.casefold())
    idp.next(claims=somebody.claims(email=address, **more))
    assert landed(browser.through("google")) == where


def test_linkedin_speaks_for_nobodys_address(
    instance: Instance, browser: Browser, idp: Idp, somebody: Somebody
) -> None:
    instance.person(somebody.email)
    idp.next(claims=somebody.claims(email_verified="true"))
    assert landed(browser.through("linkedin")) == "/?error=link_required"


def test_a_domain_is_known_by_hd_and_not_by_an_address(
    workspace: Instance, idp: Idp, somebody: Somebody
) -> None:
    browser = Browser(workspace.app.test_client(), idp)
    assert query_of(browser.leave("google"))["hd"] == "example.com"
    address = f"{somebody.name}@example.com"
    for more in ({}, {"hd": "evil.example"}, {"hd": "sub.example.com"}, {"hd": ["example.com"]}):
        idp.next(claims=somebody.claims(email=address, **more))
        assert landed(browser.through("google")) == "/?error=not_admitted"
    idp.next(claims=somebody.claims(email=address, hd="example.com"))
    assert landed(browser.through("google")) == "/"
    idp.next(claims=somebody.claims(email=address))  # known, and no longer of the domain
    assert landed(browser.through("google")) == "/?error=not_admitted"

"""Tokens that must not let anybody in, each one fault away from one that does."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from .conftest import Browser, Somebody, landed, query_of
from .idp import Idp, public_pem, unsigned

Forge = Callable[[Idp, dict[str, Any]], str]

pytestmark = pytest.mark.once


def arrive(browser: Browser, idp: Idp, somebody: Somebody, forge: Forge, **more: Any) -> str:
    """Where somebody lands for whom the provider's answer holds the token that ``forge`` makes."""
    url = browser.leave()
    said = idp.claims(**somebody.claims(email_verified=True), nonce=query_of(url)["nonce"])
    idp.next(idToken=forge(idp, said), **more)
    return landed(browser.come_back(browser.sign_in_there(url)))


def with_claims(**changes: Any) -> Forge:
    def forge(idp: Idp, claims: dict[str, Any]) -> str:
        changed = {**claims, **changes}
        return idp.sign({name: value for name, value in changed.items() if value is not None})

    return forge


def with_times(**seconds: int) -> Forge:
    """Times so many seconds from now."""

    def forge(idp: Idp, claims: dict[str, Any]) -> str:
        now = int(time.time())
        return idp.sign({**claims, **{name: now + value for name, value in seconds.items()}})

    return forge


def with_header(**changes: Any) -> Forge:
    return lambda idp, claims: idp.sign(claims, changes)


ACCESS_TOKEN_ANSWER = {"access_token": "an access token", "token_type": "Bearer"}


def at_hash(access_token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()[:16]).decode().rstrip("=")


def unsigned_by(**header: Any) -> Forge:
    return lambda idp, claims: unsigned({"typ": "JWT", "kid": idp.keys()[0]["kid"], **header}, claims)


def hmac_with_public_key(idp: Idp, claims: dict[str, Any]) -> str:
    return idp.sign(claims, {"alg": "HS256"}, public_pem(idp.keys()[0]))


def another_key(idp: Idp, claims: dict[str, Any]) -> str:
    return idp.sign(claims, key=RSAKey.generate_key(2048))


def own_key_in_the_header(idp: Idp, claims: dict[str, Any]) -> str:
    key = RSAKey.generate_key(2048)
    return idp.sign(claims, {"jwk": key.as_dict(private=False)}, key)


def another_kind_of_key(idp: Idp, claims: dict[str, Any]) -> str:
    return idp.sign(claims, {"alg": "ES256"}, ECKey.generate_key("P-256"))


def changed_afterwards(idp: Idp, claims: dict[str, Any]) -> str:
    head, _, signature = idp.sign(claims).split(".")
    return ".".join([head, unsigned({}, {**claims, "sub": "admin"}).split(".")[1], signature])


REFUSED: dict[str, Forge] = {
    "another audience": with_claims(aud="another client"),
    "no audience": with_claims(aud=None),
    "several audiences, no party": with_claims(aud=["jobstead", "another client"]),
    "another authorized party": with_claims(azp="another client"),
    "several audiences, another party": with_claims(aud=["jobstead", "x"], azp="x"),
    "another issuer": with_claims(iss="https://evil.example.org"),
    "the issuer with a slash": lambda idp, claims: idp.sign({**claims, "iss": f"{idp.issuer}/"}),
    "no issuer": with_claims(iss=None),
    "expired": with_times(iat=-300, exp=-31),
    "no end": with_claims(exp=None),
    "an end that is no number": with_claims(exp="tomorrow"),
    "an end that never comes": with_claims(exp=float("nan")),
    "an end without end": with_claims(exp=float("inf")),
    "true as a time": with_claims(iat=True),
    "issued in the future": with_times(iat=3600, exp=7200),
    "issued long ago": with_times(iat=-7200),
    "no issue": with_claims(iat=None),
    "not valid yet": with_times(nbf=3600),
    "another nonce": with_claims(nonce="another"),
    "no nonce": with_claims(nonce=None),
    "no subject": with_claims(sub=None),
    "an empty subject": with_claims(sub=""),
    "a subject that is a number": with_claims(sub=7),
    "a subject too long": with_claims(sub="s" * 256),
    "an access token's hash that is wrong": with_claims(at_hash=at_hash("another")),
    "an access token's hash that is empty": with_claims(at_hash=""),
    "alg none": unsigned_by(alg="none"),
    "alg None": unsigned_by(alg="None"),
    "alg none with a signature": lambda idp, claims: unsigned({"alg": "none"}, claims, "AAAA"),
    "no alg": unsigned_by(),
    "HS256 with the public key": hmac_with_public_key,
    "RS384": with_header(alg="RS384"),
    "no signature": lambda idp, claims: idp.sign(claims).rpartition(".")[0] + ".",
    "somebody else's key": another_key,
    "a key of its own": own_key_in_the_header,
    "a key of another kind": another_kind_of_key,
    "an unknown kid": with_header(kid="another"),
    "a kid that is a path": with_header(kid="../../dev/null"),
    "crit": with_header(crit=["exp"], exp=1),
    "crit that is empty": with_header(crit=[]),
    "b64": with_header(b64=False),
    "zip": with_header(zip="DEF"),
    "an access token": with_header(typ="at+jwt"),
    "a log-out token": with_header(typ="logout+jwt"),
    "changed afterwards": changed_afterwards,
    "no token": lambda idp, claims: "none",
    "too long": lambda idp, claims: idp.sign({**claims, "more": "x" * 16_384}),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_token_with_a_fault_lets_nobody_in(
    browser: Browser, idp: Idp, somebody: Somebody, fault: str
) -> None:
    assert arrive(browser, idp, somebody, REFUSED[fault]) == "/?error=invalid_token"
    assert browser.me() is None


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(with_claims(), id="as it should be"),
        pytest.param(with_claims(aud=["jobstead"]), id="one audience in a list"),
        pytest.param(with_claims(aud=["jobstead", "x"], azp="jobstead"), id="we are the authorized party"),
        pytest.param(with_header(typ=None), id="no typ"),
        pytest.param(with_header(cat="more"), id="a header that says more"),
        pytest.param(with_times(iat=-20, exp=-5, nbf=10), id="within the leeway"),
    ],
)
def test_a_sound_token_lets_in(browser: Browser, idp: Idp, somebody: Somebody, forge: Forge) -> None:
    assert arrive(browser, idp, somebody, forge) == "/"
    assert browser.me() is not None


def test_the_hash_of_the_access_token_is_compared(browser: Browser, idp: Idp, somebody: Somebody) -> None:
    def answer(hashed: str) -> str:
        url = browser.leave()
        said = idp.claims(**somebody.claims(email_verified=True), nonce=query_of(url)["nonce"])
        token = idp.sign({**said, "at_hash": hashed})
        idp.next(answer={**ACCESS_TOKEN_ANSWER, "id_token": token})
        return landed(browser.come_back(browser.sign_in_there(url)))

    assert answer(at_hash("another access token")) == "/?error=invalid_token"
    assert answer(at_hash("an access token")) == "/"


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"status": 400, "answer": {"error": "invalid_grant"}}, "provider_error"),
        ({"status": 500, "answer": {}}, "provider_unavailable"),
        ({"answer": ["not", "an", "object"]}, "provider_unavailable"),
        ({"answer": {}}, "invalid_token"),
        ({"answer": {"id_token": 7}}, "invalid_token"),
        ({"answer": {"access_token": 7, "id_token": "a.b.c"}}, "invalid_token"),
    ],
    ids=str,
)
def test_a_token_endpoint_that_is_out_of_order(
    browser: Browser, idp: Idp, told: dict[str, Any], error: str
) -> None:
    idp.next(**told)
    assert landed(browser.through(next="/in")) == f"/in?error={error}"
    assert browser.me() is None

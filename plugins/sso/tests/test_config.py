"""Settings that would let the wrong people in are refused at start, in words that give nothing away."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.testing import Databases, Instance

from .conftest import AROUND, Browser
from .idp import Idp

OIDC = {"issuer": "https://id.example.org", "client_id": "jobstead"}
TOKENS = {"issuer": "https://id.example.org", "audience": "jobstead"}
CLERK = "pk_test_" + base64.b64encode(b"happy-cat-1.clerk.accounts.dev$").decode().rstrip("=")


pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def prepared(boot: Callable[..., Instance]) -> Instance:
    """One that starts: the others copy its database and need not migrate theirs."""
    return boot(sso={})


@pytest.fixture
def fresh(prepared: Instance, tmp_path: Path, databases: Databases) -> Iterator[Instance]:
    assert prepared.app
    made = Instance(tmp_path, databases)
    made.environ.update(AROUND)
    yield made
    made.close()


def named(table: str, **values: Any) -> dict[str, Any]:
    return {table: {"acme": values}}


@pytest.mark.parametrize(
    ("sso", "said"),
    [
        (named("tokens", issuer="https://x.example"), r"\[plugins.sso.tokens.acme\] .* needs audience"),
        (named("tokens", **{**TOKENS, "audience": ""}), "tokens.acme.audience"),
        (named("tokens", audience="jobstead"), "needs issuer"),
        (named("tokens", **TOKENS, audiance="x"), "tokens.acme.audiance"),
        (named("oidc", issuer="https://x.example"), r"\[plugins.sso.oidc.acme\] .* needs client_id"),
        (named("oidc", **{**OIDC, "issuer": "file:///etc/passwd"}), "oidc.acme.issuer"),
        (named("oidc", **OIDC, token_auth="private_key_jwt"), "oidc.acme.token_auth"),
        ({"oidc": {"Big_Corp": OIDC}}, "is no slug"),
        ({"tokens": {"a": TOKENS, "b": TOKENS}}, "name each issuer once"),
        ({"google": {"client_id": "only"}}, "google.client_secret"),
        ({"clerk": {"publishable_key": CLERK}}, "clerk.audience"),
        ({"clerk": {"publishable_key": "sk_live_secret", "audience": "a"}}, "must begin with pk_live_"),
        ({"return_origins": ["https://app.example/path"]}, "origin"),
        ({"frontend_url": "javascript:alert(1)"}, "frontend_url"),
    ],
    ids=str,
)
def test_a_start_is_refused(fresh: Instance, sso: dict[str, Any], said: str) -> None:
    fresh.plugins(sso=sso)
    with pytest.raises(RuntimeError, match=said):
        assert fresh.app


def test_a_fault_beside_a_secret_does_not_tell_it(fresh: Instance) -> None:
    fresh.plugins(sso=named("oidc", **OIDC, client_secret="hush-hush", token_auth="x"))
    with pytest.raises(RuntimeError) as refused:
        assert fresh.app
    assert "hush" not in str(refused.value)


def test_secrets_below_names_of_ones_own_are_followed_and_never_shown(fresh: Instance) -> None:
    fresh.environ.update(AROUND, CORP_SECRET="hush-hush", GOOGLE_CLIENT_ID="g", GOOGLE_CLIENT_SECRET="hush")
    chosen = named("oidc", **OIDC)
    chosen["oidc"]["acme"]["client_secret"] = {"env": "CORP_SECRET"}
    fresh.plugins(sso=chosen)
    held = fresh.app.extensions["jobstead.settings"]["sso"]
    assert held["oidc"]["acme"]["client_secret"].reveal() == "hush-hush"
    assert held["google"]["client_secret"].reveal() == "hush"
    admin = fresh.person("admin@example.org", role="superadmin")
    shown = admin.get("/plugins/sso")
    assert shown.status_code == 200
    assert "hush" not in shown.text + repr(held)
    items = fresh.app.test_client().get("/api/v1/auth/providers").json["items"]
    assert [each["name"] for each in items] == ["password", "google", "oidc/acme"]


def test_a_secret_that_is_not_set_is_named(fresh: Instance) -> None:
    chosen = named("oidc", **OIDC)
    chosen["oidc"]["acme"]["client_secret"] = {"env": "NOT_THERE"}
    with pytest.raises(RuntimeError, match=r"acme.client_secret .* variable NOT_THERE, which is not set"):
        assert fresh.plugins(sso=chosen).app


def test_clerks_key_names_its_issuer(boot: Callable[..., Instance], idp: Idp) -> None:
    made = boot(sso={"clerk": {"publishable_key": CLERK, "audience": "jobstead"}})
    items = Browser(made.app.test_client(), idp).get("/api/v1/auth/providers").json["items"]
    assert items[-1]["issuer"] == "https://happy-cat-1.clerk.accounts.dev"


def test_with_nothing_set_up_there_is_the_password_alone(boot: Callable[..., Instance], idp: Idp) -> None:
    client = boot(sso={}).app.test_client()
    assert [each["name"] for each in client.get("/api/v1/auth/providers").json["items"]] == ["password"]
    token = idp.sign(idp.claims(email="a@example.org", email_verified=True))
    answer = client.post("/api/v1/auth/token-exchange", json={"token": token})
    assert (answer.status_code, answer.json["code"]) == (401, "invalid_token")

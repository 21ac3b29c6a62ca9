"""A second step stands before every way in, and other systems' tokens go round none of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import TestResponse

from core.testing import Instance, Person
from plugins.sso.flow import challenge_of

from .conftest import Browser, Somebody, landed, query_of, settings
from .idp import Idp

VERIFIER = "a-verifier-of-a-frontend-that-is-long-enough-for-it"
GUARD = """
from core.api import find_user, hookimpl


@hookimpl
def login_guard(user_id):
    return ["knock"] if find_user(user_id).name == "Guarded" else None
"""
MANIFEST = """
name = "knocker"
version = "1.0"
api = ">=1,<2"
summary = "Asks whoever is called Guarded for a second step."
scope = "instance"
"""


@pytest.fixture(scope="module")
def instance(boot: Callable[..., Instance], idp: Idp, tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """With a plugin that guards, and an issuer whose tokens are accepted as they are."""
    folder: Path = tmp_path_factory.mktemp("plugins") / "knocker"
    folder.mkdir()
    (folder / "plugin.toml").write_text(MANIFEST)
    (folder / "__init__.py").write_text(GUARD)
    chosen = settings(idp)
    chosen["tokens"]["elsewhere"]["accept_bearer"] = True
    return boot("knocker", sso=chosen, path=[folder.parent])


def token_for(idp: Idp, somebody: Somebody, **claims: object) -> str:
    return idp.sign(idp.claims(**somebody.claims(email_verified=True, **claims)))


def as_bearer(client: Browser, token: str, path: str = "/auth/me", **headers: str) -> TestResponse:
    return client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}", **headers})


def test_a_ticket_comes_in_place_of_a_session(browser: Browser, idp: Idp, somebody: Somebody) -> None:
    idp.next(claims=somebody.claims(name="Guarded"))
    answer = browser.through(next="/in?a=1")
    where = urlsplit(landed(answer))
    assert (where.path, where.query) == ("/in", "a=1")
    told = parse_qs(where.fragment)
    assert set(told) == {"mfa", "ticket", "methods", "expiresAt"}
    assert told["methods"] == ["knock"]
    assert "jobstead_access" not in str(answer.headers)
    assert browser.me() is None

    code = landed(browser.through(next="/in", codeChallenge=challenge_of(VERIFIER)))
    body = {"code": query_of(code)["code"], "codeVerifier": VERIFIER}
    given = browser.post("/auth/token-exchange", body).json
    assert (given["mfaRequired"], given["methods"], "accessToken" in given) == (True, ["knock"], False)

    given = browser.post("/auth/token-exchange", {"token": token_for(idp, somebody)}).json
    assert (given["mfaRequired"], "accessToken" in given) == (True, False)


def test_a_token_is_accepted_as_it_is_for_whom_it_is_linked_to(
    browser: Browser, idp: Idp, somebody: Somebody
) -> None:
    token = token_for(idp, somebody)
    assert as_bearer(browser, token).status_code == 401  # nobody is linked yet
    assert browser.post("/auth/token-exchange", {"token": token}).status_code == 200
    me = as_bearer(browser, token)
    assert (me.status_code, me.json["email"], me.json["roles"]) == (200, somebody.email, ["user"])
    organisation = me.json["organisations"][0]["id"]
    assert as_bearer(browser, token, f"/orgs/{organisation}").json["id"] == organisation
    assert as_bearer(browser, token, "/users").status_code == 403
    assert as_bearer(browser, token, "/auth/identities").json["items"][0]["issuer"] == idp.issuer

    # it is no session: what asks for a sign-in of a moment ago is not for it
    [identity] = as_bearer(browser, token, "/auth/identities").json["items"]
    headers = {"Authorization": f"Bearer {token}"}
    refused = browser.client.delete(f"/api/v1/auth/identities/{identity['id']}", headers=headers)
    assert refused.json["code"] == "fresh_login_required"


def test_another_organisation_stays_another(
    instance: Instance, browser: Browser, idp: Idp, somebody: Somebody
) -> None:
    other = instance.person(f"other-{somebody.email}")
    token = token_for(idp, somebody)
    browser.post("/auth/token-exchange", {"token": token})
    theirs = other.me["organisationId"]
    assert as_bearer(browser, token, "/auth/me", **{"X-Org": theirs}).status_code == 404
    assert as_bearer(browser, token, f"/orgs/{theirs}").status_code == 404


def test_a_token_that_does_not_hold_is_refused_where_somebody_is_needed(
    browser: Browser, idp: Idp, somebody: Somebody
) -> None:
    token = token_for(idp, somebody)
    browser.post("/auth/token-exchange", {"token": token})
    foreign = idp.sign(idp.claims(**somebody.claims(), aud="another client"))
    for bad in (foreign, token[:-4] + "AAAA", "x", "a.b.c", ""):
        answer = as_bearer(browser, bad)
        assert (answer.status_code, answer.json["code"]) == (401, "invalid_token")
        assert as_bearer(browser, bad, "/auth/providers").status_code == 200


def test_core_judges_its_own_tokens_alone(instance: Instance, browser: Browser, idp: Idp) -> None:
    """A broken token of this instance is refused, whatever a plugin would make of it."""
    ann = instance.person(f"ann-{Somebody().email}")
    assert as_bearer(browser, ann.token).status_code == 200
    assert as_bearer(browser, f"{ann.token[:-4]}AAAA").status_code == 401
    ann.post("/auth/logout")
    assert as_bearer(browser, ann.token).status_code == 401


def test_suspension_ends_it(instance: Instance, browser: Browser, idp: Idp, somebody: Somebody) -> None:
    admin = instance.person(f"admin-{somebody.email}", role="superadmin")
    token = token_for(idp, somebody)
    user_id = browser.post("/auth/token-exchange", {"token": token}).json["userId"]
    assert as_bearer(browser, token).status_code == 200
    assert admin.post(f"/users/{user_id}/suspend", {"reason": "test"}).status_code == 200
    assert as_bearer(browser, token).status_code == 401
    assert browser.post("/auth/token-exchange", {"token": token}).json["code"] == "account_suspended"


def test_unlinking_ends_it(instance: Instance, browser: Browser, idp: Idp, somebody: Somebody) -> None:
    token = token_for(idp, somebody)
    owner = instance.person(f"owner-{somebody.email}")
    for _ in range(2):
        other = Somebody()
        assert owner.post("/auth/identities", {"token": token_for(idp, other)}).status_code == 204
    assert owner.post("/auth/identities", {"token": token}).status_code == 204
    assert as_bearer(browser, token).status_code == 200
    [newest, *_] = owner.get("/auth/identities").json["items"]
    assert owner.delete(f"/auth/identities/{newest['id']}").status_code == 204
    assert as_bearer(browser, token).status_code == 401


def test_it_goes_round_no_second_step(browser: Browser, idp: Idp, somebody: Somebody) -> None:
    token = token_for(idp, somebody, name="Guarded")
    assert browser.post("/auth/token-exchange", {"token": token}).json["mfaRequired"]
    answer = as_bearer(browser, token)
    assert (answer.status_code, answer.json["code"]) == (401, "second_step_required")


def test_by_default_only_exchange_is_open(
    boot: Callable[..., Instance], idp: Idp, somebody: Somebody
) -> None:
    client = Browser(boot().app.test_client(), idp)
    token = token_for(idp, somebody)
    assert client.post("/auth/token-exchange", {"token": token}).status_code == 200
    assert as_bearer(client, token).status_code == 401


BROKEN = """
from core.api import Forbidden, Principal, find_by_email, hookimpl


@hookimpl
def authenticate(request):
    asked = request.headers.get("X-Badge")
    if asked == "broken":
        raise SystemExit(3)
    if asked == "vetoed":
        raise Forbidden("Not today.", code="not_today")
    if asked == "odd":
        return "admin"
    if asked == "nobody":
        return Principal(kind="badge")
    if asked == "system":
        return Principal(kind="system")
    if asked is not None:
        narrowed = frozenset({"core.account.read"}) if asked.startswith("narrow:") else None
        user = find_by_email(asked.removeprefix("narrow:"))
        roles = frozenset({"superadmin"})
        return user and Principal(kind="badge", user_id=user.id, roles=roles, limited_to=narrowed)
    return None
"""


@pytest.fixture(scope="module")
def badges(boot: Callable[..., Instance], tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """With a plugin that recognises people by a header, and lies about them."""
    folder: Path = tmp_path_factory.mktemp("plugins") / "badges"
    folder.mkdir()
    (folder / "plugin.toml").write_text(MANIFEST.replace("knocker", "badges"))
    (folder / "__init__.py").write_text(BROKEN)
    return boot("badges", path=[folder.parent])


def test_what_a_plugin_may_say_of_who_is_asking(badges: Instance) -> None:
    ann: Person = badges.person("ann@example.org")
    client = badges.app.test_client()

    def ask(badge: str, path: str = "/auth/me") -> tuple[int, str | None]:
        answer = client.get(f"/api/v1{path}", headers={"X-Badge": badge})
        return answer.status_code, (answer.json or {}).get("code")

    me = client.get("/api/v1/auth/me", headers={"X-Badge": ann.email})
    assert (me.json["email"], me.json["roles"]) == (ann.email, ["user"])  # roles are core's to say
    assert ask(ann.email, "/users") == (403, "forbidden")
    assert ask(f"narrow:{ann.email}") == (200, None)
    assert ask(f"narrow:{ann.email}", "/auth/sessions") == (200, None)
    assert ask(f"narrow:{ann.email}", "/orgs") == (403, "forbidden")
    assert ask("stranger@example.org") == (401, "unauthorized")
    assert ask("vetoed") == (403, "not_today")
    for doubtful in ("broken", "odd", "nobody", "system"):
        assert ask(doubtful) == (503, "authentication_unavailable")
        assert ask(doubtful, "/auth/providers") == (200, None)
    token = client.get(
        "/api/v1/auth/me", headers={"X-Badge": "broken", "Authorization": f"Bearer {ann.token}"}
    )
    assert token.status_code == 200  # core's own credential is nobody else's business

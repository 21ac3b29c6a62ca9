"""Every operation of the document, done by those who must not: refused, and nothing at all has changed.

Nothing here names an operation but for the exceptions, each with its reason: what a plugin adds
later is attacked by the permission it declares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from core.auth import auth
from core.testing import Person
from tests.attack.bodies import sample, uuid_fields
from tests.attack.operations import Operation
from tests.attack.scene import MARK, Scene, assert_none

GARBAGE = (
    "Bearer x",
    "Bearer a.b.c",
    "Bearer " + "a" * 10_000,
    "Bearer",
    "Basic dXNlcjpwYXNz",
    "Digest username=x",
    "Bearer null",
    "bearer undefined",
)

PUBLIC = {
    "/health": "a probe",
    "/livez": "a probe",
    "/readyz": "a probe",
    "/api/v1/meta": "what a front end must know before anybody signs in",
    "/api/v1/auth/register": "nobody has an account before",
    "/api/v1/auth/login": "shows the password",
    "/api/v1/auth/refresh": "shows the refresh token",
    "/api/v1/auth/resend-otp": "answers everybody alike",
    "/api/v1/auth/verify-otp": "shows the code",
    "/api/v1/auth/forgot-password": "answers everybody alike",
    "/api/v1/auth/reset-password": "shows the code",
    "/api/v1/auth/setup": "shows the token of the link",
    "/api/v1/auth/mfa/verify": "shows the ticket and the second factor",
    "/api/v1/auth/providers": "which ways to sign in there are",
    "/api/v1/auth/token-exchange": "shows the provider's token",
}
"""What the document may offer to everybody, and why."""

PAGES = {
    "/openapi.json": "the document itself",
    "/": "what runs here",
    "/docs": "the document, to read",
    "/static/<path:name>": "our own scripts and styles",
    "/.well-known/jwks.json": "public keys",
    "/setup": "the form behind the one-time link",
}
"""What is served and not in the document, and why."""

FOR_EVERYBODY = {
    "job_boards.job_postings.show": "postings are the instance's, to be read by all who are signed in",
}
"""Operations that give out rows of others by their ids on purpose."""


ASKED_BY_ANYBODY = {
    "core_code": "anybody may ask for a code, which voids the one before, and try one, which counts"
}
"""Rows of others that change by public operations, and why."""


PROVIDERS = re.compile(r"/api/v1/auth/(?:google|linkedin|oidc/\{\w+\}|\{provider\})(?:/callback)?")
"""Signing in elsewhere: it begins for everybody, and ends with state, cookie and the provider's code."""

VENDORS = re.compile(r"/api/v1/hooks/inbound/[\w{}/-]+")
"""What vendors tell, by their signature."""


def _explained(op: Operation) -> bool:
    return op.path in PUBLIC or bool(PROVIDERS.fullmatch(op.path) or VENDORS.fullmatch(op.path))


def _who(scene: Scene) -> Iterator[tuple[str, Person]]:
    yield from ((role, scene.people[role]) for role in ("viewer", "member", "admin"))


def _in_org(op: Operation, scene: Scene) -> dict[str, str]:
    return {"org": str(scene.org["slug"])} if any(name == "org" for name, _ in op.places) else {}


def _names(op: Operation, scene: Scene) -> list[str]:
    """What to put where the path wants a name: of things that there are."""
    uuids = all(kind == "uuid" for name, kind in op.places if name != "org")
    ids = scene.foreign_ids(scene.outsider)
    return ids if uuids else [*ids[:5], MARK, "mail", "admin", "user", "remoteok"]


def test_the_scene_is_a_full_house(scene: Scene) -> None:
    assert scene.bare == []
    assert len(scene.operations) > 70
    assert len(scene.foreign_ids(scene.outsider)) > 25


def test_who_may_finds_what_is_replayed_here(scene: Scene) -> None:
    """Else a refusal below would only say that the request was no good."""
    found = set()
    for op in scene.operations:
        if op.method != "GET" or op.public:
            continue
        for who in (scene.owner, scene.root):
            ids = [*scene.foreign_ids(scene.outsider), "mail", "remoteok"] if op.places else [""]
            for url in op.urls(ids, **_in_org(op, scene)):
                headers = {} if who is scene.root else {"X-Org": scene.org["slug"]}
                if scene.send(op, url, who, headers=headers).status_code == 200:
                    found.add(op)
    reading = {op for op in scene.operations if op.method == "GET" and not op.public}
    assert {str(op) for op in reading - found} == set()


def test_whatever_is_served_stands_in_the_document(scene: Scene) -> None:
    documented = {(op.method, _shape(op.path)) for op in scene.operations}
    hidden = [
        f"{method} {rule.rule}"
        for rule in scene.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule not in PAGES and (method, _shape(rule.rule)) not in documented
    ]
    assert hidden == []


def _shape(path: str) -> str:
    return "/".join("*" if part[:1] in ("<", "{") else part for part in path.split("/"))


def test_what_is_public_is_so_for_a_reason(scene: Scene) -> None:
    assert [str(op) for op in scene.operations if op.public and not _explained(op)] == []


def test_every_permission_asked_for_is_declared(scene: Scene) -> None:
    declared = {p.name for p in scene.app.extensions["jobstead.permissions"]}
    assert {op.permission for op in scene.operations if op.permission} - declared == set()


def test_without_a_token_nothing_happens(scene: Scene) -> None:
    faults = []
    scene.watch.mark()
    for op in scene.operations:
        if op.public:
            continue
        for header in (None, *GARBAGE):
            for org in (None, scene.org["id"], "home") if header in (None, GARBAGE[1]) else (None,):
                given = {"Authorization": header, "X-Org": org}
                url = next(op.urls(_names(op, scene)[-1:], **_in_org(op, scene)))
                answer = scene.send(op, url, headers={k: v for k, v in given.items() if v is not None})
                faults += _unlike(op, answer, {401}, f"with {str(header)[:20]!r}, X-Org {org}")
    faults += [f"a nobody left: {change}" for change in scene.watch.changes()]
    assert_none(faults)


def test_a_stranger_does_not_act_for_an_organisation(scene: Scene) -> None:
    faults = []
    scene.watch.mark()
    for op in scene.operations:
        if op.public:
            continue
        for named in (scene.org["slug"], scene.org["id"], scene.org["id"].upper()):
            where = {"org": named} if _in_org(op, scene) else {}
            url = next(op.urls(_names(op, scene)[:1], **where))
            answer = scene.send(op, url, scene.outsider, headers={"X-Org": named})
            faults += _unlike(op, answer, {404}, f"as a stranger in {named}")
            faults += _leaks(op, answer)
    faults += [f"a stranger left: {change}" for change in scene.watch.changes()]
    assert_none(faults)


def test_owning_a_personal_organisation_gives_nothing_of_the_instance(scene: Scene) -> None:
    faults = []
    tried = [op for op in scene.operations if op.of_instance]
    scene.watch.mark()
    for op in tried:
        for url in op.urls(_names(op, scene)):
            answer = scene.send(op, url, scene.outsider)
            faults += _unlike(op, answer, {403}, f"at {url}")
            faults += _leaks(op, answer)
    faults += [f"a stranger left: {change}" for change in scene.watch.changes()]
    assert len(tried) > 20
    assert_none(faults)


def test_a_role_in_an_organisation_is_good_for_what_it_holds_and_no_more(scene: Scene) -> None:
    faults, tried = [], 0
    scene.watch.mark()
    for role, who in _who(scene):
        for op in scene.operations:
            if op.open_to(f"org:{role}"):
                continue
            for url in op.urls(_names(op, scene)[:12], **_in_org(op, scene)):
                answer = scene.send(op, url, who, headers={"X-Org": scene.org["slug"]})
                faults += _unlike(op, answer, {403}, f"as {role}")
                tried += 1
        faults += [f"{role} left: {change}" for change in scene.watch.changes()]
    assert tried > 100
    assert_none(faults)


@pytest.mark.parametrize("role", ["outsider", "viewer", "member"])
def test_ids_of_others_lead_nowhere(scene: Scene, role: str) -> None:
    """All ids there are, in every place a path has for one, where the caller's role lets them try."""
    who, faults, tried = scene.people[role], [], 0
    ids = scene.foreign_ids(who)
    here = {} if role == "outsider" else {"X-Org": scene.org["slug"]}
    own = next(o["slug"] for o in who.me["organisations"] if o["kind"] == "personal")
    for op in scene.operations:
        allowed = op.open_to("org:owner") if role == "outsider" else op.open_to(f"org:{role}")
        if op.public or not allowed or op.id in FOR_EVERYBODY:
            continue
        if not [name for name, kind in op.places if name != "org"]:
            continue
        where = {"org": own if role == "outsider" else scene.org["slug"]} if _in_org(op, scene) else {}
        scene.watch.mark()
        for url in op.urls(ids, **where):
            answer = scene.send(op, url, who, headers=here)
            faults += _unlike(op, answer, {403, 404}, f"as {role} at {url}")
            faults += _leaks(op, answer) if role == "outsider" else []
            tried += 1
        faults += [f"{op} as {role} left: {change}" for change in scene.watch.changes()]
    assert tried > 200
    assert_none(faults)


def test_ids_of_others_in_a_body_change_nothing_of_theirs(scene: Scene) -> None:
    who, faults, tried = scene.outsider, [], 0
    own = next(o["slug"] for o in who.me["organisations"] if o["kind"] == "personal")
    ids = scene.foreign_ids(who)
    for op in scene.operations:
        if op.public or op.body is None or not op.open_to("org:owner"):
            continue
        for name in uuid_fields(op.body):
            for identifier in ids:
                given = [identifier] if op.body["properties"][name].get("type") == "array" else identifier
                scene.watch.mark()
                places = {n: own if n == "org" else identifier for n, _ in op.places}
                answer = scene.send(op, op.url(**places), who, json=sample(op.body, **{name: given}))
                faults += _unlike(op, answer, {403, 404, 409, 422}, f"{name} = {identifier}")
                faults += [f"{op} with {name} left: {change}" for change in scene.watch.changes()]
                tried += 1
    assert tried > 30
    assert_none(faults)


def test_ids_of_others_in_a_query_tell_nothing(scene: Scene) -> None:
    """Whatever a list can be narrowed by, and whatever it might be by mistake."""
    who, faults, tried = scene.outsider, [], 0
    org, owner = scene.org["id"], scene.owner
    guesses = (
        org,
        scene.org["slug"],
        str(owner.id),
        owner.email,
        scene.root.email,
        "instance",
        "*",
        "all",
        MARK,
    )
    hoped_for = ("organisationId", "org", "userId")
    scene.watch.mark()
    for op in scene.operations:
        if op.method != "GET" or op.public or not op.open_to("org:owner") or op.id in FOR_EVERYBODY:
            continue
        own = next(o["slug"] for o in who.me["organisations"] if o["kind"] == "personal")
        url = op.url(**{name: own if name == "org" else str(who.id) for name, _ in op.places})
        for name in [*(set(op.query) - {"limit", "cursor", "sort"}), *hoped_for]:
            for guess in guesses:
                answer = scene.send(op, url, who, query_string={name: guess})
                told = answer.text.lower().replace(guess.lower(), "")
                if answer.status_code >= 500 or MARK in told or owner.email in told:
                    faults.append(f"{op}?{name}={guess}: {answer.status_code} {answer.text[:200]}")
                tried += 1
    faults += [f"a stranger left: {change}" for change in scene.watch.changes()]
    assert tried > 300
    assert_none(faults)


def test_what_a_stranger_may_do_touches_nobody_else(scene: Scene) -> None:
    """Everything somebody may do with what is theirs: no row of anybody else is another one afterwards."""
    faults = []
    auth(scene.app).standings.forget()
    for op in scene.operations:
        if op.of_instance or op.path.endswith("/logout"):
            continue
        who = scene.outsider
        mine = {identifier.replace("-", "") for identifier in scene.own(who)}
        own = next(o["slug"] for o in who.me["organisations"] if o["kind"] == "personal")
        scene.watch.mark()
        for url in op.urls([str(who.id)], **({"org": own} if _in_org(op, scene) else {})):
            answer = scene.send(op, url, who)
            if answer.status_code >= 500:
                faults.append(f"{op}: {answer.status_code}")
            faults += _leaks(op, answer)
        for change in scene.watch.changes():
            words = change.words.replace("-", "")
            if (
                change.before is not None
                and change.table not in ASKED_BY_ANYBODY
                and not any(identifier in words for identifier in mine)
            ):
                faults.append(f"{op} left: {change}")
    assert_none(faults)


def _unlike(op: Operation, answer: TestResponse, wanted: set[int], how: str) -> list[str]:
    faults = []
    if answer.status_code not in wanted:
        faults.append(f"{op} {how}: {answer.status_code} {answer.text[:150]}")
    elif answer.mimetype != "application/problem+json":
        faults.append(f"{op} {how}: {answer.mimetype}")
    if answer.status_code == 401 and "WWW-Authenticate" not in answer.headers:
        faults.append(f"{op} {how}: 401 without WWW-Authenticate")
    return faults


def _leaks(op: Operation, answer: TestResponse) -> list[str]:
    """The victims' texts in an answer, where the caller had not written them there."""
    told = answer.text.lower().replace(answer.request.path.lower(), "")
    return [f"{op}: tells {answer.text[:200]}"] if MARK in told else []

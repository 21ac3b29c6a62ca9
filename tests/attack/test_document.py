"""The document tells of all that is served, of who may, and of what everybody may, and why."""

from __future__ import annotations

import re
from uuid import UUID

import pytest

from core.testing import Databases
from tests.attack.operations import Operation
from tests.attack.refusals import in_org
from tests.attack.scene import Scene, scene_of

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
    "/reset-password": "the form behind the link in a mail",
}
"""What is served and not in the document, and why."""

PROVIDERS = re.compile(r"/api/v1/auth/(?:google|linkedin|oidc/\{\w+\}|\{provider\})(?:/callback)?")
"""Signing in elsewhere: it begins for everybody, and ends with state, cookie and the provider's code."""

VENDORS = re.compile(r"/api/v1/hooks/inbound/[\w{}/-]+")
"""What vendors tell, by their signature."""


UNKNOWN = {"core.users.assign": "takes one of two fields, which the schema does not tell"}
"""Operations for which no body can be made from their schema."""


def _explained(op: Operation) -> bool:
    return op.path in PUBLIC or bool(PROVIDERS.fullmatch(op.path) or VENDORS.fullmatch(op.path))


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
            ids = [*scene.foreign_ids(scene.outsider), *_listed(scene, op)] if op.places else [""]
            for url in op.urls(ids, **in_org(op, scene)):
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


def test_who_may_changes_what_is_replayed_here(
    tmp_path_factory: pytest.TempPathFactory, databases: Databases
) -> None:
    """The same for what changes something, in a scene of its own, for it does not survive that."""
    with scene_of(tmp_path_factory.mktemp("changed"), databases) as scene:
        ids = sorted({str(row["id"]) for row in scene.watch.rows().values() if row.get("id")})
        changing = [op for op in scene.operations if op.changes and not op.public and _of_a_thing(op)]
        changing.sort(key=lambda op: ("/users/" in op.path, "/sessions/" in op.path, op.method == "DELETE"))
        lost = []
        for op in changing:
            tries = (
                scene.send(op, url, who, headers={"X-Org": scene.org["id"]} if who is scene.owner else {})
                for who in (scene.owner, scene.root)
                for url in op.urls([str(UUID(i)) for i in ids], **in_org(op, scene))
            )
            if op.id not in UNKNOWN and not any(a.status_code < 300 or a.status_code == 409 for a in tries):
                lost.append(str(op))
    assert len(changing) > 10
    assert lost == []


def _of_a_thing(op: Operation) -> bool:
    return any(kind == "uuid" for _, kind in op.places)


def _listed(scene: Scene, op: Operation) -> list[str]:
    """What the list above a path names its items by."""
    above = op.path.rpartition("/{")[0]
    answer = scene.app.test_client().get(above, headers={"Authorization": f"Bearer {scene.root.token}"})
    items = (answer.json or {}).get("items", []) if answer.status_code == 200 else []
    return [str(item[name]) for item in items[:5] for name in ("id", "key", "name") if name in item]


def _shape(path: str) -> str:
    return "/".join("*" if part[:1] in ("<", "{") else part for part in path.split("/"))


def test_what_is_public_is_so_for_a_reason(scene: Scene) -> None:
    assert [str(op) for op in scene.operations if op.public and not _explained(op)] == []


def test_every_permission_asked_for_is_declared(scene: Scene) -> None:
    declared = {p.name for p in scene.app.extensions["jobstead.permissions"]}
    assert {op.permission for op in scene.operations if op.permission} - declared == set()

"""Ids of others, in every place a request has for one: they lead nowhere and tell nothing."""

from __future__ import annotations

import pytest

from tests.attack.bodies import sample, uuid_fields
from tests.attack.refusals import FOR_EVERYBODY, in_org, leaks, unlike
from tests.attack.scene import MARK, Scene, assert_none


@pytest.mark.parametrize("role", ["outsider", "viewer", "member"])
def test_ids_of_others_lead_nowhere(scene: Scene, role: str) -> None:
    """All ids there are, in every place a path has for one, where the caller's role lets them try."""
    who, faults, tried = scene.people[role], [], 0
    ids = scene.foreign_ids(who)
    here = {} if role == "outsider" else {"X-Org": scene.org["slug"]}
    own = next(o["id"] for o in who.me["organisations"] if o["kind"] == "personal")
    for op in scene.operations:
        allowed = op.open_to("org:owner") if role == "outsider" else op.open_to(f"org:{role}")
        if op.public or not allowed or op.id in FOR_EVERYBODY:
            continue
        if not [name for name, kind in op.places if name != "org"]:
            continue
        where = {"org": own if role == "outsider" else scene.org["slug"]} if in_org(op, scene) else {}
        scene.watch.mark()
        for url in op.urls(ids, **where):
            answer = scene.send(op, url, who, headers=here)
            faults += unlike(op, answer, {403, 404}, f"as {role} at {url}")
            faults += leaks(op, answer) if role == "outsider" else []
            tried += 1
        faults += [f"{op} as {role} left: {change}" for change in scene.watch.changes()]
    assert tried > 200
    assert_none(faults)


def test_ids_of_others_in_a_body_change_nothing_of_theirs(scene: Scene) -> None:
    who, faults, tried = scene.outsider, [], 0
    own = next(o["id"] for o in who.me["organisations"] if o["kind"] == "personal")
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
                faults += unlike(op, answer, {403, 404, 409, 422}, f"{name} = {identifier}")
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
        own = next(o["id"] for o in who.me["organisations"] if o["kind"] == "personal")
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

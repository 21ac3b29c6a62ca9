"""Every operation of the document, done by those who must not: refused, and nothing at all has changed.

Nothing here names an operation but for the exceptions, each with its reason: what a plugin adds
later is attacked by the permission it declares.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.auth import auth
from core.testing import Person
from tests.attack.refusals import in_org, leaks, names_for, unlike
from tests.attack.scene import Scene, assert_none

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

ASKED_BY_ANYBODY = {
    "core_code": "anybody may ask for a code, which voids the one before, and try one, which counts"
}
"""Rows of others that change by public operations, and why."""


def _who(scene: Scene) -> Iterator[tuple[str, Person]]:
    yield from ((role, scene.people[role]) for role in ("viewer", "member", "admin"))


def test_without_a_token_nothing_happens(scene: Scene) -> None:
    faults = []
    scene.watch.mark()
    for op in scene.operations:
        if op.public:
            continue
        for header in (None, *GARBAGE):
            for org in (None, scene.org["id"], "home") if header in (None, GARBAGE[1]) else (None,):
                given = {"Authorization": header, "X-Org": org}
                url = next(op.urls(names_for(op, scene)[-1:], **in_org(op, scene)))
                answer = scene.send(op, url, headers={k: v for k, v in given.items() if v is not None})
                faults += unlike(op, answer, {401}, f"with {str(header)[:20]!r}, X-Org {org}")
    faults += [f"a nobody left: {change}" for change in scene.watch.changes()]
    assert_none(faults)


def test_a_stranger_does_not_act_for_an_organisation(scene: Scene) -> None:
    faults = []
    scene.watch.mark()
    for op in scene.operations:
        if op.public:
            continue
        for named in (scene.org["slug"], scene.org["id"], scene.org["id"].upper()):
            where = {"org": named} if in_org(op, scene) else {}
            url = next(op.urls(names_for(op, scene)[:1], **where))
            answer = scene.send(op, url, scene.outsider, headers={"X-Org": named})
            faults += unlike(op, answer, {404}, f"as a stranger in {named}")
            faults += leaks(op, answer)
    faults += [f"a stranger left: {change}" for change in scene.watch.changes()]
    assert_none(faults)


def test_owning_a_personal_organisation_gives_nothing_of_the_instance(scene: Scene) -> None:
    faults = []
    tried = [op for op in scene.operations if op.of_instance]
    scene.watch.mark()
    for op in tried:
        for url in op.urls(names_for(op, scene)):
            answer = scene.send(op, url, scene.outsider)
            faults += unlike(op, answer, {403}, f"at {url}")
            faults += leaks(op, answer)
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
            for url in op.urls(names_for(op, scene)[:12], **in_org(op, scene)):
                answer = scene.send(op, url, who, headers={"X-Org": scene.org["slug"]})
                faults += unlike(op, answer, {403}, f"as {role}")
                tried += 1
        faults += [f"{role} left: {change}" for change in scene.watch.changes()]
    assert tried > 100
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
        own = next(o["id"] for o in who.me["organisations"] if o["kind"] == "personal")
        scene.watch.mark()
        for url in op.urls([str(who.id)], **({"org": own} if in_org(op, scene) else {})):
            answer = scene.send(op, url, who)
            if answer.status_code >= 500:
                faults.append(f"{op}: {answer.status_code}")
            faults += leaks(op, answer)
        for change in scene.watch.changes():
            words = change.words.replace("-", "")
            if (
                change.before is not None
                and change.table not in ASKED_BY_ANYBODY
                and not any(identifier in words for identifier in mine)
            ):
                faults.append(f"{op} left: {change}")
    assert_none(faults)

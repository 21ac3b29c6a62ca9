"""Bad bodies for every operation: a problem is the answer, never a fault, and nothing is half written."""

from __future__ import annotations

import json
from typing import Any

from core.testing import Person
from tests.attack.bodies import LARGE, RAW, sample, spoiled
from tests.attack.faults import COUNTED, fault, plugin, url_of
from tests.attack.operations import Operation
from tests.attack.scene import Scene, assert_none


def _ends_everything(op: Operation) -> bool:
    """Done with a good body it would end what the next one needs."""
    return op.path.endswith(("/logout", "/setup")) or op.method == "DELETE"


def test_bodies_that_are_none(scene: Scene, allowed: Person) -> None:
    faults, seen = [], set()
    for op in scene.operations:
        if not op.changes or _ends_everything(op):
            continue
        more = () if op.body is None or plugin(op) in seen else LARGE
        seen |= {plugin(op)} if more else set()
        for data, kind in (*RAW, *more) if op.body is not None else RAW[:4]:
            scene.watch.mark()
            headers = {"X-Org": scene.org["id"], **({"Content-Type": kind} if kind else {})}
            answer = scene.send(op, url_of(op, scene), allowed, data=data, headers=headers)
            faults += fault(op, answer, f"{kind} {data[:30]!r}")
            if answer.status_code >= 400:
                faults += [f"{op} with {data[:30]!r} left {c}" for c in scene.watch.changes(ignoring=COUNTED)]
    assert_none(faults)


def test_fields_that_are_wrong(scene: Scene, allowed: Person) -> None:
    faults, refused, taken = [], 0, 0
    for op in scene.operations:
        if op.body is None or _ends_everything(op) or op.id.endswith((".suspend", ".assign")):
            continue
        headers = {"X-Org": scene.org["id"], "Content-Type": "application/json"}
        scene.watch.mark()
        for body in spoiled(op.body):
            data = json.dumps(body)  # not as the server writes it: it could not write all of these
            answer = scene.send(op, url_of(op, scene), allowed, data=data, headers=headers)
            how = (
                json.dumps(body)[:200]
                if not isinstance(body, dict)
                else str({k: str(v)[:40] for k, v in body.items()})
            )
            faults += fault(op, answer, how)
            if answer.status_code >= 400:
                refused += 1
                faults += [
                    f"{op} {answer.status_code} with {how} left {c}"
                    for c in scene.watch.changes(ignoring=COUNTED)
                ]
            else:
                taken += 1
                scene.watch.mark()
    assert refused > 700
    assert taken > 10
    assert_none(faults)


def test_a_mebibyte_where_a_little_is_wanted(scene: Scene, allowed: Person) -> None:
    faults = []
    for op in scene.operations:
        if op.body is None:
            continue
        for name, part in op.body.get("properties", {}).items():
            if part.get("type") in ("string", ["string", "null"]):
                scene.watch.mark()
                body: dict[str, Any] = {**sample(op.body), name: "a" * 1_040_000}
                answer = scene.send(
                    op, url_of(op, scene), allowed, json=body, headers={"X-Org": scene.org["id"]}
                )
                faults += fault(op, answer, f"a mebibyte of {name}")
                if answer.status_code not in (413, 422):
                    faults.append(f"{op}: {answer.status_code} for a mebibyte of {name}")
                faults += [f"{op} left {change}" for change in scene.watch.changes(ignoring=COUNTED)]
    assert_none(faults)

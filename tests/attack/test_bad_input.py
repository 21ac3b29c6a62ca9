"""Bad input for every operation: a problem is the answer, never a fault, and nothing is half written."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from core.testing import Person
from tests.attack.bodies import LARGE, RAW, sample, spoiled
from tests.attack.operations import Operation
from tests.attack.scene import Scene, assert_none

PATHS = (
    "not-a-uuid",
    "00000000-0000-0000-0000-000000000000",
    "0",
    "-1",
    "%00",
    "a%00b",
    "%ff%fe",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%5c..%5c",
    "%0d%0aSet-Cookie:%20a=b",
    "%F0%9F%92%A9",
    "%ED%A0%80",
    "' OR 1=1 --".replace(" ", "%20"),
    "{id}",
    "<uuid:id>",
    "a" * 5_000,
    "٣٣",
    "%25",
    "null",
)
QUERIES = (
    "",
    "0",
    "-1",
    "1.5",
    "1e3",
    "abc",
    "101",
    "99999999999999999999",
    "٣",
    "\0",
    "a\0b",
    "' OR '1'='1",
    "%",
    "_",
    "\\",
    "null",
    "undefined",
    "NaN",
    "true",
    "[]",
    "{}",
    "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-01-01",
    "-createdAt,createdAt",
    "password",
    "id",
    "a" * 3_000,
    "\ud83d\udca9",
)
POSITION = ("limit", "cursor", "sort")
"""Read for every list by the same code: tried in full once a plugin."""

VALUES = (
    None,
    True,
    0,
    -(2**63),
    2**64,
    1e308,
    "",
    "\0",
    "x",
    "a" * 3_000,
    [],
    {},
    [[[]]],
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "2026-01-01T00:00:00",
    "00000000-0000-0000-0000-000000000000",
)
"""What somebody writes into a cursor of their own making."""

COUNTED = {
    "core_code": "a try of a code is counted before it is compared, and an address's requests before they are answered",
    "core_event": "an unverified account's right password sends a code",
}
"""What a refused request may leave behind, and why."""


@pytest.fixture(scope="module")
def allowed(scene: Scene) -> Person:
    """Somebody who gets as far as the views: superadmin, and owner of the organisation."""
    for person in (scene.root,):
        answer = scene.owner.post(
            f"/orgs/{scene.org['slug']}/invitations", {"email": person.email, "role": "admin"}
        )
        assert answer.status_code == 201, answer.text
        with scene.app.app_context():
            from uuid import UUID

            from core.orgs import invitation_token

            token = invitation_token(UUID(answer.json["id"]))
        assert person.post(f"/invitations/{token}/accept").status_code == 200
        answer = scene.owner.put(f"/orgs/{scene.org['slug']}/members/{person.id}", {"role": "owner"})
        assert answer.status_code == 200, answer.text
    return scene.root


def _url(op: Operation, scene: Scene, **said: str) -> str:
    values = {name: scene.org["slug"] if name == "org" else str(scene.outsider.id) for name, _ in op.places}
    return op.url(**{**values, **said})


def _plugin(op: Operation) -> str:
    return op.id.partition(".")[0]


def _ends_everything(op: Operation) -> bool:
    """Done with a good body it would end what the next one needs."""
    return op.path.endswith(("/logout", "/setup")) or op.method == "DELETE"


def test_bodies_that_are_none(scene: Scene, allowed: Person) -> None:
    faults, seen = [], set()
    for op in scene.operations:
        if not op.changes or _ends_everything(op):
            continue
        more = () if op.body is None or _plugin(op) in seen else LARGE
        seen |= {_plugin(op)} if more else set()
        for data, kind in (*RAW, *more) if op.body is not None else RAW[:4]:
            scene.watch.mark()
            headers = {"X-Org": scene.org["slug"], **({"Content-Type": kind} if kind else {})}
            answer = scene.send(op, _url(op, scene), allowed, data=data, headers=headers)
            faults += _fault(op, answer, f"{kind} {data[:30]!r}")
            if answer.status_code >= 400:
                faults += [f"{op} with {data[:30]!r} left {c}" for c in scene.watch.changes(ignoring=COUNTED)]
    assert_none(faults)


def test_fields_that_are_wrong(scene: Scene, allowed: Person) -> None:
    faults, refused, taken = [], 0, 0
    for op in scene.operations:
        if op.body is None or _ends_everything(op) or op.id.endswith((".suspend", ".assign")):
            continue
        headers = {"X-Org": scene.org["slug"], "Content-Type": "application/json"}
        scene.watch.mark()
        for body in spoiled(op.body):
            data = json.dumps(body)  # not as the server writes it: it could not write all of these
            answer = scene.send(op, _url(op, scene), allowed, data=data, headers=headers)
            how = (
                json.dumps(body)[:200]
                if not isinstance(body, dict)
                else str({k: str(v)[:40] for k, v in body.items()})
            )
            faults += _fault(op, answer, how)
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


def test_paths_that_lead_nowhere(scene: Scene, allowed: Person) -> None:
    faults = []
    scene.watch.mark()
    for op in scene.operations:
        for name, _ in op.places:
            for value in PATHS:
                url = _url(op, scene, **{name: quote(value, safe="%")})
                answer = scene.send(op, url, allowed, headers={"X-Org": scene.org["slug"]})
                faults += _fault(op, answer, url[:120])
                if answer.status_code < 400:
                    faults.append(f"{op} {url[:120]}: {answer.status_code}")
    faults += [str(change) for change in scene.watch.changes()]
    assert_none(faults)


def test_queries_that_are_wrong(scene: Scene, allowed: Person) -> None:
    faults, seen = [], set()
    scene.watch.mark()
    for op in scene.operations:
        if op.method != "GET":
            continue
        for name in op.query or ("unknown", "", "__proto__", "a[b]"):
            known = name in POSITION and _plugin(op) in seen
            for value in QUERIES if op.query and not known else QUERIES[:4]:
                text = value.encode("utf-8", "surrogatepass")
                query = f"{quote(name)}={quote(text)}" + (f"&{quote(name)}=x" if value == "0" else "")
                answer = scene.send(
                    op, f"{_url(op, scene)}?{query}", allowed, headers={"X-Org": scene.org["slug"]}
                )
                faults += _fault(op, answer, query[:100])
    faults += [str(change) for change in scene.watch.changes()]
    assert_none(faults)


def test_cursors_somebody_made(scene: Scene, allowed: Person) -> None:
    faults = []
    for op in scene.operations:
        if "cursor" not in op.query:
            continue
        for cursor in _cursors(op):
            answer = scene.send(
                op,
                _url(op, scene),
                allowed,
                query_string={"cursor": cursor},
                headers={"X-Org": scene.org["slug"]},
            )
            faults += _fault(
                op,
                answer,
                f"cursor {base64.urlsafe_b64decode(cursor + '==')[:100]!r}" if cursor.isascii() else cursor,
            )
    assert_none(faults)


def _cursors(op: Operation) -> Iterator[str]:
    default = str(op.query.get("sort", {}).get("default", "-createdAt"))
    last = "01912d68-783e-7a03-8467-5661c1243ad4"
    for value in VALUES:
        for parts in ([default, value, last], [default, value], [value], value, [default, last, value]):
            yield base64.urlsafe_b64encode(json.dumps(parts).encode()).rstrip(b"=").decode()
    yield base64.urlsafe_b64encode(b"[" * 900).decode().rstrip("=")
    yield base64.urlsafe_b64encode(b"\xff" * 30).decode().rstrip("=")


def test_headers_that_are_odd(scene: Scene, allowed: Person) -> None:
    faults, seen = [], set()
    odd = (
        "",
        " ",
        "é",
        "'",
        "%00",
        "a" * 4_000,
        "home",
        "00000000-0000-0000-0000-000000000000",
        "..",
        "\xff",
        "null",
        "a,b",
    )
    names = (
        "X-Org",
        "Accept",
        "Accept-Language",
        "If-None-Match",
        "X-Request-Id",
        "Range",
        "Content-Encoding",
        "X-CSRF-Token",
        "Cookie",
        "User-Agent",
        "Origin",
        "Expect",
        "Idempotency-Key",
        "X-Forwarded-For",
    )
    scene.watch.mark()
    for op in scene.operations:
        if op.method != "GET" or op.places:
            continue
        for name in names if "cursor" in op.query and _plugin(op) not in seen else names[:1]:
            for value in odd:
                faults += _fault(
                    op,
                    scene.send(op, _url(op, scene), allowed, headers={name: value}),
                    f"{name}: {value[:30]!r}",
                )
    faults += [str(change) for change in scene.watch.changes()]
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
                    op, _url(op, scene), allowed, json=body, headers={"X-Org": scene.org["slug"]}
                )
                faults += _fault(op, answer, f"a mebibyte of {name}")
                if answer.status_code not in (413, 422):
                    faults.append(f"{op}: {answer.status_code} for a mebibyte of {name}")
                faults += [f"{op} left {change}" for change in scene.watch.changes(ignoring=COUNTED)]
    assert_none(faults)


def test_methods_nobody_offers(scene: Scene, allowed: Person) -> None:
    faults = []
    scene.watch.mark()
    for op in scene.operations:
        for method in ("TRACE", "CONNECT", "PROPFIND", "X", "HEAD", "OPTIONS"):
            headers = {"Authorization": f"Bearer {allowed.token}"}
            answer = scene.app.test_client().open(_url(op, scene), method=method, headers=headers)
            if answer.status_code >= 500:
                faults.append(f"{method} {op.path}: {answer.status_code}")
    faults += [str(change) for change in scene.watch.changes()]
    assert_none(faults)


def _fault(op: Operation, answer: TestResponse, how: str) -> list[str]:
    if answer.status_code >= 500 and not (op.path == "/readyz" and answer.status_code == 503):
        return [f"{op} with {how}: {answer.status_code} {answer.text[:100]}"]
    if answer.status_code >= 400 and answer.mimetype != "application/problem+json":
        return [f"{op} with {how}: {answer.status_code} as {answer.mimetype}"]
    if answer.status_code >= 400 and not {"type", "title", "status", "code"} <= set(answer.json or {}):
        return [f"{op} with {how}: {answer.text[:100]}"]
    return []

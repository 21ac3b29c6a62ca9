"""Bad paths, queries, cursors, headers and methods: a problem is the answer, never a fault."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote

from core.testing import Person
from tests.attack.faults import POSITION, fault, plugin, url_of
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


def test_paths_that_lead_nowhere(scene: Scene, allowed: Person) -> None:
    faults = []
    scene.watch.mark()
    for op in scene.operations:
        for name, _ in op.places:
            for value in PATHS:
                url = url_of(op, scene, **{name: quote(value, safe="%")})
                answer = scene.send(op, url, allowed, headers={"X-Org": scene.org["id"]})
                faults += fault(op, answer, url[:120])
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
            known = name in POSITION and plugin(op) in seen
            for value in QUERIES if op.query and not known else QUERIES[:4]:
                text = value.encode("utf-8", "surrogatepass")
                query = f"{quote(name)}={quote(text)}" + (f"&{quote(name)}=x" if value == "0" else "")
                answer = scene.send(
                    op, f"{url_of(op, scene)}?{query}", allowed, headers={"X-Org": scene.org["id"]}
                )
                faults += fault(op, answer, query[:100])
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
                url_of(op, scene),
                allowed,
                query_string={"cursor": cursor},
                headers={"X-Org": scene.org["id"]},
            )
            faults += fault(
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
        for name in names if "cursor" in op.query and plugin(op) not in seen else names[:1]:
            for value in odd:
                faults += fault(
                    op,
                    scene.send(op, url_of(op, scene), allowed, headers={name: value}),
                    f"{name}: {value[:30]!r}",
                )
    faults += [str(change) for change in scene.watch.changes()]
    assert_none(faults)


def test_methods_nobody_offers(scene: Scene, allowed: Person) -> None:
    faults = []
    scene.watch.mark()
    for op in scene.operations:
        for method in ("TRACE", "CONNECT", "PROPFIND", "X", "HEAD", "OPTIONS"):
            headers = {"Authorization": f"Bearer {allowed.token}"}
            answer = scene.app.test_client().open(url_of(op, scene), method=method, headers=headers)
            if answer.status_code >= 500:
                faults.append(f"{method} {op.path}: {answer.status_code}")
    faults += [str(change) for change in scene.watch.changes()]
    assert_none(faults)

"""Holes that others had, by their numbers, tried on what we have. Those tried elsewhere in this suite:

suspended tokens CVE GHSA-56p6, reset and sessions CVE-2026-22706 (``test_revocation``), codes raced
CVE-2026-33624, 34224, 43930, 27801 (``test_races``), algorithms, ``crit``, audience, keys CVE-2026-28802,
CVE-2025-59420, CVE-2026-30863 (``test_tokens``), Origin and Host in mails CVE-2026-22794
(``test_mails``), ``no-cors`` CVE-2026-40864, one check of several CVE-2026-28513, fixation
(``test_browser``), a copied database, Forgejo 1.20.5 (``test_secrets``), objects of others on every way
to write CVE-2026-35412, CVE-2026-28380 (``test_operations``), threads CVE-2022-21673 (``test_races``).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from sqlalchemy import event, insert, select

from core.clock import utcnow
from core.config import ConfigError, load
from core.context import System, within
from core.crypto import Keyring
from core.db import begin, db, uuid7
from core.engine.models import JobRow
from core.testing import Instance, Person
from core.web.client import OutgoingClient
from core.web.outgoing import OutgoingError
from tests.attack.operations import operations
from tests.attack.scene import assert_none
from tests.identity.world import PASSWORD, World

INSIDE = (
    "http://127.0.0.1/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[::1]/",
    "http://0.0.0.0/",
    "http://0/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://localhost/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fe80::1%25lo]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://10.0.0.1/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://user@127.0.0.1/",
    "http://example.org@127.0.0.1/",
    "http://127.0.0.1\\@example.org/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "http://127。0。0。1/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "ftp://127.0.0.1/",
    "//127.0.0.1/",
)


@pytest.fixture(scope="module")
def anybody(house: Instance) -> Person:
    return house.person("anybody@example.org")


@pytest.mark.parametrize("url", INSIDE)
def test_no_request_goes_inside(url: str) -> None:
    """CVE-2026-35409 (addresses written in another way), CVE-2023-27159."""
    with OutgoingClient(timeout=2, allow_http=True) as client, pytest.raises(OutgoingError):
        client.get(url)


def test_probes_ask_nobody(house: Instance) -> None:
    """GHSA-6q22: what everybody may call as often as they like does no work."""
    asked: list[str] = []
    engine = house.app.extensions["jobstead.db"].engine

    def note(_conn: Any, _cursor: Any, text: str, *_: Any) -> None:
        asked.append(text)

    client = house.app.test_client()
    client.get("/readyz")
    event.listen(engine, "before_cursor_execute", note)
    for _ in range(20):
        for path in ("/health", "/livez", "/readyz"):
            client.get(path, headers={"Authorization": "Bearer a.b.c", "X-Org": "home"})
    event.remove(engine, "before_cursor_execute", note)
    assert len(asked) <= 1, asked


def test_what_the_anonymous_see_tells_nothing_of_the_inside(house: Instance) -> None:
    client = house.app.test_client()
    for path in (
        "/",
        "/health",
        "/livez",
        "/readyz",
        "/api/v1/meta",
        "/openapi.json",
        "/nowhere",
        "/api/v1/plugins",
    ):
        answer = client.get(path)
        for inner in (
            str(house.home),
            "Traceback",
            "sqlite:///",
            "postgresql",
            os.uname().nodename + "/",
            "/core/",
        ):
            assert inner not in answer.text, (path, inner)
        assert "Server" not in answer.headers or "Werkzeug" not in answer.headers["Server"]


@pytest.mark.parametrize(
    "path",
    [
        "/static/../core/app.py",
        "/static/..%2f..%2fapp.py",
        "/static/%2e%2e/%2e%2e/app.py",
        "/static/....//app.py",
        "/static/..%5c..%5capp.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/swagger-ui.css/../../../__init__.py",
        "/static/%00",
        "/static/.",
        "/static/..",
        "/static/docs.css%00.png",
    ],
)
def test_no_file_but_our_own_is_served(house: Instance, path: str) -> None:
    """CVE-2021-43798."""
    answer = house.app.test_client().get("/", environ_overrides={"PATH_INFO": unquote(path)})
    assert answer.status_code in (404, 308), answer.status_code
    assert "root:" not in answer.text
    assert "import" not in answer.text


def test_forms_of_many_parts_are_refused(house: Instance) -> None:
    """CVE-2023-25577, CVE-2024-49767: parts and fields that take all memory."""
    client = house.app.test_client()
    many = (
        b"".join(b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % n for n in range(3_000))
        + b"--x--\r\n"
    )
    large = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"a" * 3_000_000 + b"\r\n--x--\r\n"
    for body in (many, large):
        answer = client.post("/setup", data=body, content_type="multipart/form-data; boundary=x")
        assert answer.status_code == 413, answer.status_code
    for op in operations(house.app):
        if op.method in ("POST", "PUT", "PATCH") and op.public:
            answer = client.open(
                op.path, method=op.method, data=many, content_type="multipart/form-data; boundary=x"
            )
            assert answer.status_code in (404, 413, 415, 422), op


@pytest.mark.parametrize(
    "key",
    [
        "your-32-character-encryption-key",
        "change-me-change-me-change-me-32",
        "00000000000000000000000000000000",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "0" * 64,
        "f" * 64,
        "12345678901234567890123456789012",
    ],
)
def test_a_well_known_master_key_is_refused_in_production(tmp_path: Path, key: str) -> None:
    """CVE-2023-27524, CVE-2021-41192: everybody knows the key of who copied the example."""
    file = tmp_path / "plugins.toml"
    file.touch()
    environ = {"JOBSTEAD_DATA": str(tmp_path / "var"), "NODE_ENV": "production", "ENCRYPTION_KEY": key}
    with pytest.raises(ConfigError):
        config = load(file, environ)
        Keyring.open(config.data_dir, config.secrets.master_key)


def test_an_address_is_not_taken_from_headers(house: Instance) -> None:
    """Nobody in front of us is trusted unless the operator says so: what a session keeps is the peer's."""
    headers = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Real-IP": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
        "CF-Connecting-IP": "203.0.113.9",
    }
    world = World(house.app)
    world.person("proxied@example.org")
    world.post("/auth/login", {"email": "proxied@example.org", "password": PASSWORD}, headers=headers)
    shown = world.signed_in("proxied@example.org").call("GET", "/auth/sessions").text
    assert "203.0.113.9" not in shown


def test_no_job_runs_that_nobody_registered(house: Instance) -> None:
    """CVE-2026-31072: a row that names code does not run it."""
    made = house.home / "made-by-a-job"
    names = (
        f"pathlib.Path('{made}').touch",
        "os.system",
        "builtins.exec",
        "core.testing",
        "../core.forget_codes",
    )
    rows = [
        {
            "name": name,
            "args": {"command": f"touch {made}"},
            "queue": "default",
            "priority": 0,
            "status": "queued",
        }
        for name in names
    ]
    with house.app.app_context(), begin(), within(System("somebody who can write rows")):
        for row in rows:
            db.session.execute(
                insert(JobRow.__table__).values(id=uuid7(), due=utcnow(), actor="system", **row)
            )
    house.drain()
    assert not made.exists()
    with house.app.app_context(), begin(write=False), within(System("look")):
        statuses = db.session.execute(select(JobRow.status).where(JobRow.name.in_(names))).scalars().all()
    assert len(statuses) == len(names)
    assert "done" not in statuses


def test_the_permissions_of_nobody_grow(house: Instance, anybody: Person) -> None:
    """Mass assignment: no field of a body makes its sender more than they are."""
    more = {
        "role": "superadmin",
        "roles": ["superadmin"],
        "verified": True,
        "status": "active",
        "isAdmin": True,
    }
    faults = []
    before = anybody.get("/auth/me").json or {}
    for op in operations(house.app):
        if op.body is None or not op.open_to("org:owner") or op.path.endswith(("/login", "/setup")):
            continue
        for name, value in more.items():
            if name in op.body.get("properties", {}):
                continue
            url = op.url(
                **{n: str(before["organisationId"] if n == "org" else anybody.id) for n, _ in op.places}
            )
            answer = anybody.call(op.method, url.removeprefix("/api/v1"), json={name: value})
            if answer.status_code < 400:
                faults.append(f"{op} takes {name}")
    assert_none(faults)
    after = anybody.get("/auth/me").json or {}
    assert (after["roles"], after["permissions"]) == (before["roles"], before["permissions"])

"""After a long day in the house: no secret that anybody sent or was given can be read anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from core.auth import setup
from core.orgs import invitation_token
from core.testing import Databases, Instance
from tests.attack.bodies import sample
from tests.attack.operations import operations
from tests.attack.scene import BUNDLED, assert_none, instance_of
from tests.attack.watch import Watch
from tests.identity.test_cookies import ACCESS, CSRF, REFRESH, Browser
from tests.identity.world import Person, World

ANN, BOB, NEW = "ann@example.org", "bob@example.org", "ann-moved@example.org"
PASSWORDS = ("first Passphrase of 2026", "second Passphrase of 2026", "third Passphrase of 2026")
WRONG = "a Passphrase that was mistyped"
_SECRET = re.compile(r"password|secret|token|ticket|code|csrf|otp|uri$", re.IGNORECASE)
_PUBLIC = {"tokenType", "code", "status", "nextCursor"}


def kept_apart(value: str) -> bool:
    """Long enough that finding it somewhere is no accident."""
    return len(value) >= 9 or re.fullmatch(r"[0-9]{6}", value) is not None


class Day:
    """What is done in the house, and every secret met on the way."""

    def __init__(self, house: Instance) -> None:
        self.house, self.world = house, World(house.app)
        self.secrets: set[str] = {*PASSWORDS, WRONG}

    def keep(self, answer: Any) -> Any:
        """Remember whatever an answer gives out that looks like a secret by its name."""
        self._keep("", answer.json)
        return answer

    def _keep(self, key: str, value: Any) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                self._keep(name, inner)
        elif isinstance(value, list):
            for inner in value:
                self._keep(key, inner)
        elif isinstance(value, str) and _SECRET.search(key) and key not in _PUBLIC and kept_apart(value):
            self.secrets.add(value)

    def code(self, email: str) -> str:
        found = self.world.code(email)
        self.secrets.add(found)
        return found

    def live(self) -> Person:
        world, keep = self.world, self.keep
        link = setup.issue_link(self.house.app)
        assert link is not None
        token = link.partition("token=")[2]
        self.secrets.add(token)
        world.app.test_client().get(f"/setup?token={token}")
        root = {"token": token, "email": "root@example.org", "password": PASSWORDS[0], "name": "Root"}
        assert world.post("/auth/setup", {**root, "password": "x"}).status_code == 422
        assert world.post("/auth/setup", root).status_code == 201
        for email in (ANN, BOB):
            world.register(email, PASSWORDS[0])
            world.verify(email, "000000")
            world.login(email, PASSWORDS[0])
            world.verify(email, self.code(email))
        world.login(ANN, WRONG)
        first = keep(world.login(ANN, PASSWORDS[0])).json
        renewed = keep(world.post("/auth/refresh", {"refreshToken": first["refreshToken"]})).json
        copy = {"refreshToken": first["refreshToken"]}
        world.post("/auth/refresh", copy, headers={"User-Agent": "a thief's"})  # ends the family
        world.post("/auth/refresh", {"refreshToken": renewed["refreshToken"]})
        world.post("/auth/forgot-password", {"email": ANN})
        body = {"email": ANN, "code": self.code(ANN), "newPassword": PASSWORDS[1]}
        world.post("/auth/verify-otp", {"email": ANN, "code": body["code"], "purpose": "reset"})
        assert world.app.test_client().put("/api/v1/auth/reset-password", json=body).status_code == 200
        page = Browser(world.app.test_client())
        page.answer = page.call(
            "POST", "/auth/login", json={"email": ANN, "password": PASSWORDS[1], "cookies": True}
        )
        page.csrf = keep(page.answer).json["csrfToken"]
        self.secrets |= {page.cookie(name) for name in (ACCESS, REFRESH, CSRF)}
        keep(page.call("POST", "/auth/refresh", json={}))
        self.secrets |= {page.cookie(name) for name in (ACCESS, REFRESH, CSRF)}
        page.call("PUT", "/auth/profile", json={"name": "A"}, headers={"X-CSRF-Token": "wrong"})
        ann = Person(world, ANN, keep(world.login(ANN, PASSWORDS[1])).json)
        change = {"currentPassword": PASSWORDS[1], "newPassword": PASSWORDS[2]}
        ann.call("PUT", "/auth/change-password", json={**change, "currentPassword": WRONG})
        assert ann.call("PUT", "/auth/change-password", json=change).status_code == 200
        ann.call("POST", "/auth/change-email", json={"newEmail": NEW, "currentPassword": PASSWORDS[2]})
        assert (
            ann.call(
                "POST", "/auth/change-email/confirm", json={"newEmail": NEW, "code": self.code(NEW)}
            ).status_code
            == 200
        )
        ann.email = NEW
        self._organisation(ann, Person(world, BOB, keep(world.login(BOB, PASSWORDS[0])).json))
        self._everything(ann)
        self._mistakes(ann)
        self.house.drain()
        return ann

    def _organisation(self, ann: Person, bob: Person) -> None:
        ann.call("POST", "/orgs", json={"name": "Acme", "slug": "acme"})
        asked = ann.call("POST", "/orgs/acme/invitations", json={"email": BOB})
        with self.world.app.app_context():
            token = invitation_token(UUID((asked.json or {})["id"]))
        self.secrets |= {token, token.removeprefix("jst_inv_")}
        assert ann.call("POST", f"/invitations/{token}/accept").status_code == 403
        assert bob.call("POST", f"/invitations/{token}/accept").status_code == 200
        bob.call("POST", f"/invitations/{token}/accept")

    def _everything(self, ann: Person) -> None:
        """Each operation once with a body that fits, its passwords the right ones."""
        for op in operations(self.world.app):
            if op.method == "DELETE" or op.path.endswith(("/logout", "/setup")):
                continue
            url = op.url(**dict.fromkeys((name for name, _ in op.places), "acme")).removeprefix("/api/v1")
            right = {"currentPassword": PASSWORDS[2], "password": PASSWORDS[2], "newPassword": PASSWORDS[2]}
            body = (
                sample(op.body, **{k: v for k, v in right.items() if k in op.body["properties"]})
                if op.body
                else None
            )
            if url.startswith("/") and not op.path.startswith("/api/v1"):
                continue
            self.keep(ann.call(op.method, url, **({"json": body} if body is not None else {})))

    def _mistakes(self, ann: Person) -> None:
        """Secrets where they do not belong: in paths, queries, headers, and in bodies that are none."""
        client, token = self.world.app.test_client(), ann.tokens["accessToken"]
        client.get(f"/api/v1/auth/me?access_token={token}")
        client.get(f"/api/v1/auth/me/{token}")
        client.get("/api/v1/auth/me", headers={"Authorization": f"Basic {token}", "X-Request-Id": "a" * 20})
        client.post(
            "/api/v1/auth/login",
            data=f'{{"email": "{ANN}", "password": "{PASSWORDS[2]}"',
            content_type="application/json",
        )
        client.post("/api/v1/auth/login", json={"email": ANN, "password": [PASSWORDS[2]]})
        client.post("/api/v1/auth/refresh", json={"refreshToken": ann.tokens["refreshToken"] + "x"})
        client.get(f"/api/v1/auth/{ann.tokens['refreshToken']}")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[Instance]:
    with instance_of(
        tmp_path_factory.mktemp("day"), databases, *BUNDLED, JOBSTEAD_LOG__LEVEL="debug"
    ) as made:
        yield made


def test_no_secret_is_left_anywhere(house: Instance, capfd: pytest.CaptureFixture[str]) -> None:
    day = Day(house)
    ann = day.live()
    logged = capfd.readouterr().err
    assert logged.count('"message"') > 100
    secrets = {part for secret in day.secrets for part in (secret, *_parts(secret)) if kept_apart(part)}
    assert len(secrets) > 30
    watch = Watch(house.app.extensions["jobstead.config"].database.url)
    rows = watch.rows()
    watch.close()
    faults = []
    for secret in secrets:
        found = re.compile(rf"(?<![\w-]){re.escape(secret)}(?![\w-])")
        faults += [f"logged: {secret}: {line[:300]}" for line in logged.splitlines() if found.search(line)][
            :2
        ]
        for (table, key), row in rows.items():
            text = " ".join(str(v) for v in row.values() if isinstance(v, str | dict | list | bytes))
            if found.search(text):
                faults.append(f"kept: {secret} in {table} {key}: {text[:200]}")
    assert_none(faults)
    _nothing_kept_lets_anybody_in(day, ann, rows)


def _parts(secret: str) -> list[str]:
    """Halves that are as good as the whole: a token's signature, a refresh token's secret."""
    if secret.startswith("ey"):
        return [secret.rpartition(".")[2]]
    return [secret[30:]] if secret.startswith("rt_") else []


def _nothing_kept_lets_anybody_in(day: Day, ann: Person, rows: dict[Any, Any]) -> None:
    """Whoever copies the database has no credential: no value in it is taken for one."""
    values = {str(v) for row in rows.values() for v in _strings(list(row.values())) if 6 <= len(v) <= 300}
    assert len(values) > 200
    client, taken = day.world.app.test_client(), []
    for value in values:
        if not value.isprintable() or not value.isascii():
            continue
        if (
            "." in value
            and client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {value}"}).status_code != 401
        ):
            taken.append(f"as a token: {value}")
        if (
            value not in PASSWORDS
            and len(value) < 40
            and day.world.login(ann.email, value).status_code in (200, 403)
        ):
            taken.append(f"as a password: {value}")
        if len(value) < 20 or " " in value:
            continue
        if client.post("/api/v1/auth/refresh", json={"refreshToken": value}).status_code == 200:
            taken.append(f"as a refresh token: {value}")
        if (
            ann.call(
                "POST", f"/invitations/{value.replace('/', '%2F').replace('?', '%3F')}/accept"
            ).status_code
            < 300
        ):
            taken.append(f"as an invitation: {value}")
        if client.get("/setup", query_string={"token": value}).status_code == 200:
            taken.append(f"for the first admin: {value}")
    assert_none(taken)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str | UUID):
        yield str(value)
    elif isinstance(value, dict):
        yield from _strings([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _strings(part)

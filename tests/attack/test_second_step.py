"""Past the password and before the second step: nothing gets anybody in but the second step, once."""

from __future__ import annotations

import base64
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import update
from werkzeug.test import TestResponse

from core.auth.models import AuthSession
from core.clock import utcnow
from core.testing import Databases
from tests.attack.crowd import SIZE, crowd, statuses, won
from tests.attack.people import superadmin
from tests.attack.scene import BUNDLED, instance_of
from tests.identity.world import PASSWORD, Person, World

pytestmark = pytest.mark.skipif("mfa" not in BUNDLED, reason="the plugin mfa is not here")
NEW = "a newly made secret"
_numbers = itertools.count()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[World]:
    with instance_of(tmp_path_factory.mktemp("steps"), databases, "mfa", "notifications") as house:
        yield World(house.app)


@dataclass
class Guarded:
    """Somebody whose password is known to the attacker, and whose app is not."""

    person: Person
    secret: str
    factor: str
    recovery: list[str] = field(default_factory=list)

    @property
    def world(self) -> World:
        return self.person.world

    @property
    def code(self) -> str:
        """What the app shows now."""
        return self.shown(0)

    def shown(self, step: int) -> str:
        app = TOTP(base64.b32decode(self.secret), 6, SHA1(), 30)
        return app.generate(time.time() + 30 * step).decode()

    def ticket(self, password: str = PASSWORD) -> str:
        answer = self.world.login(self.person.email, password)
        assert (answer.json or {}).get("mfaRequired") is True, answer.text
        return str((answer.json or {})["ticket"])


@pytest.fixture
def ann(world: World) -> Guarded:
    return guarded(world)


def guarded(world: World) -> Guarded:
    person = world.person(f"guarded-{next(_numbers)}@example.org")
    begun = person.call("POST", "/auth/mfa/totp/enroll", json={}).json or {}
    made = Guarded(person, begun["secret"], begun["factorId"])
    answer = person.call("POST", "/auth/mfa/totp/confirm", json={"code": made.shown(-1)})
    assert answer.status_code == 200, answer.text
    made.recovery = (answer.json or {})["recoveryCodes"]
    return made


def verify(on: World, ticket: str, **shown: Any) -> TestResponse:
    return on.post("/auth/mfa/verify", {"ticket": ticket, **shown})


def wrong(code: str, n: int = 0) -> str:
    return f"{(int(code) + 111 + n) % 1_000_000:06d}"


def test_a_password_alone_opens_nothing(world: World, ann: Guarded) -> None:
    body = {"email": ann.person.email, "password": PASSWORD}
    for cookies in (False, True):
        answer = world.post(
            "/auth/login", {**body, "cookies": cookies}, headers={"Sec-Fetch-Site": "same-origin"}
        )
        assert answer.status_code == 200
        assert not {"accessToken", "refreshToken", "csrfToken", "userId"} & (answer.json or {}).keys()
        assert "Set-Cookie" not in answer.headers


def test_a_ticket_is_nothing_else(world: World, ann: Guarded) -> None:
    ticket = ann.ticket()
    client = world.app.test_client()
    assert client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {ticket}"}).status_code == 401
    assert world.post("/auth/refresh", {"refreshToken": ticket}).status_code in (401, 422)
    refresh = ann.person.tokens["refreshToken"]
    for other in (
        refresh,
        ann.person.tokens["accessToken"],
        ticket[:-1],
        ticket + "A",
        ticket.upper(),
        "",
        "\0",
        "lt_",
    ):
        assert verify(world, other, code=ann.code).status_code in (401, 422), other
    assert verify(world, ticket, code=ann.code).status_code == 200


def test_a_ticket_and_a_code_of_two_people(world: World, ann: Guarded) -> None:
    bob = guarded(world)
    assert verify(world, ann.ticket(), code=bob.code).status_code == 401
    assert verify(world, ann.ticket(), recoveryCode=bob.recovery[0]).status_code == 401
    assert verify(world, bob.ticket(), recoveryCode=bob.recovery[0]).status_code == 200


def test_one_ticket_is_one_session(world: World, twin: World, ann: Guarded) -> None:
    ticket, code = ann.ticket(), ann.code
    assert (
        len(won(crowd(lambda _: verify(world, ticket, code=code), lambda _: verify(twin, ticket, code=code))))
        == 1
    )
    assert verify(world, ticket, recoveryCode=ann.recovery[0]).status_code == 401


def test_one_code_is_one_session(world: World, twin: World, ann: Guarded) -> None:
    """Read over somebody's shoulder: with tickets of their own, at the same moment and after."""
    tickets, code = [ann.ticket() for _ in range(8)], ann.code
    answers = crowd(
        lambda n: verify(world, tickets[n], code=code), lambda n: verify(twin, tickets[n], code=code), size=8
    )
    assert len(won(answers)) == 1
    for stale in (code, ann.shown(-1)):
        assert verify(world, ann.ticket(), code=stale).status_code in (401, 429)


def test_one_recovery_code_is_one_session(world: World, twin: World, ann: Guarded) -> None:
    """CVE-2026-31875, CVE-2026-33624."""
    tickets, code = [ann.ticket() for _ in range(8)], ann.recovery[0]
    answers = crowd(
        lambda n: verify(world, tickets[n], recoveryCode=code),
        lambda n: verify(twin, tickets[n], recoveryCode=code),
        size=8,
    )
    assert len(won(answers)) == 1
    assert verify(world, ann.ticket(), recoveryCode=code).status_code in (401, 429)


def test_guesses_at_once_use_the_ticket_up(world: World, twin: World, ann: Guarded) -> None:
    ticket, code = ann.ticket(), ann.code
    answers = crowd(
        lambda n: verify(world, ticket, code=wrong(code, n)),
        lambda n: verify(twin, ticket, code=wrong(code, n)),
    )
    assert set(statuses(answers)) <= {401, 429}
    assert verify(world, ticket, code=ann.code).status_code == 401


def test_new_tickets_give_no_more_guesses(world: World, ann: Guarded) -> None:
    """Who has the password can have as many tickets as they like: the tries are the person's."""
    seen = []
    for n in range(8):
        ticket = ann.ticket()
        seen += [verify(world, ticket, code=wrong(ann.code, 5 * n + k)).status_code for k in range(5)]
    assert seen.count(401) <= 12, seen
    assert 429 in seen


def test_two_ways_do_not_add_up(world: World, ann: Guarded) -> None:
    ticket = ann.ticket()
    for n in range(3):
        assert verify(world, ticket, code=wrong(ann.code, n)).status_code == 401
        assert verify(world, ticket, recoveryCode=f"AAAA-AAAA-{n}").status_code == 401
    assert verify(world, ticket, code=ann.code).status_code == 401
    assert verify(world, ann.ticket(), code=ann.code, recoveryCode=ann.recovery[0]).status_code == 422


def change_password(world: World, ann: Guarded) -> None:
    body = {"currentPassword": PASSWORD, "newPassword": NEW}
    assert ann.person.call("PUT", "/auth/change-password", json=body).status_code == 200


def reset_password(world: World, ann: Guarded) -> None:
    world.post("/auth/forgot-password", {"email": ann.person.email})
    body = {"email": ann.person.email, "code": world.code(ann.person.email), "newPassword": NEW}
    assert world.app.test_client().put("/api/v1/auth/reset-password", json=body).status_code == 200


def suspend_and_reinstate(world: World, ann: Guarded) -> None:
    boss = superadmin(world, f"boss-{next(_numbers)}@example.org")
    path = f"/users/{world.user_id(ann.person.email)}/suspend"
    assert boss.call("POST", path, json={}).status_code == 200
    assert boss.call("POST", path, json={"suspended": False}).status_code == 200


@pytest.mark.parametrize("end", [change_password, reset_password, suspend_and_reinstate])
def test_a_ticket_goes_with_what_it_was_given_for(
    world: World, twin: World, ann: Guarded, end: Callable[[World, Guarded], None]
) -> None:
    ticket = ann.ticket()
    end(world, ann)
    answer = verify(twin, ticket, code=ann.code)
    assert answer.status_code == 401, answer.text


def test_a_reset_does_not_waive_it(world: World, ann: Guarded) -> None:
    reset_password(world, ann)
    assert (world.login(ann.person.email, NEW).json or {}).get("mfaRequired") is True


def test_a_session_left_lying_about_takes_it_off_nobody(world: World, ann: Guarded) -> None:
    """Signed in long ago: neither removed, nor another app added, nor new codes given, nor sessions kept."""
    old = utcnow() - world.app.extensions["jobstead.config"].auth.fresh_ttl * 2
    mine = update(AuthSession).where(AuthSession.user_id == world.user_id(ann.person.email))
    world.execute(mine.values(created_at=old))
    for method, path in (
        ("DELETE", f"/auth/mfa/{ann.factor}"),
        ("POST", "/auth/mfa/recovery-codes"),
        ("POST", "/auth/mfa/totp/enroll"),
    ):
        answer = ann.person.call(method, path, **({"json": {}} if "enroll" in path else {}))
        assert (answer.status_code, (answer.json or {})["code"]) == (403, "fresh_login_required"), path
    assert (world.login(ann.person.email).json or {}).get("mfaRequired") is True


def test_what_was_begun_and_not_confirmed_guards_nothing(world: World, ann: Guarded) -> None:
    """Nor does it open anything: a code of it is no second step."""
    begun = ann.person.call("POST", "/auth/mfa/totp/enroll", json={}).json or {}
    other = Guarded(ann.person, begun["secret"], begun["factorId"])
    assert verify(world, ann.ticket(), code=other.code).status_code == 401
    assert verify(world, ann.ticket(), code=ann.code).status_code == 200


def test_turning_it_on_ends_what_was_there(world: World) -> None:
    """Whoever is in with the password alone is out."""
    email = f"guarded-{next(_numbers)}@example.org"
    thief = world.person(email)
    owner = world.signed_in(email)
    begun = owner.call("POST", "/auth/mfa/totp/enroll", json={}).json or {}
    code = Guarded(owner, begun["secret"], begun["factorId"]).shown(-1)
    assert owner.call("POST", "/auth/mfa/totp/confirm", json={"code": code}).status_code == 200
    assert thief.call("GET", "/auth/me").status_code == 401
    assert world.post("/auth/refresh", {"refreshToken": thief.tokens["refreshToken"]}).status_code == 401


def test_guesses_while_confirming_are_counted(world: World) -> None:
    person = world.person(f"guarded-{next(_numbers)}@example.org")
    begun = person.call("POST", "/auth/mfa/totp/enroll", json={}).json or {}
    made = Guarded(person, begun["secret"], begun["factorId"])

    def confirm(n: int) -> TestResponse:
        return person.call("POST", "/auth/mfa/totp/confirm", json={"code": wrong(made.code, n)})

    assert set(statuses(crowd(confirm, size=SIZE))) <= {400, 401, 409, 429}


def test_nobody_reads_the_secret_again(world: World, ann: Guarded) -> None:
    shown = ann.person.call("GET", "/auth/mfa").text
    assert ann.secret not in shown
    assert not any(code in shown for code in ann.recovery)

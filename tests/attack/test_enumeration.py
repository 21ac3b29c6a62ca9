"""Who has an account is told by no answer: not by its status, body or headers, nor by the work behind it.

Work is counted (hashes, statements), never timed: a count is the same on a busy machine.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import event, insert, select, update
from werkzeug.test import TestResponse

from core.auth import auth
from core.auth.models import AuthSession
from core.clock import utcnow
from core.testing import Databases
from core.users import User, UserRole
from tests.attack.scene import BUNDLED, instance_of
from tests.identity.world import PASSWORD, Person, World

VOLATILE = {"x-request-id", "date", "content-length", "retry-after", "ratelimit"}
AFRESH = 3
_numbers = itertools.count()


@dataclass
class Work:
    """What a request made the server do."""

    hashed: int = 0
    statements: Counter[str] = field(default_factory=Counter)

    @property
    def written(self) -> int:
        return sum(n for verb, n in self.statements.items() if verb in ("INSERT", "UPDATE", "DELETE"))

    @property
    def total(self) -> int:
        return sum(self.statements.values())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[World]:
    with instance_of(tmp_path_factory.mktemp("people"), databases, *BUNDLED) as house:
        yield World(house.app)


@pytest.fixture
def work(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    """Counts from when it is reset. A process reads afresh now and then what it keeps for five seconds, so
    that a few statements more or less say nothing; what is written says all."""
    counted = Work()
    passwords, engine = auth(world.app).passwords, world.app.extensions["jobstead.db"].engine
    for name in ("hash", "verify"):
        real = getattr(passwords, name)

        def one(*args: Any, real: Callable[..., Any] = real) -> Any:
            counted.hashed += 1
            return real(*args)

        monkeypatch.setattr(passwords, name, one)

    def statement(_conn: Any, _cursor: Any, text: str, *_: Any) -> None:
        counted.statements[text.split(maxsplit=1)[0].upper()] += 1

    event.listen(engine, "before_cursor_execute", statement)
    yield counted
    event.remove(engine, "before_cursor_execute", statement)


def somebody(world: World, kind: str) -> str:
    """An address of which ``kind`` is true."""
    email = f"{kind}-{next(_numbers)}@example.org"
    if kind == "unknown":
        return email
    world.register(email)
    if kind == "unverified":
        return email
    world.verify(email, world.code(email))
    user = world.user_id(email)
    if kind == "suspended":
        world.execute(update(User).where(User.id == user).values(status="suspended"))
    elif kind == "deleted":
        world.execute(update(User).where(User.id == user).values(status="suspended", deleted_at=utcnow()))
    elif kind == "admin":
        world.execute(insert(UserRole.__table__).values(user_id=user, role="admin"))
    return email


KINDS = ("unknown", "unverified", "verified", "suspended", "deleted", "admin")
ASKED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "login": ("POST", "/auth/login", {"password": "not the password"}),
    "login with cookies": ("POST", "/auth/login", {"password": "not the password", "cookies": True}),
    "forgot": ("POST", "/auth/forgot-password", {}),
    "resend": ("POST", "/auth/resend-otp", {}),
    "verify": ("POST", "/auth/verify-otp", {"code": "000000"}),
    "verify a reset": ("POST", "/auth/verify-otp", {"code": "000000", "purpose": "reset"}),
    "reset": ("PUT", "/auth/reset-password", {"code": "000000", "newPassword": "a new long secret"}),
    "register": ("POST", "/auth/register", {"password": PASSWORD, "name": "N"}),
    "register poorly": ("POST", "/auth/register", {"password": "123456"}),
}


def asked(world: World, what: str, email: str) -> TestResponse:
    method, path, body = ASKED[what]
    return world.app.test_client().open(
        f"/api/v1{path}",
        method=method,
        json={"email": email, **body},
        headers={"Sec-Fetch-Site": "same-origin"},
    )


def told(answer: TestResponse, email: str) -> tuple[Any, ...]:
    """All of an answer that might differ."""
    body = {key: value for key, value in (answer.json or {}).items() if key != "requestId"}
    headers = {k.lower(): v for k, v in answer.headers.items() if k.lower() not in VOLATILE}
    return answer.status_code, str(body).replace(email, "EMAIL"), sorted(headers.items())


@pytest.mark.parametrize("what", ASKED)
def test_answers_are_alike(world: World, what: str) -> None:
    answers = {}
    for kind in KINDS:
        email = somebody(world, kind)
        answers[kind] = told(asked(world, what, email), email)
    assert len(set(map(str, answers.values()))) == 1, answers


@pytest.mark.parametrize("what", ASKED)
def test_the_work_is_alike(world: World, work: Work, what: str) -> None:
    """As many hashes, and as many statements of each kind."""
    spent = {}
    for kind in KINDS:
        email = somebody(world, kind)
        asked(world, what, f"warm-{email}")
        work.hashed, work.statements = 0, Counter()
        asked(world, what, email)
        spent[kind] = Work(work.hashed, Counter(work.statements))
    if what == "register":  # somebody new is made, with an organisation: see below
        assert len({done.hashed for done in spent.values()}) == 1, spent
    else:
        alike(list(spent.values()))


def alike(spent: list[Work]) -> None:
    assert len({(done.hashed, done.written) for done in spent}) == 1, spent
    assert max(done.total for done in spent) - min(done.total for done in spent) <= AFRESH, spent


def test_registering_costs_much_more_than_what_differs(world: World, work: Work) -> None:
    """A new account takes some statements more than a known one; both take one hash, which outweighs them."""
    spent = {}
    for kind in ("unknown", "unverified", "verified"):
        email = somebody(world, kind)
        work.hashed, work.statements = 0, Counter()
        asked(world, "register", email)
        spent[kind] = Work(work.hashed, Counter(work.statements))
    assert {done.hashed for done in spent.values()} == {1}
    most, least = (f(done.total for done in spent.values()) for f in (max, min))
    assert most - least <= 12, spent


def test_the_same_limit_for_known_and_unknown(
    tmp_path_factory: pytest.TempPathFactory, databases: Databases
) -> None:
    with instance_of(
        tmp_path_factory.mktemp("limits"), databases, "notifications", JOBSTEAD_LIMITS_SCALE="1"
    ) as house:
        world = World(house.app)
        for door in ("forgot", "resend"):
            seen = {}
            for kind in ("unknown", "known"):
                email = f"{door}-{kind}@example.org"
                if kind == "known":
                    house.person(email)
                address = {"REMOTE_ADDR": f"192.0.2.{next(_numbers) % 250}"}
                method, path, body = ASKED[door]
                seen[kind] = [
                    told(
                        house.app.test_client().open(
                            f"/api/v1{path}",
                            method=method,
                            json={"email": email, **body},
                            environ_overrides=address,
                        ),
                        email,
                    )
                    for _ in range(5)
                ]
            assert seen["unknown"] == seen["known"]
            assert [answer[0] for answer in seen["known"]] == [202, 202, 202, 429, 429]
        assert world.login("forgot-known@example.org").status_code in (401, 429)


def test_an_address_is_one_however_it_is_spelled(world: World) -> None:
    """Neither another account nor another count for another spelling."""
    world.person("spelled@example.org")
    for spelling in ("SPELLED@example.org", " spelled@example.org ", "Spelled@EXAMPLE.ORG"):
        assert world.login(spelling).status_code == 200
        assert world.register(spelling, "another long secret").status_code == 202
        assert world.login(spelling, "another long secret").status_code == 401
    people = world.execute(select(User.id).where(User.email.ilike("spelled@%"))).all()
    assert len(people) == 1


@pytest.mark.parametrize(
    "email",
    [
        "victim@example.org,attacker@example.org",
        "victim@example.org attacker@example.org",
        "victim@example.org\r\nBcc: attacker@example.org",
        "victim@example.org\nattacker@example.org",
        "victim@example.org%0aattacker@example.org",
        "victim@example.org;attacker@example.org",
        "<attacker@example.org>victim@example.org",
        '"victim@example.org, attacker"@example.org',
        "victim@example.org\0@attacker.example",
        "attacker@example.org (victim@example.org)",
        ["victim@example.org", "attacker@example.org"],
        {"$gt": ""},
    ],
)
def test_an_address_is_one(world: World, email: Any) -> None:
    for what in ("forgot", "resend", "register"):
        method, path, body = ASKED[what]
        answer = world.app.test_client().open(f"/api/v1{path}", method=method, json={"email": email, **body})
        assert answer.status_code == 422, answer.text


def test_changing_to_an_address_tells_nothing_of_it(world: World, work: Work) -> None:
    seen, spent = [], []
    for kind in KINDS:
        ann, email = world.person(f"ann-{next(_numbers)}@example.org"), somebody(world, kind)
        body = {"newEmail": email, "currentPassword": PASSWORD}
        work.hashed, work.statements = 0, Counter()
        seen.append(told(ann.call("POST", "/auth/change-email", json=body), email))
        spent.append(Work(work.hashed, Counter(work.statements)))
        confirm = {"newEmail": email, "code": "000000"}
        seen.append(told(ann.call("POST", "/auth/change-email/confirm", json=confirm), email))
    assert len(set(map(str, seen))) == 2
    alike(spent)


def test_inviting_tells_nothing_of_accounts(world: World, work: Work) -> None:
    owner = world.person(f"owner-{next(_numbers)}@example.org")
    slug = f"inviting-{next(_numbers)}"
    assert owner.call("POST", "/orgs", json={"name": slug, "slug": slug}).status_code == 201
    seen, spent = [], []
    for kind in KINDS:
        email = somebody(world, kind)
        work.hashed, work.statements = 0, Counter()
        answer = owner.call("POST", f"/orgs/{slug}/invitations", json={"email": email})
        spent.append(Work(work.hashed, Counter(work.statements)))
        body = {
            k: v for k, v in (answer.json or {}).items() if k not in ("id", "email", "createdAt", "expiresAt")
        }
        seen.append((answer.status_code, body))
    assert len(set(map(str, seen))) == 1, seen
    alike(spent)


def test_ids_of_others_are_as_ids_of_nobody(world: World) -> None:
    """The same answer, but for the request's id, whether there is such a thing or not."""
    ann, bob = (world.person(f"id-{next(_numbers)}@example.org") for _ in range(2))
    slug = f"ids-{next(_numbers)}"
    org = bob.call("POST", "/orgs", json={"name": slug, "slug": slug}).json or {}
    session = world.execute(
        select(AuthSession.id).where(AuthSession.user_id == world.user_id(bob.email))
    ).scalar()
    alert = bob.call("POST", "/job-alerts", json={"name": "mine"}).json or {}
    nobody = "01912d68-783e-7a03-8467-5661c1243ad4"
    for method, path, real in (
        ("GET", "/users/{}", str(world.user_id(bob.email))),
        ("PUT", "/users/{}", str(world.user_id(bob.email))),
        ("GET", "/orgs/{}", org["id"]),
        ("GET", "/orgs/{}", slug),
        ("DELETE", "/orgs/{}", slug),
        ("GET", "/orgs/{}/members", slug),
        ("DELETE", "/auth/sessions/{}", str(session)),
        ("GET", "/job-alerts/{}", alert["id"]),
        ("DELETE", "/job-alerts/{}", alert["id"]),
    ):
        body = {"json": {}} if method == "PUT" else {}
        answers = [ann.call(method, path.format(which), **body) for which in (real, nobody)]
        assert told(answers[0], real)[:2] == told(answers[1], nobody)[:2], (method, path)
        assert answers[0].status_code == 404
    ways = [
        ann.call("GET", "/notifications", headers={"X-Org": which}) for which in (slug, nobody, "no-such")
    ]
    assert len({told(answer, slug).__repr__() for answer in ways}) == 1


def test_a_suspension_is_told_to_who_knows_the_password_alone(world: World) -> None:
    email = somebody(world, "suspended")
    assert world.login(email, "not the password").status_code == 401
    assert (world.login(email).json or {})["code"] == "account_suspended"


def test_a_stranger_who_registers_in_between_gets_no_way_in(world: World) -> None:
    """The victim registers; before they type the code in, a stranger registers the same address.

    Whichever code the victim takes from their mail, the stranger's password must not open the account.
    """
    email, theirs = f"victim-{next(_numbers)}@example.org", "the stranger's secret"
    assert world.register(email).status_code == 202
    assert world.register(email, theirs).status_code == 202
    assert world.verify(email, world.code(email)).status_code == 200
    assert world.login(email, theirs).status_code != 200


def test_a_stranger_who_registers_first_gets_no_way_in(world: World) -> None:
    email, theirs = f"victim-{next(_numbers)}@example.org", "the stranger's secret"
    assert world.register(email, theirs).status_code == 202
    assert world.register(email).status_code == 202
    assert world.verify(email, world.code(email)).status_code == 200
    assert world.login(email, theirs).status_code == 401


def test_a_code_asked_for_by_a_stranger_lets_only_the_address_in(world: World) -> None:
    """Forgotten by a stranger: the code is in the victim's mail, and the stranger's tries count."""
    email = somebody(world, "verified")
    asked(world, "forgot", email)
    right = world.code(email)
    for guess in range(5):
        asked_code = f"{(int(right) + guess + 1) % 1_000_000:06d}"
        body = {"email": email, "code": asked_code, "newPassword": "a new long secret"}
        assert world.app.test_client().put("/api/v1/auth/reset-password", json=body).status_code == 400
    body = {"email": email, "code": right, "newPassword": "a new long secret"}
    assert world.app.test_client().put("/api/v1/auth/reset-password", json=body).status_code == 400
    assert world.login(email).status_code == 200


@pytest.mark.parametrize(
    "code",
    ["٣٣٣٣٣٣", "１２３４５６", "123456\n", " 123456", "12345", "0x1234", "+12345", "1e5000", 123456, None],
)
def test_a_code_is_six_ascii_digits(world: World, code: Any) -> None:
    email = somebody(world, "unverified")
    assert world.post("/auth/verify-otp", {"email": email, "code": code}).status_code == 422


def test_resetting_signs_nobody_in(world: World) -> None:
    email = somebody(world, "verified")
    asked(world, "forgot", email)
    body = {"email": email, "code": world.code(email), "newPassword": "a new long secret"}
    answer = world.app.test_client().put("/api/v1/auth/reset-password", json=body)
    assert answer.json == {"status": "changed"}
    assert "Set-Cookie" not in answer.headers


def test_a_stranger_cannot_keep_somebody_out(world: World) -> None:
    """Wrong passwords end no session, and the right one still lets in."""
    email = somebody(world, "verified")
    mine: Person = world.signed_in(email)
    for _ in range(20):
        world.login(email, "wrong")
    assert mine.call("GET", "/auth/me").status_code == 200
    assert world.login(email).status_code == 200

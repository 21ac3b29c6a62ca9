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
from sqlalchemy import event, select

from core.auth import auth
from core.auth.models import AuthSession
from core.testing import Databases
from tests.attack.asking import ASKED, asked, somebody, told
from tests.attack.scene import BUNDLED, instance_of
from tests.identity.world import PASSWORD, World

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


KINDS = ("unknown", "unverified", "verified", "suspended", "deleted", "admin")


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
    """A new account takes some statements more; all verify and hash once, which outweighs them."""
    spent = {}
    for kind in ("unknown", "unverified", "verified"):
        email = somebody(world, kind)
        work.hashed, work.statements = 0, Counter()
        asked(world, "register", email)
        spent[kind] = Work(work.hashed, Counter(work.statements))
    assert {done.hashed for done in spent.values()} == {2}
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

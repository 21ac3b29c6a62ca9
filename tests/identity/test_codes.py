"""Six digits: derived, counted before they are compared, used once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from core.auth import verification_code
from core.auth.models import Code
from core.clock import utcnow
from core.db import metadata
from tests.identity.world import CROWD, World, crowd, statuses

ANN = "ann@example.org"


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_after_five_wrong_tries_the_right_one_is_refused(world: World) -> None:
    world.register(ANN)
    code = world.code(ANN)

    for _ in range(5):
        assert world.verify(ANN, _wrong(code)).status_code == 400

    assert world.verify(ANN, code).status_code == 400
    assert world.events("user.verified") == []


def test_the_fifth_try_still_counts(world: World) -> None:
    world.register(ANN)
    code = world.code(ANN)
    for _ in range(4):
        world.verify(ANN, _wrong(code))

    assert world.verify(ANN, code).status_code == 200


def test_of_a_crowd_with_the_right_code_one_is_served(world: World) -> None:
    world.register(ANN)
    code = world.code(ANN)

    answers = crowd(lambda _: world.verify(ANN, code))

    assert statuses(answers) == {200: 1, 400: CROWD - 1}
    assert len(world.events("user.verified")) == 1


def test_a_crowd_that_guesses_gets_five_tries_together(world: World) -> None:
    world.register(ANN)
    code = world.code(ANN)

    answers = crowd(lambda n: world.verify(ANN, f"{(int(code) + 1 + n) % 1_000_000:06d}"))

    assert statuses(answers) == {400: CROWD}
    assert world.execute(select(Code.attempts)).scalar_one() == 5
    assert world.verify(ANN, code).status_code == 400


def test_a_code_works_once(world: World) -> None:
    world.register(ANN)
    code = world.code(ANN)

    assert world.verify(ANN, code).status_code == 200
    assert world.verify(ANN, code).status_code == 400


def test_a_new_code_voids_the_one_before(world: World) -> None:
    world.register(ANN)
    first = world.code(ANN)
    world.post("/auth/resend-otp", {"email": ANN})

    assert world.verify(ANN, first).status_code == 400
    assert world.verify(ANN, world.code(ANN)).status_code == 200


def test_a_code_dies_after_ten_minutes(world: World) -> None:
    world.register(ANN)
    made, ends = world.execute(select(Code.created_at, Code.expires_at)).one()
    world.execute(update(Code).values(expires_at=utcnow() - timedelta(seconds=1)))

    assert world.verify(ANN, world.code(ANN)).status_code == 400
    assert abs(ends - made - timedelta(minutes=10)) < timedelta(seconds=5)


def test_a_code_is_good_for_its_owner_and_purpose_alone(world: World) -> None:
    world.register(ANN)
    world.register("bob@example.org")

    assert world.verify("bob@example.org", world.code(ANN)).status_code == 400
    world.execute(update(Code).values(purpose="password_reset"))
    assert world.verify(ANN, world.code(ANN)).status_code == 400


@pytest.mark.parametrize(
    "given", ["12345", "1234567", "12345a", "٠١٢٣٤٥", " 12345", "123456\n", "-12345", ""]
)
def test_six_ascii_digits_or_nothing(world: World, given: str) -> None:
    assert world.verify(ANN, given).status_code == 422


def test_otp_is_another_name_of_the_field(world: World) -> None:
    world.register(ANN)

    assert world.post("/auth/verify-otp", {"email": ANN, "otp": world.code(ANN)}).status_code == 200


def test_the_same_digits_at_each_asking_and_none_in_any_table(world: World) -> None:
    world.register(ANN)
    identifier = UUID(world.events("otp.requested")[0]["code_id"])
    with world.app.app_context():
        code = verification_code(identifier)
        assert verification_code(identifier) == code

    for table in (t for t in metadata.tables.values() if t.name.startswith("core_")):
        for row in world.execute(select(table)):
            assert code not in _words(row), table.name


def test_there_is_no_code_for_what_was_never_sent(world: World) -> None:
    world.post("/auth/resend-otp", {"email": "nobody@example.org"})
    decoy = world.execute(select(Code.id)).scalar_one()

    with world.app.app_context(), pytest.raises(LookupError):
        verification_code(decoy)
    assert world.events("otp.requested") == []


def _words(row: Any) -> set[str]:
    """Every value of a row, taken apart where it has parts."""
    return {word for value in row for word in str(value).replace('"', " ").replace("'", " ").split()}

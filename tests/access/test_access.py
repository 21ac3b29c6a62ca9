"""Who may do what: marks on views, roles, and the one place that compares them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from core.access import (
    ANONYMOUS,
    SYSTEM,
    Access,
    Permissions,
    Principal,
    access_of,
    acting_as,
    enforce,
    may,
    public,
    require,
)
from core.db import uuid7
from core.errors import Forbidden, Unauthorized

READ = "library.book.read"
BURN = "library.book.burn"


@pytest.fixture(autouse=True)
def app() -> Iterator[Flask]:
    app = Flask(__name__)
    permissions = app.extensions["jobstead.permissions"] = Permissions()
    permissions.add(READ, plugin="library", summary="Read books", roles=["user", "org:viewer"])
    permissions.add(BURN, plugin="library", summary="Burn books", roles=["admin"])
    with app.app_context():
        yield app


def user(*roles: str, **fields: object) -> Principal:
    return Principal(kind="user", user_id=uuid7(), roles=frozenset(roles), **fields)  # type: ignore[arg-type]


def test_a_mark_survives_decorators_above_and_below() -> None:
    @require(READ)
    def above() -> None: ...

    assert access_of(above) == Access(READ)
    assert access_of(public(lambda: None)) == Access(None)
    assert access_of(lambda: None) is None


def test_anonymous_is_asked_to_sign_in_and_others_are_refused() -> None:
    with acting_as(ANONYMOUS), pytest.raises(Unauthorized) as refused:
        enforce(Access(READ))
    assert refused.value.headers == {"WWW-Authenticate": "Bearer"}
    with acting_as(user("user")):
        enforce(Access(READ))
        with pytest.raises(Forbidden, match=BURN):
            enforce(Access(BURN))


@pytest.mark.parametrize(
    ("who", "reads", "burns"),
    [
        (ANONYMOUS, False, False),
        (user("user"), True, False),
        (user("admin"), False, True),
        (user("superadmin"), True, True),
        (user(organisation_role="viewer"), True, False),
        (user("superadmin", limited_to=frozenset({READ})), True, False),
        (SYSTEM, True, True),
    ],
)
def test_roles_of_instance_and_organisation_grant(who: Principal, reads: bool, burns: bool) -> None:
    assert (may(READ, who), may(BURN, who)) == (reads, burns)


def test_permissions_are_declared_once_under_their_plugins_name() -> None:
    permissions = Permissions()
    permissions.add("a.b.c", plugin="a", summary="")
    with pytest.raises(ValueError, match="twice"):
        permissions.add("a.b.c", plugin="a", summary="")
    with pytest.raises(ValueError, match="begin with"):
        permissions.add("b.c.d", plugin="a", summary="")
    assert [p.name for p in permissions] == ["a.b.c"]
    permissions.withdraw("a")
    assert "a.b.c" not in permissions

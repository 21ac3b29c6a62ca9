"""People with a password, as attackers and victims need them."""

from __future__ import annotations

from sqlalchemy import insert

from core.users import UserRole
from tests.identity.world import Person, World


def superadmin(world: World, email: str) -> Person:
    """Somebody who may do everything."""
    person = world.person(email)
    world.execute(insert(UserRole.__table__).values(user_id=world.user_id(email), role="superadmin"))
    return person

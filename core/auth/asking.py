"""Who is asking, as this room's routes want to know it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import request

from core.context import principal
from core.errors import Unauthorized
from core.users import UserInfo, find_user


@dataclass(frozen=True)
class Caller:
    """Where a request comes from, as kept with its session."""

    ip: str
    user_agent: str


def caller() -> Caller:
    """Where the request being answered comes from."""
    return Caller(ip=request.remote_addr or "", user_agent=request.user_agent.string)


def my_id() -> UUID:
    """Whose request this is. Raises ``Unauthorized`` for whoever is no person."""
    identifier = principal().user_id
    if identifier is None:
        raise Unauthorized("Sign in as a person.")
    return identifier


def myself() -> UserInfo:
    """The account whose request this is. Raises ``Unauthorized``."""
    user = find_user(my_id())
    if user is None:
        raise Unauthorized("This account is gone.")
    return user

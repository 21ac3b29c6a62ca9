"""What this room keeps for one app, and what the room above plugs into it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from flask import Flask, current_app

from core.config import Config
from core.users import UserInfo

from .codes import CodeRules
from .keys import SigningKeys
from .passwords import Passwords
from .sessions import Lifetimes, Standings
from .tokens import AccessTokens


def _unprepared() -> None:
    return


def _nothing(_user: UserInfo) -> None:
    return


def _nowhere(_user_id: UUID) -> UUID | None:
    return None


def _freely(_user_id: UUID) -> None:
    return


def _no_figures() -> dict[str, int]:
    return {}


def _none(_user_id: UUID) -> list[dict[str, Any]]:
    return []


@dataclass
class Organisations:
    """What signing in needs to know of organisations, which live on a higher floor.

    ``prepare`` runs at start in a transaction of its own, ``welcome`` in the one that makes
    somebody, ``crown`` in the one that makes the first admin; ``default`` names the organisation
    a new session acts for; ``of`` lists somebody's organisations for ``/auth/me``. ``release``
    raises ``Conflict`` where somebody cannot be missed, in the transaction that deletes them;
    ``bury`` deletes what is theirs alone, in transactions of its own. ``figures`` counts them.
    """

    prepare: Callable[[], None] = _unprepared
    welcome: Callable[[UserInfo], None] = _nothing
    crown: Callable[[UserInfo], None] = _nothing
    default: Callable[[UUID], UUID | None] = _nowhere
    of: Callable[[UUID], list[dict[str, Any]]] = _none
    release: Callable[[UUID], None] = _freely
    bury: Callable[[UUID], None] = _freely
    figures: Callable[[], dict[str, int]] = _no_figures


@dataclass
class Auth:
    """The room's parts, made once per app."""

    config: Config
    passwords: Passwords
    keys: SigningKeys
    tokens: AccessTokens
    standings: Standings
    codes: CodeRules
    sessions: Lifetimes
    organisations: Organisations = field(default_factory=Organisations)

    @property
    def longest_idle(self) -> timedelta:
        """A session unused for longer has neither an access nor a refresh token that holds."""
        return max(self.sessions.idle, self.tokens.lifetime)


def auth(app: Flask | None = None) -> Auth:
    """The parts of ``app``, or of the running one."""
    return cast(Auth, (app or current_app).extensions["jobstead.auth"])


def make(config: Config, *, instance: str) -> Auth:
    """The parts as ``config`` wants them; ``instance`` names this instance in tokens."""
    rules = config.auth
    keys = SigningKeys()
    return Auth(
        config=config,
        passwords=Passwords(
            shortest=rules.password_min,
            hash=rules.password_hash,
            rounds=rules.password_rounds,
            at_once=max(1, (os.cpu_count() or 1) // config.server.workers),  # this process's share
        ),
        keys=keys,
        tokens=AccessTokens(
            keys,
            issuer=config.server.public_url or instance,
            audience=instance,
            lifetime=rules.access_ttl,
        ),
        standings=Standings(),
        codes=CodeRules(
            rules.otp_ttl, rules.otp_attempts, max(1, int(rules.otp_per_hour * config.limits.scale))
        ),
        sessions=Lifetimes(rules.refresh_ttl, rules.refresh_absolute),
    )

"""Permissions: declared on routes, granted by roles, checked in one place.

``@require`` and ``@public`` only mark a view. The pipeline of ``core.app`` reads the mark before
the view runs, and start-up refuses a route that carries neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from flask import current_app

from .context import ANONYMOUS, SYSTEM, Principal, acting_as, principal
from .errors import Forbidden, Unauthorized

__all__ = [
    "ANONYMOUS",
    "SYSTEM",
    "Access",
    "Permission",
    "Permissions",
    "Principal",
    "access_of",
    "acting_as",
    "enforce",
    "may",
    "permissions",
    "principal",
    "public",
    "require",
]

View = TypeVar("View", bound=Callable[..., Any])
_MARK = "__jobstead_access__"


@dataclass(frozen=True)
class Access:
    """What a route asks of its caller; ``permission is None`` means nothing at all."""

    permission: str | None


def require(permission: str) -> Callable[[View], View]:
    """Let only callers in who hold ``permission`` (``plugin.resource.verb``).

    Anonymous callers get 401, others 403. Works above or below other decorators.
    """

    def mark(view: View) -> View:
        setattr(view, _MARK, Access(permission))
        return view

    return mark


def public(view: View) -> View:
    """Let everybody in, known or not."""
    setattr(view, _MARK, Access(None))
    return view


def access_of(view: object) -> Access | None:
    """The mark of a view function, or ``None`` where its author forgot it."""
    return cast("Access | None", getattr(view, _MARK, None))


@dataclass(frozen=True)
class Permission:
    """One right, who declared it, and which roles hold it by default.

    ``roles`` mixes roles of the instance (``admin``, ``user``) and of an organisation, the latter
    written ``org:owner``, ``org:admin``, ``org:member``, ``org:viewer``.
    """

    name: str
    plugin: str
    summary: str
    roles: frozenset[str] = frozenset()


def _nothing(_roles: frozenset[str]) -> frozenset[str]:
    return frozenset()


@dataclass
class Permissions:
    """Every permission of this instance, by name. A superadmin holds them all.

    ``custom`` says what those of some roles hold that an admin made.
    """

    custom: Callable[[frozenset[str]], frozenset[str]] = _nothing
    _by_name: dict[str, Permission] = field(default_factory=dict)
    _held: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)

    def add(self, name: str, *, plugin: str, summary: str, roles: Iterable[str] = ()) -> None:
        """Declare a permission. Raises ``ValueError`` for a name taken or outside ``<plugin>.``."""
        if not name.startswith(f"{plugin}."):
            raise ValueError(f"permission {name} must begin with {plugin}.")
        if name in self._by_name:
            raise ValueError(f"permission {name} is declared twice")
        self._by_name[name] = Permission(name, plugin, summary, frozenset(roles))
        self._held.clear()

    def withdraw(self, plugin: str) -> None:
        """Forget what ``plugin`` declared."""
        self._by_name = {name: p for name, p in self._by_name.items() if p.plugin != plugin}
        self._held.clear()

    def held_by(self, roles: frozenset[str]) -> frozenset[str]:
        """The names of all permissions that any of ``roles`` holds."""
        held = self._held.get(roles)
        if held is None:
            everything = "superadmin" in roles
            held = frozenset(n for n, p in self._by_name.items() if everything or p.roles & roles)
            self._held[roles] = held
        more = self.custom(roles)
        return held | {name for name in more if name in self._by_name} if more else held

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Permission:
        return self._by_name[name]

    def __iter__(self) -> Iterator[Permission]:
        return iter(sorted(self._by_name.values(), key=lambda p: p.name))

    def of(self, plugin: str) -> list[Permission]:
        """The permissions ``plugin`` declared, by name."""
        return [p for p in sorted(self._by_name.values(), key=lambda p: p.name) if p.plugin == plugin]


def permissions() -> Permissions:
    """The registry of the running app."""
    return cast(Permissions, current_app.extensions["jobstead.permissions"])


def may(permission: str, who: Principal | None = None) -> bool:
    """Whether ``who`` (the caller by default) holds ``permission`` here and now."""
    who = who or principal()
    if who.kind == "system":
        return True
    if who.limited_to is not None and permission not in who.limited_to:
        return False
    roles = who.roles | {f"org:{who.organisation_role}"} if who.organisation_role else who.roles
    return permission in permissions().held_by(frozenset(roles))


def enforce(access: Access) -> None:
    """Raise ``Unauthorized`` or ``Forbidden`` unless the caller meets ``access``."""
    if access.permission is None or may(access.permission):
        return
    if not principal().authenticated:
        raise Unauthorized("Sign in first.", headers={"WWW-Authenticate": "Bearer"})
    raise Forbidden(f"This needs the permission {access.permission}.")

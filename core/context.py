"""Who is asking and for which organisation, carried by context variables.

A request, a handler and a job each run in a context of their own. Nothing here is global to the
process: threads and greenlets never see one another's caller.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True)
class Principal:
    """Whoever acts: a person, an API key, the system itself, or nobody known.

    ``roles`` are roles of the instance (``superadmin``, ``admin``, ``user``); what somebody is in
    an organisation is found afresh for each request and stands in ``organisation_role``.
    """

    kind: str = "anonymous"
    user_id: UUID | None = None
    session_id: UUID | None = None
    roles: frozenset[str] = frozenset()
    organisation_id: UUID | None = None
    organisation_role: str | None = None
    limited_to: frozenset[str] | None = None
    """Permissions a credential is restricted to; ``None`` where it carries all of its owner's."""

    @property
    def authenticated(self) -> bool:
        return self.kind != "anonymous"

    @property
    def label(self) -> str:
        """``user:<id>``, ``anonymous`` or ``system``: the form kept in events and logs."""
        return f"{self.kind}:{self.user_id}" if self.user_id else self.kind


ANONYMOUS = Principal()
SYSTEM = Principal(kind="system")


@dataclass(frozen=True)
class System:
    """The scope that sees every organisation; ``reason`` says why, for whoever reads the code."""

    reason: str = field(compare=False)


Scope = UUID | System | None
"""An organisation, all of them with a reason, or none (rows of organisations are then refused)."""

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_address: ContextVar[str | None] = ContextVar("address", default=None)
_principal: ContextVar[Principal] = ContextVar("principal", default=ANONYMOUS)
_scope: ContextVar[Scope] = ContextVar("scope", default=None)


def request_id() -> str | None:
    """The id of the request being answered, or of the one that caused this job."""
    return _request_id.get()


def address() -> str | None:
    """Where the request being answered comes from, as the nearest proxy one trusts tells it.

    ``None`` outside requests, and where that is no address.
    """
    return _address.get()


def principal() -> Principal:
    """Who is asking; ``ANONYMOUS`` when nobody has been recognised."""
    return _principal.get()


def scope() -> Scope:
    """Whose rows may be seen right now."""
    return _scope.get()


def organisation_id() -> UUID | None:
    """The organisation acted for, or ``None`` outside one."""
    current = _scope.get()
    return current if isinstance(current, UUID) else None


@contextmanager
def request(identifier: str, *, address: str | None = None) -> Iterator[None]:
    """Carry ``identifier`` as the request id for the duration, and ``address`` as where it comes from.

    Without an address there is none: work done for a request is done somewhere else.
    """
    tokens = _request_id.set(identifier), _address.set(address)
    try:
        yield
    finally:
        _request_id.reset(tokens[0])
        _address.reset(tokens[1])


@contextmanager
def acting_as(who: Principal) -> Iterator[None]:
    """Be ``who`` for the duration."""
    token = _principal.set(who)
    try:
        yield
    finally:
        _principal.reset(token)


@contextmanager
def within(new: Scope) -> Iterator[None]:
    """Set the scope alone, without touching a transaction; ``core.db`` builds on it."""
    token = _scope.set(new)
    try:
        yield
    finally:
        _scope.reset(token)

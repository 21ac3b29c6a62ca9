"""Rate limits: declared on views, counted before anything costly is done.

Each view says of what policy it is; an operator gives a policy other rates in ``[limits.policies]``.
A window moves: what it counts are the requests of the last so many seconds that were let through.
They are counted in Redis, for all processes together; without one, or while it does not answer, each
process counts for itself, so that a limit may then be reached once in each of them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from flask import Flask, g, request

from core.context import principal
from core.errors import Problem
from core.log import get_logger
from core.typed import Rate, rates

from .addresses import network_of
from .state import ViewInfo, web
from .windows import Seen

log = get_logger(__name__)

By = Literal["ip", "user"]
View = TypeVar("View", bound=Callable[..., Any])
_MARK = "__jobstead_limits__"


@dataclass(frozen=True)
class Policy:
    """So often may one caller do this. A ``name`` that ends in ``*`` counts for each route apart."""

    name: str
    rates: tuple[Rate, ...]
    by: By


def rate_limit(name: str, windows: str, *, by: By = "ip") -> Callable[[View], View]:
    """Answer this view no oftener than ``windows`` say (``5/m``, or several: ``5/m 10/h``), then 429.

    ``by`` says who is counted: an address (IPv6: its /64), or ``user``, whoever is signed in, by
    their address where nobody is. Nothing that a caller writes into a request is part of the key.
    May stand several times on a view; each has a ``name`` under which operators change it.
    """
    policy = Policy(name, rates(windows), by)

    def mark(view: View) -> View:
        setattr(view, _MARK, (policy, *policies_of(view)))
        return view

    return mark


def policies_of(view: object) -> tuple[Policy, ...]:
    """What ``rate_limit`` said about a view."""
    return getattr(view, _MARK, ())


def by_address(view: ViewInfo) -> None:
    """Gate: what an address may do, asked before anybody is recognised."""
    if view.limits:
        _enforce(view, "ip")


def by_caller(view: ViewInfo) -> None:
    """Gate: what a person may do."""
    if view.limits:
        _enforce(view, "user")


def too_many(name: str, rate: Rate, wait: float, detail: str) -> Problem:
    """429 for a caller who may go on in ``wait`` seconds."""
    seconds = max(1, math.ceil(wait))
    told = dict(_fields([(name, rate, Seen(False, 0, seconds))]))
    return Problem(detail, status=429, code="rate_limited", headers={"Retry-After": str(seconds), **told})


def warn_of_unknown(app: Flask) -> None:
    """Log the policies an operator gave rates to that no view has: a slip, or a plugin that is off."""
    declared = {policy.name for view in app.view_functions.values() for policy in policies_of(view)}
    for name in sorted(set(web(app).config.limits.policies) - declared):
        log.warning("limits.policies names a policy that no route has", policy=name)


@dataclass(frozen=True)
class _Window:
    """One rate of one policy as this instance has it; ``key`` is what is counted, but for who."""

    policy: str
    label: str
    key: str
    rate: Rate


def _enforce(view: ViewInfo, by: By) -> None:
    who = _who(by)
    told = []
    for window in _windows(view, by):
        seen = web().windows.hit(f"{window.key}:{who}", window.rate, now=time.time())
        if not seen.allowed:
            detail = f"The limit {window.policy} of {window.rate} is used up. Try again later."
            raise too_many(window.label, window.rate, seen.reset, detail)
        told.append((window.label, window.rate, seen))
    g.setdefault("rate_limits", []).extend(told)


def _windows(view: ViewInfo, by: By) -> list[_Window]:
    """All windows of a view, the shortest first: what it refuses is not counted by the longer ones."""
    known: dict[tuple[str, By], list[_Window]] = web().caches.setdefault("limits", {})
    found = known.get((view.endpoint, by))
    if found is None:
        config = web().config.limits
        found = []
        for policy in view.limits:
            if policy.by != by:
                continue
            chosen = config.policies.get(policy.name)
            each = rates(chosen) if chosen is not None else policy.rates
            key = f"{policy.name}:{view.endpoint}" if policy.name.endswith("*") else policy.name
            for rate in each:
                label = policy.name if len(each) == 1 else f"{policy.name} {rate.seconds}s"
                found.append(_Window(policy.name, label, key, rate.times(config.scale)))
        found.sort(key=lambda window: window.rate.seconds)
        known[view.endpoint, by] = found
    return found


def _who(by: By) -> str:
    user = principal().user_id if by == "user" else None
    return str(user or network_of(request.remote_addr))


def headers() -> Iterator[tuple[str, str]]:
    """What the answer being made says of the windows it was counted in."""
    told = g.get("rate_limits")
    return _fields(told) if told else iter(())


def _fields(told: list[tuple[str, Rate, Seen]]) -> Iterator[tuple[str, str]]:
    # draft-ietf-httpapi-ratelimit-headers-10: q and w are quota and window, r and t what is left of both
    quotas = (f'"{name}";q={rate.amount};w={rate.seconds}' for name, rate, _ in told)
    yield "RateLimit-Policy", ", ".join(quotas)
    rests = (f'"{name}";r={seen.left};t={math.ceil(seen.reset)}' for name, _, seen in told)
    yield "RateLimit", ", ".join(rests)

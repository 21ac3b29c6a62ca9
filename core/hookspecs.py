"""The contract between core and plugins: every hook, when it is called, with what, and what a raise means.

A plugin's package implements hooks as functions marked ``@hookimpl``, and takes only those arguments
it wants. Beside hooks a package may have a ``ConfigSchema`` (a marshmallow schema of its settings)
and a ``hookspecs`` submodule (hooks it offers to other plugins; who implements one of those without
requiring that plugin marks it ``@hookimpl(optionalhook=True)``).

``config`` is always the plugin's own settings: a dict in the shape of its ``ConfigSchema``, empty
where it has none.

Hooks named ``register_*`` run once per process at start, after every plugin of the instance has been
imported and mapped, for one plugin after the other in the order of their requirements. What they
name is staged: it is checked for collisions and taken on as a whole when the last one has returned.
A raise (also ``SystemExit``), a wrong result or a collision fails that plugin: nothing of it is taken
on, plugins that require it fail too, and the server starts without them. There is no unit of work
while they run; they must not touch the database or the network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .hooks import hookspec

if TYPE_CHECKING:
    import click
    from flask import Flask, Request
    from flask_smorest import Blueprint

    from .context import Principal

API_VERSION = "1.0"
"""Version of this contract: what a manifest's ``api`` range is compared with."""

Config = dict[str, Any]


# --- What a plugin brings -----------------------------------------------------------------------


@hookspec
def register_blueprints(app: Flask, config: Config) -> list[Blueprint]:  # type: ignore[empty-body]
    """Routes, served below ``/api/v1``.

    When: at start, fifth of the ``register_*`` hooks.
    ``app``: for reading; routes are named by the result and nothing else.
    Result: blueprints whose URLs all begin with an entry of the manifest's ``urls``. Each view
    carries ``@require(permission)`` with a declared permission, or ``@public``.
    An entry, endpoint or URL that somebody else has, or a view without declared access, fails the plugin.
    """


@hookspec
def register_events(config: Config) -> list[type]:  # type: ignore[empty-body]
    """Types of events that the plugin emits.

    When: at start, first of the ``register_*`` hooks.
    Result: classes derived from ``Event``. A type somebody else declared fails the plugin.
    """


@hookspec
def register_handlers(on: Callable[..., None], config: Config) -> None:
    """Functions to call, later and in a worker, for events of any plugin.

    When: at start, second of the ``register_*`` hooks.
    ``on(types, fn, *, name=None, queue="background", external=False, timeout=30,
    scope="organisation", order=None)``: ``types`` is one event type or a tuple of them; an event
    type that no plugin here declares is allowed, it never comes. ``AUDITED`` stands for all that are
    declared with ``audited``, also by plugins that are loaded later. ``fn(event, delivery)`` runs in
    a transaction that also marks the delivery done; with ``external=True`` in none, at least once.
    Two handlers of one name fail the plugin. A raise of ``fn`` is retried, never the emitter's trouble.
    """


@hookspec
def register_jobs(job: Callable[..., None], config: Config) -> None:
    """Named jobs, run in a worker by ``enqueue("<plugin>.<name>", {...})``.

    When: at start, third of the ``register_*`` hooks.
    ``job(name, fn, *, queue="background", timeout=300, retries=16)``: ``fn(**arguments)`` gets the JSON
    arguments of ``enqueue``. ``timeout`` in seconds. Two jobs of one name fail the plugin.
    """


@hookspec
def register_schedules(schedule: Callable[..., None], config: Config) -> None:
    """Jobs by the clock.

    When: at start, fourth of the ``register_*`` hooks.
    ``schedule(name, job="<plugin>.<job>", cron="0 * * * *", tz="UTC", policy="skip", args={})``:
    ``policy`` says what becomes of firings that were missed: ``skip``, ``once`` or ``all``.
    A schedule that is no longer named is removed. A bad cron line or time zone fails the plugin.
    """


@hookspec
def register_commands(config: Config) -> list[click.Command]:  # type: ignore[empty-body]
    """Commands of ``jobstead``.

    When: at start, last of the ``register_*`` hooks.
    Result: click commands or groups. A name that core or another plugin has fails the plugin.
    They run inside an app context and open a unit of work themselves.
    """


# --- While it runs -------------------------------------------------------------------------------


@hookspec(firstresult=True)
def authenticate(request: Request, config: Config) -> Principal | None:
    """May say who is asking, by a credential that core does not know.

    When: before the view of each request that brings neither a token of this instance nor its cookie;
    no unit of work is open, and no organisation is acted for. Asked of every plugin of the instance in
    loading order until one answers. Core's own credentials never come here, whether they hold or not.
    ``request``: the headers tell; a credential belongs into one that browsers do not add by themselves.
    Result: a ``Principal`` with ``user_id``, or ``None`` for a credential that is not the plugin's.
    Core looks the user up, within five seconds of every change: whoever is gone or suspended is refused,
    roles are those of the user, and ``limited_to`` narrows what they may. With ``kind`` ``user`` and no
    more they are that person, so somebody of whom a ``login_guard`` asks a second step is refused.
    A raise refuses the request, except where the route is public: a ``Problem`` as it is, anything else
    with 503 ``authentication_unavailable``.
    """


@hookspec
def login_guard(user_id: UUID, amr: Sequence[str], config: Config) -> list[str] | None:
    """May ask for a second step before somebody gets in.

    When: each time somebody has shown who they are, by a password or through a plugin, inside the unit
    of work of that request. Asked of every plugin of the instance, whichever organisation is acted for.
    ``amr``: the methods they used (RFC 8176), ``("pwd",)`` for a password.
    Result: names of the methods by which the second step can be taken (``totp``, ``recovery_code``);
    ``None`` or an empty list: no objection. Where several plugins object, one step satisfies them all.
    With an objection the log-in answers a ticket in place of tokens: judge what comes with it by
    ``ticket_holder`` and ``finish_sign_in``, and call ``require_second_step`` for those you guard, so that
    they are refused rather than let in while your plugin fails.
    A raise refuses the log-in: a ``Problem`` as it is, anything else with 503 ``second_step_unavailable``.
    So does an answer that is no list. A guard that keeps raising is asked again each time.
    """


@hookspec
def health(config: Config) -> dict[str, Any]:  # type: ignore[empty-body]
    """How the plugin and what it depends on are.

    When: somebody entitled asks ``GET /api/v1/plugins``, a plugin's page there, or ``/health/detailed``.
    Result: ``{"status": "ok" | "degraded" | "down", ...}`` plus anything JSON can carry and that is no
    secret. To be answered within a second, from what is known rather than by calling a vendor.
    A raise counts as ``down`` with the exception's name; it never fails the request.
    """

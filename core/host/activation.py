"""The last step of loading: what ``register_*`` hooks name is checked whole, then taken on whole."""

from __future__ import annotations

from typing import Any

import click
from flask import Flask
from flask_smorest import Blueprint

from core import engine
from core.access import Permissions, access_of
from core.engine import Event
from core.hooks import Hooks
from core.web.server import API, Server

from .record import Failure, Offer, Record
from .urls import owned

COMMANDS = "jobstead.commands"
"""Key of the app's extensions: the plugins' commands, ``{command name: (plugin, command)}``."""


def stage(app: Server, record: Record) -> Offer:
    """Ask the plugin for all it brings; nothing of it is taken on. Raises whatever its code raises."""
    offer = Offer()
    hooks: Hooks = app.extensions["jobstead.hooks"]

    def ask(hook: str, **more: object) -> list[Any]:
        return hooks.of(record.name, hook, config=record.config, **more)

    def listed(hook: str, kind: type, what: str, **more: object) -> list[Any]:
        found: list[Any] = []
        for result in ask(hook, **more):
            if not isinstance(result, list | tuple) or not all(isinstance(item, kind) for item in result):
                raise Failure(f"{hook} must return a list of {what}")
            found += result
        return found

    offer.events = listed("register_events", type, "Event classes")
    if not all(issubclass(event, Event) for event in offer.events):
        raise Failure("register_events must return a list of Event classes")
    ask("register_handlers", on=lambda types, fn, **how: offer.handlers.append((types, fn, how)))
    ask("register_jobs", job=lambda name, fn, **how: offer.jobs.append((name, fn, how)))
    ask("register_schedules", schedule=lambda name, **how: offer.schedules.append((name, how)))
    offer.blueprints = listed("register_blueprints", Blueprint, "Blueprints", app=app)
    offer.commands = listed("register_commands", click.Command, "click commands")
    return offer


def check(app: Server, record: Record, offer: Offer) -> None:
    """Refuse what collides or is not declared. Raises ``Failure``."""
    _check_routes(app, record, offer)
    taken: dict[str, tuple[str, click.Command]] = app.extensions[COMMANDS]
    names: set[str] = set()
    for command in offer.commands:
        if command.name is None or command.name in names or command.name in taken:
            raise Failure(f"the command {command.name} is taken")
        names.add(command.name)


def _check_routes(app: Server, record: Record, offer: Offer) -> None:
    """Mount the blueprints on a scratch app, and look at what came of it."""
    urls = record.sound.urls
    scratch = Flask(record.name)
    scratch.url_map.converters.update(app.url_map.converters)
    for blueprint in offer.blueprints:
        if blueprint.name in app.blueprints:
            raise Failure(f"the blueprint name {blueprint.name} is taken")
        scratch.register_blueprint(blueprint, url_prefix=f"{API}{blueprint.url_prefix or ''}")
    taken = {(rule.rule, method) for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    declared: Permissions = app.extensions["jobstead.permissions"]
    for rule in scratch.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        path = rule.rule.removeprefix(f"{API}/")
        if path == rule.rule or not owned(path, urls):
            raise Failure(f"the route {rule.rule} lies outside its urls ({', '.join(urls) or 'none'})")
        if any((rule.rule, method) in taken for method in rule.methods or ()):
            raise Failure(f"the route {rule.rule} is taken")
        access = access_of(scratch.view_functions[rule.endpoint])
        if access is None:
            raise Failure(f"the route {rule.rule} ({rule.endpoint}) says neither @require nor @public")
        if access.permission is not None and access.permission not in declared:
            raise Failure(f"the route {rule.rule} requires {access.permission}, which nobody declares")


def commit(app: Server, record: Record, offer: Offer) -> None:
    """Take it on. A raise leaves parts behind; the caller withdraws them."""
    name = record.name
    for event in offer.events:
        engine.register_event(app, name, event)
    for types, fn, how in offer.handlers:
        engine.register_handler(app, name, types, fn, **how)
    for job, fn, how in offer.jobs:
        engine.register_job(app, name, job, fn, **how)
    for schedule, how in offer.schedules:
        engine.register_schedule(app, name, schedule, **how)
    for blueprint in offer.blueprints:
        app.mount(blueprint, plugin=name)
    app.extensions[COMMANDS].update({command.name: (name, command) for command in offer.commands})
    record.offer = offer


def withdraw(app: Server, record: Record) -> None:
    """Take back what ``commit`` may have given to others; routes are the snapshot's."""
    engine.withdraw(app, record.name)
    commands = app.extensions.get(COMMANDS, {})
    for name in [name for name, (plugin, _) in commands.items() if plugin == record.name]:
        del commands[name]
    record.offer = Offer()

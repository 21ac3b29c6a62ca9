"""Notes: a plugin that uses every hook, and offers one of its own."""

from __future__ import annotations

from core.api import Schema, Secret, SecretField, fields, hookimpl, validate


class ConfigSchema(Schema):
    greeting = fields.String(load_default="hello", metadata={"description": "What a note begins with."})
    longest = fields.Integer(load_default=200, validate=validate.Range(min=1))
    token = SecretField(load_default=Secret("none"))


@hookimpl
def register_blueprints(app, config):
    from .routes import blp

    return [blp]


@hookimpl
def register_events():
    from .events import NoteWritten

    return [NoteWritten]


@hookimpl
def register_handlers(on, config):
    from .work import count_note

    on("sample.note_written", count_note)


@hookimpl
def register_jobs(job, config):
    from .work import tidy

    job("tidy", tidy)


@hookimpl
def register_schedules(schedule, config):
    schedule("nightly", job="sample.tidy", cron="0 3 * * *")


@hookimpl
def register_commands(config):
    from .commands import greet

    return [greet]


@hookimpl
def authenticate(request):
    return None


@hookimpl
def login_guard(user_id):
    return None


@hookimpl
def health(config):
    return {"status": "ok", "greeting": config["greeting"]}

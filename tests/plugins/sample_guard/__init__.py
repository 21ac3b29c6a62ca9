"""A second step: whoever is called Guarded knocks three times. Other names make the guard misbehave."""

from __future__ import annotations

from core.api import Forbidden, Schema, fields, find_user, hookimpl


class ConfigSchema(Schema):
    method = fields.String(load_default="knock")


@hookimpl
def register_blueprints():
    from .routes import blp

    return [blp]


@hookimpl
def login_guard(user_id, amr, config):
    name = find_user(user_id).name
    if name == "Broken":
        raise SystemExit(3)
    if name == "Vetoed":
        raise Forbidden("Not today.", code="not_today")
    return {"Guarded": [config["method"]], "Odd": "knock", "Somebody": []}.get(name)

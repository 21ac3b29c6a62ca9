"""Flask has no way to take a route back: remember how the app was, and put it back."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.routing import Map

_LISTS = (
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "url_default_functions",
    "url_value_preprocessors",
    "template_context_processors",
)


class Snapshot:
    """Routes, blueprints and request callbacks of ``app`` as they are now."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._rules = list(app.url_map.iter_rules())
        self._views = dict(app.view_functions)
        self._blueprints = dict(app.blueprints)
        self._callbacks = {name: _copy(getattr(app, name)) for name in _LISTS}
        self._errors = {
            scope: {code: dict(handlers) for code, handlers in by_code.items()}
            for scope, by_code in app.error_handler_spec.items()
        }
        self._at_end = list(app.teardown_appcontext_funcs)

    def restore(self) -> None:
        """Undo everything since."""
        app = self._app
        if len(self._rules) != sum(1 for _ in app.url_map.iter_rules()):
            app.url_map = _rebuilt(app.url_map, self._rules)
        _put(app.view_functions, self._views)
        _put(app.blueprints, self._blueprints)
        for name, callbacks in self._callbacks.items():
            _put(getattr(app, name), callbacks)
        app.error_handler_spec.clear()
        for scope, by_code in self._errors.items():
            for code, handlers in by_code.items():
                app.error_handler_spec[scope][code].update(handlers)
        app.teardown_appcontext_funcs[:] = self._at_end


def _copy(callbacks: dict[Any, list[Any]]) -> dict[Any, list[Any]]:
    return {scope: list(functions) for scope, functions in callbacks.items()}


def _put(there: dict[Any, Any], then: dict[Any, Any]) -> None:
    there.clear()
    there.update(then)


def _rebuilt(now: Map, rules: list[Any]) -> Map:
    fresh = Map(host_matching=now.host_matching)
    fresh.converters = now.converters
    for rule in rules:
        fresh.add(rule.empty())
    return fresh

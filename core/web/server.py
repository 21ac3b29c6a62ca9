"""The Flask application: each request in a context of its own, each view in one unit of work."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from contextvars import Context
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask, g, request
from flask.sessions import NullSession, SessionInterface, SessionMixin
from uuid_utils.compat import uuid7

from core import context
from core.access import Access, access_of
from core.db import begin
from core.log import get_logger

from . import access_log
from .addresses import written
from .headers import complete
from .json_provider import OrjsonProvider
from .limits import policies_of
from .request import FORM_MEMORY, FORM_PARTS, JSON_LIMIT, Request, limit_of
from .state import COSTLY, SAFE, ViewInfo, web

if TYPE_CHECKING:
    from .blueprint import Blueprint

log = get_logger(__name__)

API = "/api/v1"
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_UNDECLARED = Access("core.undeclared")  # a permission that nobody declares, so nobody holds it

T = TypeVar("T")


class _NoSessions(SessionInterface):
    """Cookies of Flask's sessions are not used: who is asking is told by ``auth``."""

    def open_session(self, app: Flask, request: Any) -> SessionMixin:
        return _NOTHING

    def is_null_session(self, obj: object) -> bool:
        return True


_NOTHING = NullSession()


class Server(Flask):
    """Flask with a unit of work around each view: it returns, and its writes are durable; it raises, and
    none of them happened."""

    json_provider_class = OrjsonProvider
    request_class = Request
    session_interface = _NoSessions()

    def __init__(self, import_name: str) -> None:
        super().__init__(import_name, static_folder=None, template_folder=None)
        self.config.update(
            MAX_FORM_PARTS=FORM_PARTS,
            MAX_FORM_MEMORY_SIZE=FORM_MEMORY,
            PROPAGATE_EXCEPTIONS=False,  # a fault is answered and logged, in tests as in production
        )
        self.url_map.merge_slashes = False  # a redirect would repeat whatever Host the caller named

    def mount(self, blueprint: Blueprint, *, plugin: str = "core", prefix: str = API) -> None:
        """Serve ``blueprint`` for ``plugin`` below ``prefix``."""
        blueprint.plugin = plugin
        self.register_blueprint(blueprint, url_prefix=f"{prefix}{blueprint.url_prefix or ''}" or None)

    def view_info(self, endpoint: str) -> ViewInfo:
        """What the gates need to know about the view of ``endpoint``."""
        known = web(self).views
        info = known.get(endpoint)
        if info is None:
            view = self.view_functions[endpoint]
            blueprint = self.blueprints.get(endpoint.rpartition(".")[0])
            info = known[endpoint] = ViewInfo(
                endpoint=endpoint,
                plugin=getattr(blueprint, "plugin", "core"),
                access=access_of(view) or _UNDECLARED,
                body_limit=limit_of(view),
                limits=policies_of(view),
                costly=getattr(view, COSTLY, False),
            )
        return info

    def wsgi_app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # A new, empty context: whatever this thread answered before has left nothing behind.
        return Context().run(self._answer, environ, start_response)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["jobstead.started"] = time.perf_counter()
        given = environ.get("HTTP_X_REQUEST_ID", "")

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            complete(headers)
            access_log.write(environ, status, headers)
            return start_response(status, headers, exc_info)

        identifier = given if _REQUEST_ID.fullmatch(given) else uuid7().hex
        with context.request(identifier, address=written(environ.get("REMOTE_ADDR"))):
            return super().wsgi_app(environ, start)

    def ensure_sync(self, func: Any) -> Any:
        return func  # views are plain functions; asking each time costs as much as routing

    def preprocess_request(self) -> Any:
        rule = request.url_rule
        if rule is not None and request.routing_exception is None:
            view = self.view_info(rule.endpoint)
            _limit_body(view, self.config["MAX_CONTENT_LENGTH"])
            if not (request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False)):
                for gate in web(self).gates:
                    gate(view)
        return super().preprocess_request()

    def dispatch_request(self) -> Any:
        with begin(write=request.method not in SAFE):
            try:
                return super().dispatch_request()
            except SystemExit as fault:
                raise RuntimeError(f"a view called sys.exit({fault.code!r})") from fault

    def log_exception(self, exc_info: Any) -> None:
        log.error("request failed", method=request.method, path=request.path, exc_info=exc_info)


def _limit_body(view: ViewInfo, otherwise: int | None) -> None:
    if view.body_limit is not None:
        request.max_content_length = view.body_limit
    elif request.is_json:
        request.max_content_length = min(otherwise or JSON_LIMIT, JSON_LIMIT)


def hold(manager: AbstractContextManager[T]) -> T:
    """Enter ``manager`` now and leave it when the request ends: for gates, which cannot use ``with``."""
    stack: ExitStack | None = g.get("held")
    if stack is None:
        stack = g.held = ExitStack()
    return stack.enter_context(manager)


def release(_error: BaseException | None = None) -> None:
    """Leave what was held, in reverse order."""
    stack: ExitStack | None = g.pop("held", None)
    if stack is not None:
        stack.close()


def refuse_undeclared(app: Flask) -> None:
    """Raise ``RuntimeError`` naming each route whose view carries neither ``@require`` nor ``@public``."""
    undeclared = sorted(
        f"{rule.rule} ({rule.endpoint})"
        for rule in app.url_map.iter_rules()
        if access_of(app.view_functions[rule.endpoint]) is None
    )
    if undeclared:
        raise RuntimeError("these routes do not say who may call them: " + ", ".join(undeclared))

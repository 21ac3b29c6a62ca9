"""What every HTTP API needs and Flask leaves out.

Errors as problems, paging, body limits, headers, OpenAPI, health, the pages, the outgoing client.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from . import errors, headers, health, meta, openapi, pages
from .blueprint import Blueprint
from .client import OutgoingClient, http_client
from .errors import invalid, problem_response
from .filters import FilterSchema
from .headers import page_nonce
from .health import add_check, add_probe, drain
from .meta import add_fact
from .outgoing import OutgoingError
from .request import body_limit
from .results import objections
from .retry_after import retry_after
from .schema import Schema, camel
from .server import API, SAFE, Server, hold, refuse_undeclared, release
from .state import Gate, ViewInfo, Web, web

if TYPE_CHECKING:
    from core.config import Config

__all__ = [
    "API",
    "SAFE",
    "Blueprint",
    "FilterSchema",
    "Gate",
    "OutgoingClient",
    "OutgoingError",
    "Schema",
    "Server",
    "ViewInfo",
    "Web",
    "add_check",
    "add_fact",
    "add_probe",
    "body_limit",
    "camel",
    "drain",
    "hold",
    "http_client",
    "init_app",
    "invalid",
    "objections",
    "page_nonce",
    "problem_response",
    "refuse_undeclared",
    "retry_after",
    "web",
]


def init_app(app: Server, config: Config, gates: Sequence[Gate] = ()) -> None:
    """Furnish ``app``: ``gates`` look at each request in order before its view runs."""
    app.extensions["jobstead.web"] = Web(config, tuple(gates))
    app.config["MAX_CONTENT_LENGTH"] = config.server.body_limit
    app.teardown_request(release)
    errors.init_app(app)
    headers.init_app(app, config.server.public_url)
    health.init_app(app)
    for blueprint in (openapi.blp, health.blp):
        app.mount(blueprint, prefix="")
    app.mount(meta.blp)
    app.register_blueprint(pages.pages)
    proxies = config.server.trusted_proxies
    if proxies:  # else what X-Forwarded-* headers say is anybody's claim
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies, x_prefix=proxies
        )

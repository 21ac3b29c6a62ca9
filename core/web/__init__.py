"""What every HTTP API needs and Flask leaves out.

Errors as problems, paging, body limits, headers, OpenAPI, health, the pages, the outgoing client.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from . import errors, headers, health, limits, meta, openapi, pages
from .addresses import network_of
from .blueprint import Blueprint
from .client import OutgoingClient, http_client
from .errors import invalid, problem_response
from .filters import FilterSchema
from .headers import page_nonce
from .health import add_check, add_probe, drain
from .limits import rate_limit, too_many
from .meta import add_fact
from .outgoing import OutgoingError
from .request import body_limit
from .results import objections
from .retry_after import retry_after
from .room import costly, room_of, take_place
from .schema import OneOf, Schema, camel
from .server import API, Server, hold, refuse_undeclared, release
from .state import SAFE, Credential, Gate, ViewInfo, Web, web
from .windows import Windows

if TYPE_CHECKING:
    from core.config import Config

__all__ = [
    "API",
    "SAFE",
    "Blueprint",
    "Credential",
    "FilterSchema",
    "Gate",
    "OneOf",
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
    "costly",
    "drain",
    "hold",
    "http_client",
    "init_app",
    "invalid",
    "limits",
    "network_of",
    "objections",
    "page_nonce",
    "problem_response",
    "rate_limit",
    "refuse_undeclared",
    "retry_after",
    "take_place",
    "too_many",
    "web",
]


def init_app(app: Server, config: Config, gates: Sequence[Gate] = ()) -> None:
    """Furnish ``app``: ``gates`` look at each request in order before its view runs."""
    windows, places = Windows(app.extensions["jobstead.redis"]), room_of(config.server.threads)
    app.extensions["jobstead.web"] = Web(config, windows, places, tuple(gates))
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

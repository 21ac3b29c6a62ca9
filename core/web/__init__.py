"""What every HTTP API needs and Flask leaves out.

Errors as problems, paging, body limits, headers, OpenAPI, health, the pages, the outgoing client.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import errors, headers
from .blueprint import Blueprint
from .client import OutgoingClient, http_client
from .errors import invalid, problem_response
from .filters import FilterSchema
from .headers import page_nonce
from .outgoing import OutgoingError
from .request import body_limit
from .results import objections
from .schema import Schema, camel
from .server import API, Server, hold, refuse_undeclared, release
from .state import Gate, ViewInfo, Web, web

if TYPE_CHECKING:
    from core.config import Config

__all__ = [
    "API",
    "Blueprint",
    "FilterSchema",
    "Gate",
    "OutgoingClient",
    "OutgoingError",
    "Schema",
    "Server",
    "ViewInfo",
    "Web",
    "body_limit",
    "camel",
    "hold",
    "http_client",
    "init_app",
    "invalid",
    "objections",
    "page_nonce",
    "problem_response",
    "refuse_undeclared",
    "web",
]


def init_app(app: Server, config: Config, gates: Sequence[Gate] = ()) -> None:
    """Furnish ``app``: ``gates`` look at each request in order before its view runs."""
    app.extensions["jobstead.web"] = Web(config, tuple(gates))
    app.config["MAX_CONTENT_LENGTH"] = config.server.body_limit
    app.teardown_request(release)
    errors.init_app(app)
    headers.init_app(app, config.server.public_url)

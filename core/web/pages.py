"""The pages for people: what runs here at ``/``, and the API at ``/docs``. All of it from our own files."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import flask
from flask import Response, render_template, send_from_directory

from core import __version__
from core.access import public
from core.db import database
from core.errors import NotFound

from .headers import page_nonce
from .meta import serving
from .redis_health import redis_probe
from .state import web

pages = flask.Blueprint("pages", __name__, template_folder="templates")

_OWN = Path(__file__).parent / "static"
_SWAGGER = frozenset({"swagger-ui.css", "swagger-ui-bundle.js"})
_FRESH_FOR = 3600  # seconds a browser may keep a script or style


@pages.get("/")
@public
def index() -> str:
    """What runs here and where to go."""
    config = web().config
    queue = "direct mode, without Redis" if redis_probe()["mode"] == "direct" else "Redis"
    page_nonce()
    return render_template(
        "index.html",
        version=__version__,
        plugins=serving(),
        database={"sqlite": "SQLite", "postgresql": "PostgreSQL"}[database().dialect],
        queue=queue,
        env=config.env,
        safe_mode=config.safe_mode,
    )


@pages.get("/docs")
@public
def docs() -> str:
    """The API, to read and to try."""
    page_nonce()
    return render_template("docs.html", here=_swagger() is not None)


@pages.get("/static/<path:name>")
@public
def static_file(name: str) -> Response:
    """Our own scripts and styles, and Swagger UI's two files."""
    folder = _swagger() if name in _SWAGGER else _OWN
    if folder is None:
        raise NotFound
    return send_from_directory(folder, name, max_age=_FRESH_FOR)


@cache
def _swagger() -> Path | None:
    """The folder of Swagger UI's files, where its package is installed."""
    spec = find_spec("flask_swagger_ui")
    places = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(places))) / "dist" if places else None

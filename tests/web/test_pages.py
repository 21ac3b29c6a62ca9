"""The pages for people, from our own files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from core.db import Database
from core.web import pages
from tests.web.conftest import Shelf, make_app


def test_the_first_page_says_what_runs_here(shelf_app: Shelf) -> None:
    page = shelf_app.client(None, None).get("/")
    assert page.content_type == "text/html; charset=utf-8"
    assert "0.1.0" in page.text
    assert "webtest" in page.text
    assert {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[shelf_app.world.database.dialect] in page.text
    client = shelf_app.client(None, None)
    for link in re.findall(r'href="(/[^"]*)"', page.text):
        with client.get(link) as answer:
            assert answer.status_code == 200, link


def test_an_organisation_is_shown_its_own_plugins(shelf_app: Shelf) -> None:
    shelf_app.overrides[shelf_app.world.there] = {"webtest": False}
    assert "<strong>webtest</strong>" in shelf_app.client("here").get("/").text
    assert "<strong>webtest</strong>" not in shelf_app.client("there").get("/").text


def test_safe_mode_is_said(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    app = make_app(database, tmp_path, JOBSTEAD_SAFE_MODE="true")
    assert "Safe mode" in app.test_client().get("/").text
    database.dispose()


def test_pages_load_from_here_alone_and_run_nothing_inline(here: FlaskClient) -> None:
    for path in ("/", "/docs"):
        page = here.get(path)
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]*\bsrc=)", page.text)
        assert "http://" not in page.text
        assert "https://" not in page.text
        assert "style=" not in page.text
    nonces = {
        re.findall("'nonce-([^']+)'", here.get("/").headers["Content-Security-Policy"])[0] for _ in range(2)
    }
    assert len(nonces) == 2


def test_only_the_two_folders_are_served(here: FlaskClient) -> None:
    for name in ("docs.js", "page.css", "swagger-ui.css", "swagger-ui-bundle.js"):
        with here.get(f"/static/{name}") as answer:
            assert answer.status_code == 200
            assert "max-age=3600" in answer.headers["Cache-Control"]
    for name in (
        "../pages.py",
        "..%2fpages.py",
        "swagger-ui.js",
        "etc/passwd",
        "%00",
        "x/../../server.py",
        ".",
    ):
        assert here.get(f"/static/{name}").status_code == 404, name


def test_without_swagger_ui_the_page_says_so(here: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_swagger", lambda: None)
    assert "flask-swagger-ui" in here.get("/docs").text
    assert here.get("/static/swagger-ui.css").status_code == 404

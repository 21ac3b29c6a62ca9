"""``/api/v1/plugins``: who may look, who may switch, and how processes hear of it."""

from __future__ import annotations

import json
import threading
import time

import pytest

from core.db import Database
from core.host import state

from .conftest import Instance, client

PLUGINS = "/api/v1/plugins"


@pytest.fixture
def shelf(instance: Instance) -> Instance:
    """Two bundled plugins, one requiring the other, neither enabled."""
    instance.write("bottom", bundled=True)
    instance.write("top", 'requires = ["bottom"]', bundled=True)
    instance.upgrade()
    return instance


def announced(instance: Instance) -> int | None:
    file = state.reload_file(instance.config)
    return json.loads(file.read_text())["generation"] if file.exists() else None


@pytest.mark.parametrize(
    ("roles", "read", "switch"),
    [("", 401, 401), ("user", 403, 403), ("admin", 200, 403), ("superadmin", 200, 202)],
)
def test_admins_see_and_superadmins_switch(shelf: Instance, roles: str, read: int, switch: int) -> None:
    browser = client(shelf.boot(), roles)
    assert browser.get(PLUGINS).status_code == read
    assert browser.get(f"{PLUGINS}/bottom").status_code == read
    assert browser.post(f"{PLUGINS}/bottom/enable").status_code == switch


def test_a_bundled_plugin_waits_to_be_enabled(shelf: Instance) -> None:
    found = client(shelf.boot()).get(PLUGINS).json
    assert found["nextCursor"] is None
    assert [(p["id"], p["state"], p["enabled"]) for p in found["items"]] == [
        ("bottom", "disabled", False),
        ("top", "disabled", False),
    ]


def test_enabling_is_announced_after_commit_and_true_after_a_reload(shelf: Instance) -> None:
    answer = client(shelf.boot()).post(f"{PLUGINS}/bottom/enable")
    assert (answer.status_code, answer.json["state"], answer.json["decidedBy"]) == (202, "enabling", "admin")
    assert announced(shelf) == 1
    reloaded = client(shelf.boot())
    assert reloaded.get(f"{PLUGINS}/bottom").json["state"] == "active"
    assert reloaded.post(f"{PLUGINS}/bottom/disable").json["state"] == "disabling"
    assert announced(shelf) == 2
    assert client(shelf.boot()).get(f"{PLUGINS}/bottom").json["state"] == "disabled"


def test_what_is_so_already_changes_nothing(shelf: Instance) -> None:
    browser = client(shelf.boot())
    assert browser.post(f"{PLUGINS}/bottom/disable").status_code == 202
    assert announced(shelf) is None


def test_a_failed_plugin_is_tried_again_when_enabled_again(shelf: Instance) -> None:
    folder = shelf.write("shaky", init="raise ValueError('not yet')", bundled=True)
    client(shelf.boot()).post(f"{PLUGINS}/shaky/enable")
    browser = client(shelf.boot())
    assert browser.get(f"{PLUGINS}/shaky").json["reason"] == "ValueError: not yet (__init__.py:1)"
    (folder / "__init__.py").write_text("")
    assert browser.post(f"{PLUGINS}/shaky/enable").json["state"] == "enabling"
    assert announced(shelf) == 2
    assert client(shelf.boot()).get(f"{PLUGINS}/shaky").json["state"] == "active"


def test_requirements_are_named_or_enabled_along(shelf: Instance) -> None:
    browser = client(shelf.boot())
    refused = browser.post(f"{PLUGINS}/top/enable")
    assert (refused.status_code, refused.json["code"]) == (409, "needs_plugins")
    assert refused.json["errors"] == {"requires": ["bottom"]}
    assert announced(shelf) is None
    assert browser.post(f"{PLUGINS}/top/enable?cascade=true").status_code == 202
    assert {p["state"] for p in client(shelf.boot()).get(PLUGINS).json["items"]} == {"active"}


def test_dependants_are_named_or_disabled_along(shelf: Instance) -> None:
    client(shelf.boot()).post(f"{PLUGINS}/top/enable?cascade=true")
    browser = client(shelf.boot())
    refused = browser.post(f"{PLUGINS}/bottom/disable")
    assert (refused.status_code, refused.json["code"]) == (409, "has_dependants")
    assert refused.json["errors"] == {"dependants": ["top"]}
    assert browser.post(f"{PLUGINS}/bottom/disable?cascade=true").status_code == 202
    assert {p["state"] for p in client(shelf.boot()).get(PLUGINS).json["items"]} == {"disabled"}


@pytest.mark.parametrize("enabled", ["true", "false"])
def test_what_the_file_says_is_locked(shelf: Instance, enabled: str) -> None:
    shelf.toml = f"[plugins.bottom]\nenabled = {enabled}\n"
    browser = client(shelf.boot())
    shown = browser.get(f"{PLUGINS}/bottom").json
    assert (shown["locked"], shown["decidedBy"]) == (True, "file")
    for verb in ("enable", "disable"):
        refused = browser.post(f"{PLUGINS}/bottom/{verb}")
        assert (refused.status_code, refused.json["code"]) == (409, "managed_by_file")
    assert announced(shelf) is None


def test_false_in_the_file_wins_over_the_environment(shelf: Instance) -> None:
    shelf.environ["JOBSTEAD_PLUGINS__BOTTOM__ENABLED"] = "true"
    assert client(shelf.boot()).get(f"{PLUGINS}/bottom").json["decidedBy"] == "environment"
    shelf.toml = "[plugins.bottom]\nenabled = false\n"
    assert client(shelf.boot()).get(f"{PLUGINS}/bottom").json["state"] == "disabled"


def test_a_cascade_stops_at_what_the_file_locks(shelf: Instance) -> None:
    shelf.toml = "[plugins.top]\nenabled = true\n"
    client(shelf.boot()).post(f"{PLUGINS}/bottom/enable")
    browser = client(shelf.boot())
    refused = browser.post(f"{PLUGINS}/bottom/disable?cascade=true")
    assert refused.json["code"] == "managed_by_file"
    assert browser.get(f"{PLUGINS}/bottom").json["state"] == "active"


def test_unknown_plugins_and_unknown_words_are_refused(shelf: Instance) -> None:
    browser = client(shelf.boot())
    assert browser.get(f"{PLUGINS}/nowhere").status_code == 404
    assert browser.post(f"{PLUGINS}/nowhere/enable").status_code == 404
    assert browser.post(f"{PLUGINS}/top/enable?cascade=perhaps").status_code == 422
    assert browser.post(f"{PLUGINS}/top/enable?force=true").status_code == 422


def test_a_broken_manifest_cannot_be_enabled(shelf: Instance) -> None:
    shelf.write("torn", "colour = 3", bundled=True)
    browser = client(shelf.boot())
    assert "unknown key 'colour'" in browser.get(f"{PLUGINS}/torn").json["reason"]
    assert browser.post(f"{PLUGINS}/torn/enable").json["code"] == "broken"


def test_one_plugin_is_shown_with_all_it_brings(instance: Instance) -> None:
    instance.samples("sample", "sample_colours")
    instance.upgrade()
    shown = client(instance.boot(), "admin").get(f"{PLUGINS}/sample").json
    assert shown["version"] == "1.2.0"
    assert shown["health"] == {"status": "ok", "greeting": "hello"}
    assert shown["dependants"] == ["sample_colours"]
    assert shown["capabilities"] == {"hosts": ["notes.example.com"], "secrets": ["token"]}
    assert "register_blueprints" in shown["hooks"]
    assert shown["routes"] == [
        {"method": "POST", "path": "/api/v1/sample-notes", "permission": "sample.note.write"},
        {"method": "GET", "path": "/api/v1/sample-notes/colours", "permission": None},
    ]
    assert [p["name"] for p in shown["permissions"]] == ["sample.note.read", "sample.note.write"]
    assert shown["tables"] == ["sample_note"]
    assert shown["events"] == ["sample.note_written"]
    assert shown["handlers"] == [{"name": "count_note", "events": ["sample.note_written"]}]
    assert shown["jobs"] == ["sample.tidy"]
    assert shown["schedules"] == [{"name": "nightly", "job": "sample.tidy", "cron": "0 3 * * *"}]
    assert shown["commands"] == ["sample-greet"]
    assert shown["pendingMigrations"] == []


def test_the_sample_uses_every_hook_there_is(instance: Instance) -> None:
    from core import hookspecs

    instance.samples("sample")
    instance.upgrade()
    used = client(instance.boot()).get(f"{PLUGINS}/sample").json["hooks"]
    assert used == sorted(n for n, f in vars(hookspecs).items() if hasattr(f, "jobstead_spec"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ConnectionError('password=hunter2')", "ConnectionError"),
        ("return {'status': 'fine'}", "the health hook must return a status: ok, degraded or down"),
        ("exit(2)", "SystemExit"),
    ],
)
def test_a_sick_health_hook_is_down_and_tells_no_more(instance: Instance, body: str, reason: str) -> None:
    instance.write("ill", init=f"from core.api import hookimpl\n@hookimpl\ndef health():\n    {body}\n")
    shown = client(instance.boot()).get(f"{PLUGINS}/ill").json
    assert shown["health"] == {"status": "down", "reason": reason}


def test_other_processes_follow_a_change_they_did_not_make(shelf: Instance) -> None:
    here, there = shelf.boot(), shelf.boot()
    assert not state.follow(there)
    client(here).post(f"{PLUGINS}/bottom/enable")
    state.reload_file(shelf.config).unlink()  # as on another machine, which has a file of its own
    assert state.follow(there)
    assert announced(shelf) == 1
    assert not state.follow(shelf.boot())


def test_a_worker_follows_by_itself_until_it_stops(shelf: Instance) -> None:
    here, there = shelf.boot(), shelf.boot()
    client(here).post(f"{PLUGINS}/bottom/enable")
    state.reload_file(shelf.config).unlink()
    stop = threading.Event()
    thread = state.keep_following(there, stop, every=0.01)
    until = time.monotonic() + 30
    while announced(shelf) is None and time.monotonic() < until:
        stop.wait(0.01)
    assert announced(shelf) == 1
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


def test_who_started_without_the_database_asks_to_be_reloaded(shelf: Instance) -> None:
    client(shelf.boot()).post(f"{PLUGINS}/bottom/enable")
    url = shelf.environ["DATABASE_URL"]
    shelf.environ["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/nothing"
    app = shelf.boot()
    assert client(app).get("/health").status_code == 200
    failing = client(app, "").get("/readyz").json["failing"]
    assert failing == ["database", "migrations", "plugins", "row_security"]
    assert not state.follow(app)
    app.extensions["jobstead.db"].dispose()
    app.extensions["jobstead.db"] = Database(url)
    before = state.reload_file(shelf.config).stat().st_ino
    assert state.follow(app)
    assert state.reload_file(shelf.config).stat().st_ino != before
    assert not state.follow(app)


def test_a_refused_request_changes_nothing(shelf: Instance) -> None:
    shelf.toml = "[plugins.bottom]\nenabled = false\n"
    browser = client(shelf.boot())
    assert browser.post(f"{PLUGINS}/top/enable?cascade=true").json["code"] == "managed_by_file"
    shelf.toml = ""
    assert not any(p["enabled"] for p in client(shelf.boot()).get(PLUGINS).json["items"])

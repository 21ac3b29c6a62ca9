"""Where plugins are found: bundled, on PLUGIN_PATH, installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.host.registry import host

from .conftest import Instance, client


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place where distributions are installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def install(site: Path, name: str, value: str) -> Path:
    """A distribution with one entry point, as pip would leave it."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[jobstead.plugins]\n{name} = {value}\n")
    return site / value.replace(".", "/")


MANIFEST = 'name = "{}"\nversion = "1"\napi = ">=1,<2"\nsummary = "Installed."\n'


def test_an_installed_distribution_is_a_plugin(instance: Instance, site: Path) -> None:
    package = install(site, "tea", "tea_for_jobstead")
    package.mkdir()
    (package / "plugin.toml").write_text(MANIFEST.format("tea"))
    (package / "__init__.py").write_text("LEAVES = 3\n")
    assert client(instance.boot()).get("/api/v1/plugins/tea").json["state"] == "disabled"
    assert "tea_for_jobstead" not in sys.modules
    instance.toml = "[plugins.tea]\nenabled = true\n"
    record = host(instance.boot()).records["tea"]
    assert (record.state, record.found.origin, record.package.LEAVES) == ("active", "installed", 3)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("tea.plugin", "must name a top-level package"),
        ("tea_that_is_not", "there is no package tea_that_is_not"),
    ],
)
def test_an_entry_point_that_leads_nowhere(instance: Instance, site: Path, value: str, reason: str) -> None:
    install(site, "tea", value)
    instance.toml = "[plugins.tea]\nenabled = true\n"
    assert reason in (host(instance.boot()).records["tea"].reason or "")


def test_a_namesake_never_replaces_a_bundled_plugin(instance: Instance) -> None:
    instance.write("twin", init="HERE = 'bundled'", bundled=True)
    instance.write("twin", init="HERE = 'path'")
    instance.toml = "[plugins.twin]\nenabled = true\n"
    assert host(instance.boot()).records["twin"].found.origin == "bundled"


def test_a_path_entry_may_hold_several_plugins_or_nothing(instance: Instance, tmp_path: Path) -> None:
    instance.write("one")
    instance.write("two")
    instance.path = [tmp_path / "made", tmp_path / "nothing"]
    records = host(instance.boot()).records
    assert {name: record.state for name, record in records.items()} == {
        "one": "active",
        "two": "active",
        "nothing": "failed",
    }
    assert "no folder" in (records["nothing"].reason or "")


def test_the_folder_is_called_like_the_plugin(instance: Instance) -> None:
    folder = instance.write("one")
    (folder / "plugin.toml").write_text(MANIFEST.format("two"))
    assert host(instance.boot()).records["one"].reason == "name 'two' must be the folder's, 'one'"


def test_a_folder_without_code_is_named(instance: Instance) -> None:
    (instance.write("hollow") / "__init__.py").unlink()
    assert host(instance.boot()).records["hollow"].reason == "has no __init__.py"


def test_a_switch_that_is_none_is_named(instance: Instance) -> None:
    instance.write("one")
    instance.toml = '[plugins.one]\nenabled = "yes"\n'
    record = host(instance.boot()).records["one"]
    assert (record.step, record.reason) == (
        "enabled",
        "plugins.toml: [plugins.one] enabled must be true or false",
    )

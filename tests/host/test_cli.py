"""``jobstead plugins``, ``jobstead db`` and ``jobstead probe``, as an operator types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.cli import main
from core.host import state

from .conftest import Instance


class Shell:
    """Types commands in the environment of one instance."""

    def __init__(self, instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
        self.instance = instance
        self._monkeypatch = monkeypatch

    def __call__(self, *words: str, code: int = 0) -> Result:
        _ = self.instance.config  # writes plugins.toml
        for name, value in self.instance.environ.items():
            self._monkeypatch.setenv(name, value)
        result = CliRunner().invoke(main, words)
        assert result.exit_code == code, (result.output, result.exception)
        return result


@pytest.fixture
def shell(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")  # none of these commands needs one
    return Shell(instance, monkeypatch)


def test_an_operator_reads_plugin_step_and_reason(shell: Shell) -> None:
    shell.instance.samples("sample", "broken_import", "broken_exit", "broken_mapping", "broken_config")
    shell.instance.toml = '[plugins.broken_config]\ncolor = "red"\n'
    shell("db", "upgrade")
    text = shell("plugins").output
    assert "sample                   1.2.0      active     path" in text
    assert "    imported: ModuleNotFoundError: No module named 'nothing_of_that_name' (__init__.py:3)" in text
    assert "    imported: called sys.exit(3) (__init__.py:5)" in text
    assert "    mapped: " in text
    assert (
        '    configured: ConfigError: [plugins.broken_config] in plugins.toml has the unknown key "color"'
        in text
    )


def test_the_list_as_json_is_that_of_the_api(shell: Shell) -> None:
    shell.instance.samples("sample", "broken_import")
    shell("db", "upgrade")
    items = {p["id"]: p for p in json.loads(shell("plugins", "--json").stdout)["items"]}
    assert (items["sample"]["state"], items["sample"]["decidedBy"]) == ("active", "default")
    assert (items["broken_import"]["state"], items["broken_import"]["step"]) == ("failed", "imported")
    assert json.loads(shell("plugins", "show", "sample").stdout)["pendingMigrations"] == []


def test_strict_does_not_keep_the_list_from_an_operator(shell: Shell) -> None:
    shell.instance.samples("broken_import")
    shell.instance.toml = "strict = true\n"
    shell("db", "upgrade")
    assert "nothing_of_that_name" in shell("plugins").output
    assert "plugin broken_import failed at imported" in shell("probe", code=1).output


def states(shell: Shell) -> dict[str, str]:
    """The samples' states by name; what this repository bundles is not looked at."""
    items = json.loads(shell("plugins", "--json").stdout)["items"]
    return {plugin["id"]: plugin["state"] for plugin in items if plugin["origin"] == "path"}


def test_enable_and_disable(shell: Shell) -> None:
    shell.instance.samples("sample", "sample_colours")
    shell("db", "upgrade")
    assert "sample_colours would stop too" in shell("plugins", "disable", "sample", code=1).output
    assert "disabling" in shell("plugins", "disable", "sample", "--cascade").output
    assert json.loads(state.reload_file(shell.instance.config).read_text()) == {"generation": 2}
    assert states(shell) == {"sample": "disabled", "sample_colours": "disabled"}
    assert "requires sample" in shell("plugins", "enable", "sample_colours", code=1).output
    assert "enabling" in shell("plugins", "enable", "sample_colours", "--cascade").output
    assert states(shell) == {"sample": "active", "sample_colours": "active"}


def test_unknown_names_are_one_sentence(shell: Shell) -> None:
    shell("db", "upgrade")
    for words in (("plugins", "show", "nowhere"), ("db", "revision", "nowhere", "-m", "x")):
        assert shell(*words, code=1).output.strip() == "Error: There is no plugin nowhere."
    assert (
        shell("db", "revision", "nowhere", "-m", "x", code=1).output.strip()
        == "Error: There is no plugin nowhere."
    )


def test_probe_says_what_would_fail_and_that_the_server_would_serve(shell: Shell) -> None:
    shell.instance.samples("sample", "broken_exit")
    shell("db", "upgrade")
    result = shell("probe")
    assert "plugin broken_exit failed at imported: called sys.exit(3)" in result.output
    assert "plugins would run" in result.output


def test_upgrade_and_status(bare: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = Shell(bare, monkeypatch)
    shell.instance.samples("sample", "broken_migration")
    before = {row["plugin"]: row for row in json.loads(shell("db", "status", "--json").stdout)["items"]}
    assert before["core"]["pending"][0] == "0001"
    assert before["sample"]["pending"] == ["0001"]
    result = shell("db", "upgrade")
    assert "core: applied 0001" in result.output
    assert "broken_migration: failed, the plugin stays out: " in result.output
    after = shell("db", "status").output
    assert "sample                   at 0001         up to date" in after
    assert "broken_migration         at nothing      pending: 0001" in after
    shell.instance.toml = "strict = true\n"
    shell("db", "upgrade", code=1)


def test_a_revision_is_written_for_a_plugin(shell: Shell) -> None:
    models = (
        "from core.api import InstanceMixin, model_base\n"
        "class Row(InstanceMixin, model_base('drafts')):\n    __tablename__ = 'drafts_row'\n"
    )
    folder = shell.instance.write("drafts", models=models)
    shell("db", "upgrade")
    path = Path(shell("db", "revision", "drafts", "-m", "rows").output.strip())
    assert path == folder / "migrations" / "0001_rows.py"
    assert "drafts: applied 0001" in shell("db", "upgrade").output
    assert "nothing to write" in shell("db", "revision", "drafts", "-m", "again").output
    assert "nothing to write" in shell("db", "revision", "core", "-m", "again").output


def test_a_revision_of_a_broken_plugin_says_why_not(shell: Shell) -> None:
    shell.instance.samples("broken_import")
    shell("db", "upgrade")
    assert "cannot be imported" in shell("db", "revision", "broken_import", "-m", "x", code=1).output

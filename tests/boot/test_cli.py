"""The command line: quick to say what there is, one sentence when something is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.boot.conftest import ROOT


def jobstead(*arguments: str, data: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "JOBSTEAD_DATA": str(data), **environ}
    return subprocess.run(
        [sys.executable, "-m", "core.cli", *arguments],
        cwd=ROOT,
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_lists_commands_without_importing_rooms(tmp_path: Path) -> None:
    program = (
        "import sys; from click.testing import CliRunner; from core.cli import main;"
        "print(CliRunner().invoke(main, ['--help']).output);"
        "print('heavy', sorted({'flask', 'sqlalchemy', 'rq', 'marshmallow'} & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in ("commands", "db", "keys", "plugins", "probe", "setup-link", "up", "worker"):
        assert f"\n  {name} " in said
    assert "heavy []" in said


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"PORT": "http"}, "PORT"),
        ({"JOBSTEAD_SERVER__PROT": "1"}, "port"),
        ({"JOBSTEAD_CONFIG": "/nowhere/plugins.toml"}, "/nowhere/plugins.toml is not there"),
        ({"JOBSTEAD_SERVER__HOST": "0.0.0.0"}, "PUBLIC_URL"),
    ],
)
def test_a_configuration_that_cannot_be_is_one_sentence(
    tmp_path: Path, environ: dict[str, str], sentence: str
) -> None:
    done = jobstead("up", data=tmp_path, **environ)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_data_directory_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = jobstead("up", data=tmp_path / "file" / "data")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: the data directory")
    assert len(done.stderr.splitlines()) == 1


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    done = jobstead("db", "upgrade", data=tmp_path, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert done.returncode == 1
    assert "check DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_nobody_knows(tmp_path: Path) -> None:
    assert jobstead("db", "upgrade", data=tmp_path).returncode == 0
    done = jobstead("no-such-command", data=tmp_path)
    assert done.returncode == 2
    assert "No such command 'no-such-command'" in done.stderr


def test_commands_of_plugins_are_listed_as_data(tmp_path: Path) -> None:
    enabled = {"JOBSTEAD_PLUGINS__JOB_BOARDS__ENABLED": "true"}
    assert jobstead("db", "upgrade", data=tmp_path, **enabled).returncode == 0
    done = jobstead("commands", "--json", data=tmp_path, **enabled)
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row["plugin"] for row in json.loads(done.stdout)["items"]}
    assert rows["ingest"] == "job_boards"


def test_prepare_prints_what_the_supervisor_needs_alone(tmp_path: Path) -> None:
    first = jobstead("prepare", data=tmp_path)
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    assert told["link"].startswith("http://127.0.0.1:5000/setup?token=")
    assert told["applied"] > 0
    assert jobstead("setup-link", data=tmp_path).stdout.strip() == told["link"]
    made = {"ADMIN_EMAIL": "ada@example.org", "ADMIN_PASSWORD": "a long enough one"}
    assert json.loads(jobstead("prepare", data=tmp_path, **made).stdout) == {"link": "", "applied": 0}

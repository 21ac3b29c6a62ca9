"""The installer: which Python it takes, what it says where it cannot go on, and when it has nothing to do."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.boot.conftest import ROOT

pytestmark = pytest.mark.once


class Checkout:
    """The installer in a directory of its own, with a PATH that holds only what is put there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "checkout"
        self.path = directory / "bin"
        self.path.mkdir()
        for tool in ("cat", "cksum", "dirname", "rm", "sh"):
            (self.path / tool).symlink_to(str(shutil.which(tool)))
        (self.directory / "deploy").mkdir(parents=True)
        for name in ("deploy/install.sh", "setup.cfg", "pyproject.toml"):
            shutil.copy(ROOT / name, self.directory / name)

    def program(self, name: str, script: str) -> Path:
        program = self.path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return program

    def install(self, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.path / "sh"), "deploy/install.sh"],
            cwd=self.directory,
            env={"PATH": str(self.path), **environ},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


def test_no_python_at_all(checkout: Checkout) -> None:
    said = refusal(checkout.install())
    assert "no Python 3.11 or newer found" in said
    assert "PYTHON=" in said


def test_only_an_old_python(checkout: Checkout) -> None:
    checkout.program("python3", "exit 1")  # it fails the question whether it is new enough
    assert "no Python 3.11 or newer found" in refusal(checkout.install())


def test_a_python_that_was_named_and_is_too_old(checkout: Checkout) -> None:
    old = checkout.program("old", "exit 1")
    assert f"PYTHON={old} is not a Python 3.11 or newer" in refusal(checkout.install(PYTHON=str(old)))


def test_a_python_without_venv_names_the_missing_package(checkout: Checkout) -> None:
    # The interpreter without its library, as Debian ships it without python3-venv.
    checkout.program(
        "python3", f'case "$*" in *venv*|*virtualenv*) exit 1;; esac\nexec {sys.executable} "$@"'
    )
    said = refusal(checkout.install())
    assert "python3-venv" in said
    assert not (checkout.directory / ".venv").exists()


@pytest.mark.parametrize("tool", ["uv", "virtualenv"])
def test_what_else_makes_environments_will_do(checkout: Checkout, tool: str) -> None:
    checkout.program(
        "python3", f'case "$*" in *venv*|*virtualenv*) exit 1;; esac\nexec {sys.executable} "$@"'
    )
    checkout.program(tool, f'echo "{tool} $*"; for venv; do :; done; {shutil.which("mkdir")} -p "$venv/bin"')
    done = checkout.install()
    assert f"{tool} " in done.stdout
    # The stand-in made an empty environment: uv goes on to install, without pip and uv there is no way on.
    assert ("uv pip install" in done.stdout) == (tool == "uv")
    assert done.returncode == (0 if tool == "uv" else 1)


def test_nothing_to_do_until_the_dependencies_change(checkout: Checkout) -> None:
    environment = checkout.directory / ".venv" / "bin"
    environment.mkdir(parents=True)
    calls = checkout.directory / "calls"
    python = environment / "python"
    python.write_text(
        f'#!/bin/sh\ncase "$*" in *pip*) echo "$*" >>{calls};; *) exec {sys.executable} "$@";; esac\n'
    )
    python.chmod(0o755)

    def installs() -> int:
        done = checkout.install()
        assert done.returncode == 0, done.stderr
        return sum("install" in line for line in calls.read_text().splitlines())

    assert [installs(), installs()] == [1, 1]
    with (checkout.directory / "setup.cfg").open("a") as file:
        file.write("# changed\n")
    assert [installs(), installs()] == [2, 2]

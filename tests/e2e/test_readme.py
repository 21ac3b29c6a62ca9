"""README's quick start, pasted as it stands."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.e2e.instance import ROOT, Instance

pytestmark = pytest.mark.once


def quick_start() -> str:
    section = (ROOT / "README.md").read_text().partition("## Quick start")[2].partition("\n## ")[0]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block is not None
    return block.group(1)


def test_the_quick_start_works_when_pasted(instance: Instance, environment: dict[str, str]) -> None:
    if not (ROOT / ".venv" / "bin" / "jobstead").exists():
        pytest.skip("README speaks of .venv, which `make test` makes")
    settings = {**os.environ, **environment, "PORT": str(instance.port), "JOBSTEAD_DATA": str(instance.data)}
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", quick_start()],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr + instance.log.read_text()[-2000:]
    assert re.search(r"\d+ new match(es)? for Engineering", done.stdout)

"""The same server where something is missing or broken: no Redis, or plugins that do everything wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.instance import ROOT, Instance, wait_for

pytestmark = pytest.mark.once

BROKEN = ("broken_import", "broken_exit", "broken_mapping", "broken_config")


def test_without_redis_everything_still_happens(data: Path, environment: dict[str, str]) -> None:
    settings = {key: value for key, value in environment.items() if key != "REDIS_URL"}
    settings["PATH"] = str(Path(sys.executable).parent)  # no redis-server there
    with Instance(data, settings) as instance:
        instance.register("ada@example.org")  # its mail comes out of a worker
        health = instance.admin().get(f"{instance.url}/health/redis").raise_for_status().json()
        assert health["mode"] == "direct"
        wait_for("a word on how to install Redis", lambda: "to install one" in instance.log.read_text())


def test_broken_plugins_are_named_and_the_server_serves(data: Path, environment: dict[str, str]) -> None:
    samples = ROOT / "tests" / "plugins"
    settings = {
        **environment,
        "PLUGIN_PATH": os.pathsep.join(str(samples / name) for name in BROKEN),
        "JOBSTEAD_PLUGINS__BROKEN_CONFIG__COLOR": "blue",  # it calls it colour
    }
    with Instance(data, settings) as instance:
        instance.register("ada@example.org")
        listed = {item["id"]: item for item in instance.admin().get("/plugins").json()["items"]}
        shown = command(instance, "plugins")
        told = {item["id"]: item for item in json.loads(command(instance, "plugins", "--json"))["items"]}
        for name in BROKEN:
            assert listed[name]["state"] == "failed"
            assert (told[name]["step"], told[name]["reason"]) == (
                listed[name]["step"],
                listed[name]["reason"],
            )
            assert all(word in shown for word in (name, listed[name]["step"], listed[name]["reason"][:40]))
        assert listed["mail"]["state"] == "active"


def command(instance: Instance, *arguments: str) -> str:
    """What ``jobstead ...`` prints beside the running instance."""
    done = subprocess.run(
        [sys.executable, "-m", "core.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, **instance.environment, "JOBSTEAD_DATA": str(instance.data)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout

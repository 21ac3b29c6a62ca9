"""Instances of the whole server, on each pair of database and queue that this machine has."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.instance import Instance, feed_server
from tests.support.servers import redis_database


@pytest.fixture
def data() -> Iterator[Path]:
    """A short path: the embedded Redis listens on a unix socket in it."""
    with tempfile.TemporaryDirectory(prefix="jst") as folder:
        yield Path(folder)


@pytest.fixture
def feeds() -> Iterator[str]:
    with feed_server() as url:
        yield url


@pytest.fixture
def environment(database_url: str, feeds: str) -> dict[str, str]:
    """The embedded default, or the servers that the second pass of ``make test`` gives."""
    settings = {
        "JOBSTEAD_PLUGINS__JOB_BOARDS__REMOTEOK__URL": f"{feeds}/remoteok.json",
        "JOBSTEAD_PLUGINS__JOB_BOARDS__GREENHOUSE__ENABLED": "false",
    }
    if database_url.startswith("postgresql"):
        settings["DATABASE_URL"] = database_url
    if "JOBSTEAD_TEST_REDIS_URL" in os.environ:
        settings["REDIS_URL"] = redis_database() or ""
    return settings


@pytest.fixture
def instance(data: Path, environment: dict[str, str]) -> Iterator[Instance]:
    with Instance(data, environment) as running:
        yield running

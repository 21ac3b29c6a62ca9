"""``plugins.toml`` as it is shipped: valid as it stands, and so is every example in it."""

from __future__ import annotations

import re
from pathlib import Path

from core.config import ROOT, load

SHIPPED = ROOT / "plugins.toml"


def test_what_everybody_needs_runs_and_job_boards_is_left_to_an_admin() -> None:
    config = load(SHIPPED, {})
    assert {name for name, table in config.plugins.items() if table.get("enabled")} == {
        "audit",
        "mail",
        "mfa",
        "notifications",
        "sso",
    }
    assert "job_boards" not in config.plugins
    assert config.warnings == ()
    assert set(config.sources.values()) == {"default"}


def test_every_example_works_once_its_mark_is_removed(tmp_path: Path) -> None:
    text = re.sub(r"^# (?=[a-z_]+ = )", "", SHIPPED.read_text(), flags=re.MULTILINE)
    file = tmp_path / "plugins.toml"
    file.write_text(text)
    config = load(file, {"MY_REDIS": "redis://h"})
    assert (config.profile, config.strict, config.env) == ("hardened", True, "production")
    assert config.server.host == "0.0.0.0"
    assert config.redis.url is not None
    assert config.plugins["mail"]["smtp"]["password"] == {"env": "SMTP_PASS"}

"""What an operator writes, and what comes of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from core.config import ROOT, ConfigError, load

from .conftest import Configure


def test_without_a_file_and_an_environment_everything_has_a_default(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").touch()
    config = load(tmp_path / "empty.toml", {})
    assert (config.profile, config.env, config.strict, config.safe_mode) == (
        "documents",
        "development",
        False,
        False,
    )
    assert config.data_dir == ROOT / "var"
    assert (config.server.host, config.server.port, config.server.public_url) == ("127.0.0.1", 5000, None)
    assert config.server.body_limit == 10 * 1024 * 1024
    assert config.server.shutdown_grace == timedelta(seconds=30)
    assert config.server.trusted_proxies == 0
    assert config.database.url == f"sqlite:///{ROOT}/var/jobstead.sqlite3"
    assert config.redis.url is None
    assert config.auth.access_ttl == timedelta(hours=24)
    assert config.auth.password_min == 6
    assert config.limits.scale == 1
    assert config.plugin_path == []
    assert config.plugins == {}
    assert set(config.sources.values()) == {"default"}


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(configure: Configure) -> None:
    toml = '[server]\nport = 6000\nworkers = 3\n\n[log]\nlevel = "debug"\n'
    config = configure(toml, PORT="7000", JOBSTEAD_SERVER__THREADS="8")
    assert (config.server.port, config.server.workers, config.server.threads) == (7000, 3, 8)
    assert config.sources["server.port"] == "environment PORT"
    assert config.sources["server.threads"] == "environment JOBSTEAD_SERVER__THREADS"
    assert config.sources["server.workers"] == "plugins.toml"
    assert config.sources["server.host"] == "default"


def test_our_own_variable_goes_before_an_alias_and_an_empty_one_counts_as_unset(configure: Configure) -> None:
    assert configure(JOBSTEAD_SERVER__PORT="1", PORT="2").server.port == 1
    assert configure(JOBSTEAD_SERVER__PORT="", PORT=" ").server.port == 5000


def test_the_documents_variables_are_understood(configure: Configure, tmp_path: Path) -> None:
    config = configure(
        NODE_ENV="production",
        API_BASE_URL="https://jobs.example.org/",
        DATABASE_URL="postgres://u:p@h/d",
        REDIS_URL="redis://h:1",
        ADMIN_EMAIL="root@example.org",
        ADMIN_PASSWORD="Admin123!",
        ENCRYPTION_KEY="k" * 32,
        JWT_EXPIRE="1h",
        JOBSTEAD_LIMITS_SCALE="100000",
        JOBSTEAD_SAFE_MODE="1",
        PLUGIN_PATH=os.pathsep.join([str(tmp_path), "more"]),
    )
    assert config.env == "production"
    assert config.server.public_url == "https://jobs.example.org"
    assert config.database.url == "postgresql+psycopg://u:p@h/d"
    assert config.redis.url is not None
    assert config.redis.url.reveal() == "redis://h:1"
    assert config.bootstrap.admin_email == "root@example.org"
    assert config.bootstrap.admin_password is not None
    assert config.bootstrap.admin_password.reveal() == "Admin123!"
    assert config.secrets.master_key is not None
    assert config.auth.access_ttl == timedelta(hours=1)
    assert config.limits.scale == 100_000
    assert config.safe_mode is True
    assert config.plugin_path == [tmp_path, ROOT / "more"]


def test_the_hardened_profile_changes_defaults_and_nothing_that_was_chosen(configure: Configure) -> None:
    config = configure('profile = "hardened"\n\n[auth]\npassword_min = 8\n')
    assert config.auth.access_ttl == timedelta(minutes=10)
    assert config.sources["auth.access_ttl"] == "hardened profile"
    assert config.auth.password_min == 8
    assert config.sources["auth.password_min"] == "plugins.toml"
    assert configure(JOBSTEAD_PROFILE="hardened").auth.password_min == 12


def test_tables_of_plugins_are_handed_on_as_they_are(configure: Configure) -> None:
    config = configure('[plugins.mail]\nenabled = true\nsmtp.password = "open sesame"\n')
    assert config.plugins == {"mail": {"enabled": True, "smtp": {"password": "open sesame"}}}
    assert "sesame" not in repr(config)


def test_relative_paths_start_at_the_checkout_wherever_the_process_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    empty = tmp_path / "empty.toml"
    empty.touch()
    config = load(empty, {"JOBSTEAD_DATA": "elsewhere", "DATABASE_URL": "sqlite:///data/x.db"})
    assert config.data_dir == ROOT / "elsewhere"
    assert config.database.url == f"sqlite:///{ROOT}/data/x.db"
    assert load(environ={}).path == ROOT / "plugins.toml"


@pytest.mark.parametrize("url", ["sqlite:////tmp/x.db", "sqlite://", "sqlite:///:memory:"])
def test_other_sqlite_urls_stay_as_they_are(configure: Configure, url: str) -> None:
    assert configure(DATABASE_URL=url).database.url == url


def test_a_mongodb_is_ignored_with_a_warning_and_hides_nothing(configure: Configure) -> None:
    config = configure('[database]\nurl = "postgresql://h/d"\n', MONGODB_URI="mongodb+srv://u:sesame@h/d")
    assert config.database.url == "postgresql+psycopg://h/d"
    (warning,) = config.warnings
    assert "MONGODB_URI is ignored" in warning
    assert "sesame" not in warning
    assert "sqlite" in configure(MONGO_URI="mongodb://h/d").database.url


def test_a_secret_for_hs256_is_ignored_with_a_warning(configure: Configure) -> None:
    (warning,) = configure(JWT_SECRET="open sesame").warnings
    assert "JWT_SECRET is ignored" in warning
    assert "sesame" not in warning


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_a_loopback_address_needs_no_public_url(configure: Configure, host: str) -> None:
    assert configure(JOBSTEAD_SERVER__HOST=host).server.host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.2", "jobs.example.org"])
def test_any_other_address_needs_one(configure: Configure, host: str) -> None:
    with pytest.raises(ConfigError, match=f"{host} .*set PUBLIC_URL="):
        configure(JOBSTEAD_SERVER__HOST=host)
    config = configure(JOBSTEAD_SERVER__HOST=host, PUBLIC_URL="https://jobs.example.org")
    assert config.server.host == host


@pytest.mark.parametrize(
    "url",
    [
        "jobs.example.org",
        "ftp://jobs.example.org",
        "https://",
        "https://u:p@h",
        "https://h/?a=1",
        "https://h:x",
        "https://h/ x",
        "https://h/#a",
        "https://h:99999",
        "javascript:alert(1)",
    ],
)
def test_a_public_url_is_an_address_to_open(configure: Configure, url: str) -> None:
    with pytest.raises(ConfigError, match="PUBLIC_URL must be the address people open"):
        configure(PUBLIC_URL=url)


WRONG = [
    ("", {"PORT": "abc"}, 'environment PORT = "abc" must be a whole number.'),
    ("", {"PORT": "70000"}, "environment PORT = 70000 must be .* 65535"),
    ("", {"JOBSTEAD_SERVER__PROT": "1"}, 'JOBSTEAD_SERVER__PROT names no setting: did you mean "port"?'),
    ("", {"JOBSTEAD_SERVER__PORT_FILE": "/x"}, "JOBSTEAD_SERVER__PORT_FILE names no setting"),
    ("", {"JOBSTEAD_SEVRER__PORT": "1"}, 'JOBSTEAD_SEVRER__PORT .* did you mean "server"?'),
    ("", {"JOBSTEAD_PROFIEL": "hardened"}, "JOBSTEAD_PROFIEL .* did you mean JOBSTEAD_PROFILE?"),
    ("", {"NODE_ENV": "staging"}, 'NODE_ENV = "staging" must be one of: development, production, test.'),
    ("", {"JOBSTEAD_STRICT": "perhaps"}, 'JOBSTEAD_STRICT = "perhaps" must be true or false.'),
    ("", {"JOBSTEAD_AUTH__OTP_TTL": "soon"}, "OTP_TTL .* must be a duration such as"),
    ("", {"JOBSTEAD_AUTH__OTP_TTL": "1s"}, "OTP_TTL .* must be at least 60 s"),
    ("", {"JOBSTEAD_OUTGOING__ALLOW_NETWORKS": "10.0.0.0/8, lan"}, "must be networks such as"),
    ("", {"JOBSTEAD_OUTGOING__ALLOW_NETWORKS": "[10"}, "must be written as JSON"),
    ("", {"JOBSTEAD_LIMITS_SCALE": "0"}, "JOBSTEAD_LIMITS_SCALE = 0 must be greater than 0"),
    ("", {"ADMIN_EMAIL": "root"}, 'ADMIN_EMAIL = "root" must be an e-mail address'),
    ("", {"ADMIN_PASSWORD": "changeme"}, "ADMIN_PASSWORD holds a placeholder: put the real value there"),
    ("", {"DATABASE_URL": "mysql://u:sesame@h/d"}, "must be postgresql://user:password@host/name"),
    (
        "[server]\nprot = 1",
        {},
        r'\[server\] in plugins.toml has the unknown key "prot": did you mean "port"?',
    ),
    ("[server]\nport = 'x'", {}, 'server.port = "x" in plugins.toml must be a whole number'),
    ("[server]\nport = true", {}, "server.port = true in plugins.toml must be a whole number"),
    ("[sever]\nport = 1", {}, 'plugins.toml has the unknown key "sever": did you mean "server"?'),
    ("server = 1", {}, r"server in plugins.toml must be a table: write it as \[server\]"),
    ("plugins = 1", {}, "plugins in plugins.toml must be a table"),
    ("[plugins]\nmail = true", {}, r"write enabled = true below \[plugins.mail\]"),
    ("profile = 'strict'", {}, 'profile = "strict" in plugins.toml must be one of: documents, hardened'),
    ("[server\n", {}, "plugins.toml is not valid TOML, correct it: .*line 1"),
    ("[redis]\nurl = 1", {}, "redis.url in plugins.toml must be a text in quotes"),
]


@pytest.mark.parametrize(("toml", "environ", "told"), WRONG)
def test_what_is_wrong_is_told_in_one_sentence(
    configure: Configure, toml: str, environ: dict[str, str], told: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        configure(toml, **environ)
    message = str(refused.value)
    assert re.search(told, message), message
    assert "\n" not in message
    assert message[-1] in ".?"
    assert "sesame" not in message


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml is not there: create it"):
        load(environ={"JOBSTEAD_CONFIG": str(tmp_path / "nowhere.toml")})


def test_variables_of_ours_that_are_no_settings_disturb_nothing(configure: Configure) -> None:
    configure(JOBSTEAD_LISTEN_FD="3", JOBSTEAD_TEST_DATABASE_URL="x", JOBSTEAD_TEST_REDIS_URL="x")


def test_describe_tells_value_and_source_of_every_key_and_no_secret(configure: Configure) -> None:
    config = configure(
        '[auth]\naccess_ttl = "90m"\n',
        DATABASE_URL="postgresql://bob:sesame@h/d?sslpassword=sesame",
        REDIS_URL="redis://:sesame@h",
        ADMIN_PASSWORD="sesame",
        ENCRYPTION_KEY="sesame" * 5 + "!!",
    )
    rows = {key: (value, source) for key, value, source in config.describe()}
    assert rows["auth.access_ttl"] == ("90m", "plugins.toml")
    assert rows["server.port"] == ("5000", "default")
    assert rows["redis.url"] == ("********", "environment REDIS_URL")
    assert rows["database.url"][0].startswith("postgresql+psycopg://bob:********@h/d")
    assert set(rows) == set(config.sources)
    assert "sesame" not in str(rows)
    assert "sesame" not in repr(config)


def test_reading_the_configuration_loads_no_web_framework() -> None:
    """The supervisor's command starts at once, and still works where Flask or a driver is broken."""
    found = subprocess.run(
        [sys.executable, "-c", "import sys, core.config; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"flask", "sqlalchemy", "redis"} & set(found.stdout.split())

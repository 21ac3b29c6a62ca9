"""Settings of a plugin: where each comes from, who may still change it, what is said when it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from core.config import ConfigError, Resolved, resolve
from core.typed import DurationField, Secret, SecretField


class Smtp(Schema):
    host = fields.String(load_default=None, allow_none=True, metadata={"aliases": ["SMTP_HOST"]})
    port = fields.Integer(load_default=587, validate=validate.Range(1, 65535))
    password = SecretField(load_default=None, metadata={"aliases": ["SMTP_PASS"]})

    @validates_schema
    def _together(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("password") and not data.get("host"):
            raise ValidationError("Must be set together with password.", "host")


class Settings(Schema):
    sender = fields.String(data_key="from", load_default="nobody@localhost")
    to = fields.List(fields.String(), load_default=list)
    every = DurationField(load_default=None, allow_none=True, metadata={"hardened": "1h"})
    headers = fields.Dict(load_default=dict)
    smtp = fields.Nested(Smtp, load_default=lambda: Smtp().load({}))


def settings(
    table: dict[str, Any] | None = None,
    *,
    stored: dict[str, Any] | None = None,
    profile: str = "documents",
    schema: Schema | None = None,
    **environ: Any,
) -> Resolved:
    return resolve(
        schema or Settings(),
        prefix=("plugins", "mail"),
        table=table or {},
        environ=environ,
        stored=stored,
        profile=profile,
    )


def test_environment_then_file_then_admin_then_default() -> None:
    found = settings(
        {"from": "file@x", "smtp": {"host": "file"}},
        stored={"from": "admin@x", "to": ["admin"], "smtp": {"host": "admin", "port": 25}},
        JOBSTEAD_PLUGINS__MAIL__SMTP__HOST="environment",
    )
    assert found.values["sender"] == "file@x"
    assert found.values["to"] == ["admin"]
    assert found.values["smtp"] == {"host": "environment", "port": 25, "password": None}
    assert found.sources == {
        "from": "plugins.toml",
        "to": "admin API",
        "every": "default",
        "headers": "default",
        "smtp.host": "environment JOBSTEAD_PLUGINS__MAIL__SMTP__HOST",
        "smtp.port": "admin API",
        "smtp.password": "default",
    }
    assert found.locked == {"from", "smtp.host"}


def test_aliases_stand_in_the_schema_or_are_given() -> None:
    assert settings(SMTP_HOST="here").sources["smtp.host"] == "environment SMTP_HOST"
    found = resolve(
        Settings(),
        prefix=("plugins", "mail"),
        table={},
        environ={"MAIL_PORT": "25"},
        aliases={"smtp.port": ["MAIL_PORT"]},
    )
    assert found.values["smtp"]["port"] == 25


def test_the_hardened_profile_reaches_plugins_too() -> None:
    found = settings(profile="hardened")
    assert found.sources["every"] == "hardened profile"
    assert found.values["every"].total_seconds() == 3600
    assert not found.locked


def test_lists_and_tables_from_the_environment() -> None:
    found = settings(JOBSTEAD_PLUGINS__MAIL__TO="a@x, b@x,", JOBSTEAD_PLUGINS__MAIL__HEADERS='{"X-A": "1"}')
    assert found.values["to"] == ["a@x", "b@x"]
    assert found.values["headers"] == {"X-A": "1"}
    assert settings(JOBSTEAD_PLUGINS__MAIL__TO='["a,b"]').values["to"] == ["a,b"]


@pytest.mark.parametrize(
    ("table", "environ", "told"),
    [
        (
            {"form": "x"},
            {},
            r'\[plugins.mail\] in plugins.toml has the unknown key "form": did you mean "from"?',
        ),
        ({"smtp": {"hots": "x"}}, {}, r'\[plugins.mail.smtp\] .* "hots": did you mean "host"?'),
        (
            {"smtp": "x"},
            {},
            r"plugins.mail.smtp in plugins.toml must be a table: write it as \[plugins.mail.smtp\]",
        ),
        (
            {},
            {"JOBSTEAD_PLUGINS__MAIL__SMTP__HOTS": "x"},
            'SMTP__HOTS names no setting: did you mean "smtp__host"?',
        ),
        ({}, {"JOBSTEAD_PLUGINS__MAIL__SMTP__PORT": "x"}, 'SMTP__PORT = "x" must be a whole number'),
        ({"smtp": {"port": 0}}, {}, "plugins.mail.smtp.port = 0 in plugins.toml must be greater than"),
        ({"to": ["a", 1]}, {}, "plugins.mail.to = .* in plugins.toml must be a text in quotes"),
        ({"from": None}, {}, "plugins.mail.from = null in plugins.toml must have a value"),
        ({"smtp": {"password": "sesame"}}, {}, "plugins.mail.smtp.host .*must be set together with password"),
        ({"smtp": {"password": 5}}, {}, "plugins.mail.smtp.password in plugins.toml must be a text"),
    ],
)
def test_what_is_wrong_is_named_where_it_was_written(
    table: dict[str, Any], environ: dict[str, str], told: str
) -> None:
    with pytest.raises(ConfigError, match=told) as refused:
        settings(table, **environ)
    assert "sesame" not in str(refused.value)


def test_a_wrong_value_of_an_admin_is_told_as_theirs() -> None:
    with pytest.raises(ConfigError, match=r"plugins\.mail\.smtp\.port = 0 from the admin API must be"):
        settings(stored={"smtp": {"port": 0}})


def test_a_missing_setting_says_how_to_give_it() -> None:
    class Needs(Schema):
        api_key = SecretField(required=True)

    with pytest.raises(
        ConfigError, match=r"\[plugins.mail\] .* needs api_key: .* set JOBSTEAD_PLUGINS__MAIL__API_KEY"
    ):
        settings(schema=Needs())


def private(path: Path, text: str, mode: int = 0o600) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def password(*, host: str = "h", table: Any = None, **environ: str) -> Secret:
    given = {"smtp": {"host": host, **({"password": table} if table is not None else {})}}
    found = settings(given, **environ).values["smtp"]["password"]
    assert isinstance(found, Secret)
    return found


def test_a_secret_is_a_text_a_variable_or_a_file(tmp_path: Path) -> None:
    file = private(tmp_path / "pass", "open sesame\n")
    for given in (
        password(table="open sesame"),
        password(table={"env": "MINE"}, MINE="open sesame"),
        password(table={"file": file}),
        password(SMTP_PASS="open sesame"),
        password(SMTP_PASS_FILE=file),
        password(JOBSTEAD_PLUGINS__MAIL__SMTP__PASSWORD_FILE=file),
    ):
        assert given == Secret("open sesame")
    assert password(SMTP_PASS=" both ends ") == Secret(" both ends ")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = private(tmp_path / "pass", "open sesame", mode)
    with pytest.raises(ConfigError, match=f"others may read: run chmod 600 {file}"):
        password(table={"file": file})


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ({"env": "UNSET"}, "UNSET, which is not set: set it"),
        ({"file": "/nowhere/pass"}, "cannot be read .*: put the secret there"),
        ({"file": "x", "env": "y"}, "must be a text in quotes"),
        ({"flie": "x"}, "must be a text in quotes"),
    ],
)
def test_a_reference_that_leads_nowhere_says_what_to_do(reference: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        password(table=reference)


def test_an_empty_file_is_no_secret(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="which is empty: put the secret there"):
        password(table={"file": private(tmp_path / "pass", "\n")})


def test_an_admin_cannot_make_the_server_read_a_file_or_its_environment(tmp_path: Path) -> None:
    file = private(tmp_path / "pass", "open sesame")
    for reference in ({"file": file}, {"env": "HOME"}):
        with pytest.raises(ConfigError, match="from the admin API must be a text"):
            settings(stored={"smtp": {"host": "h", "password": reference}}, HOME="open sesame")


class Client(Schema):
    issuer = fields.String(required=True)
    secret = SecretField(load_default=None)


class Clients(Schema):
    clients = fields.Dict(keys=fields.String(), values=fields.Nested(Client), load_default=dict)


def clients(table: dict[str, Any], **environ: str) -> Resolved:
    return settings({"clients": table}, schema=Clients(), **environ)


def test_secrets_are_followed_below_names_of_the_operators_choice() -> None:
    found = clients({"corp": {"issuer": "i", "secret": {"env": "CORP"}}}, CORP="hush")
    assert found.values["clients"]["corp"]["secret"] == Secret("hush")
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            {"corp": {"issuer": "i", "secret": {"env": "GONE"}}},
            "corp.secret of plugins.mail.clients in plugins.toml is to come from the environment variable "
            "GONE, which is not set: set it.",
        ),
        (
            {"corp": {"secret": "hush"}},
            "[plugins.mail.clients.corp] in plugins.toml needs issuer: write issuer = ... there.",
        ),
        (
            {"corp": {"issuer": 7, "secret": "hush"}},
            "plugins.mail.clients.corp.issuer = 7 in plugins.toml must be a text in quotes.",
        ),
        (
            {"corp": {"issuer": "i", "secrt": "hush"}},
            "plugins.mail.clients.corp.secrt in plugins.toml is refused: unknown field.",
        ),
        ({"corp": "hush"}, "plugins.mail.clients.corp in plugins.toml must be a table."),
        ("hush", 'plugins.mail.clients = "hush" in plugins.toml must be a table.'),
    ],
    ids=str,
)
def test_a_fault_below_such_a_name_is_placed_and_nothing_beside_it_told(table: Any, said: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        clients(table)
    assert str(wrong.value) == said

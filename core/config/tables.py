"""Core's tables of ``plugins.toml``: every key with its default, its meaning and the variables that set it.

Where the documents give a number it is theirs; ``hardened`` is the default under that profile.
"""

# ruff: noqa: RUF009  ``described`` is ``dataclasses.field`` with metadata
from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

from marshmallow import ValidationError
from marshmallow.validate import Email, Length, Range

from core.typed import Bytes, Secret, described, rates

from .describe import Row, describe, shown


def _is_network(text: str) -> None:
    try:
        ip_network(text)
    except ValueError:
        raise ValidationError("Must be networks such as 10.0.0.0/8 or fd00::/8.") from None


def _are_networks(texts: list[str]) -> None:
    for text in texts:
        _is_network(text)


def _are_rates(texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        try:
            rates(text)
        except ValueError as wrong:
            raise ValidationError(f"has at {name}: {wrong}".rstrip(".")) from None


def _at_least(seconds: float) -> Range:
    return Range(min=timedelta(seconds=seconds), error=f"Must be at least {seconds:g} s.")


@dataclass(frozen=True)
class Instance:
    """The keys above all tables."""

    profile: Literal["documents", "hardened"] = described(
        "documents", "documents: the numbers of the specification; hardened: stricter defaults."
    )
    strict: bool = described(False, "Refuse to start when any plugin fails, instead of going on without it.")
    env: Literal["development", "production", "test"] = described(
        "development", "What this instance is for.", aliases=["NODE_ENV"]
    )
    safe_mode: bool = described(False, "Start core alone, without any plugin.")
    data_dir: str = described(
        "var", "Where data is kept; relative to the checkout.", aliases=["JOBSTEAD_DATA"], validate=Length(1)
    )
    plugin_path: list[str] = described(
        [],
        "Folders with plugins of your own; a variable separates them as PATH does.",
        aliases=["PLUGIN_PATH"],
        separator=os.pathsep,
    )


@dataclass(frozen=True)
class Server:
    """``[server]``"""

    host: str = described(
        "127.0.0.1", "Address to listen on; any but a loopback address needs public_url.", validate=Length(1)
    )
    port: int = described(5000, "Port to listen on.", aliases=["PORT"], validate=Range(1, 65535))
    public_url: str | None = described(
        None,
        "Where people reach this instance: https://jobs.example.org. Links in mails begin with it.",
        aliases=["PUBLIC_URL", "API_BASE_URL", "API_URL", "BACKEND_URL"],
    )
    workers: int = described(2, "Web processes.", validate=Range(1, 256))
    threads: int = described(16, "Threads of each web process.", validate=Range(1, 256))
    shutdown_grace: timedelta = described(
        timedelta(seconds=30), "How long requests and jobs may finish when stopping.", validate=_at_least(1)
    )
    body_limit: Bytes = described(
        Bytes(10 * 2**20), "Largest body of a request.", validate=Range(1024, 2**31)
    )
    trusted_proxies: int = described(
        0,
        "Proxies in front whose X-Forwarded-* headers are believed; 0: none.",
        aliases=["TRUSTED_PROXIES"],
        validate=Range(0, 10),
    )

    @property
    def url(self) -> str:
        """Where this instance is reached: ``public_url``, else the address it listens on."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")


@dataclass(frozen=True)
class Database:
    """``[database]``; ``url`` may hold a password, which ``repr`` masks."""

    url: str = described(
        "",
        "postgresql://user:password@host/name; unset: an SQLite file in data_dir.",
        aliases=["DATABASE_URL", "MONGODB_URI", "MONGO_URI"],
    )

    @classmethod
    def variables(cls) -> tuple[str, ...]:
        """The documents' variables for ``url``."""
        return tuple(cls.__dataclass_fields__["url"].metadata["aliases"])

    def __repr__(self) -> str:
        return f"Database(url={shown(self.url)!r})"


@dataclass(frozen=True)
class Redis:
    """``[redis]``"""

    url: Secret | None = described(
        None,
        "redis://host:6379/0; unset: a server found or started by us.",
        aliases=["JOBSTEAD_REDIS_URL", "REDIS_URL"],
    )
    mode: Literal["auto", "direct"] = described("auto", "direct: do without Redis, work from the database.")


@dataclass(frozen=True)
class Auth:
    """``[auth]``"""

    access_ttl: timedelta = described(
        timedelta(hours=24),
        "Life of an access token.",
        hardened="10m",
        aliases=["JWT_EXPIRE"],
        validate=_at_least(60),
    )
    refresh_ttl: timedelta = described(
        timedelta(days=7), "A session unused for so long ends.", validate=_at_least(60)
    )
    refresh_absolute: timedelta = described(
        timedelta(days=30), "A session ends after so long, however much it is used.", validate=_at_least(60)
    )
    password_min: int = described(6, "Fewest characters of a password.", hardened=12, validate=Range(6, 256))
    password_history: int = described(
        1, "Passwords of one's own that cannot be chosen again.", hardened=5, validate=Range(1, 5)
    )
    password_hash: Literal["argon2id", "bcrypt"] = described(
        "argon2id", "How passwords are hashed; hashes of the other kind are made anew at log-in."
    )
    password_rounds: int = described(
        10, "Cost of bcrypt; one more doubles it.", hardened=12, validate=Range(10, 16)
    )
    refresh_grace: timedelta = described(
        timedelta(seconds=10),
        "How long whoever used a refresh token may ask for the answer again; 0s: not at all.",
        validate=Range(timedelta(), timedelta(seconds=60)),
    )
    otp_ttl: timedelta = described(timedelta(minutes=10), "Life of a mailed code.", validate=_at_least(60))
    otp_attempts: int = described(5, "Wrong tries after which a code is dead.", validate=Range(1, 100))
    otp_per_hour: int = described(3, "Codes mailed to one address in an hour.", validate=Range(1, 1000))
    fresh_ttl: timedelta = described(
        timedelta(minutes=15),
        "How long after signing in what is hard to undo may be done.",
        validate=_at_least(10),
    )
    invitation_ttl: timedelta = described(
        timedelta(days=7), "Life of an invitation into an organisation.", validate=_at_least(60)
    )
    deletion_grace: timedelta = described(
        timedelta(days=14),
        "How long a deleted organisation or account can be brought back.",
        validate=_at_least(0),
    )


@dataclass(frozen=True)
class Bootstrap:
    """``[bootstrap]``: the first admin, where nobody opens the link on the terminal."""

    admin_email: str | None = described(
        None, "Address of the first admin.", aliases=["ADMIN_EMAIL"], validate=Email()
    )
    admin_password: Secret | None = described(
        None, "Password of the first admin; used once.", aliases=["ADMIN_PASSWORD"]
    )


@dataclass(frozen=True)
class Secrets:
    """``[secrets]``"""

    master_key: Secret | None = described(
        None,
        "32 bytes in hex or base64 that encrypt stored secrets; unset: made at the first start.",
        aliases=["ENCRYPTION_KEY"],
    )


@dataclass(frozen=True)
class Outgoing:
    """``[outgoing]``: requests this instance makes."""

    allow_http: bool = described(False, "Also http://, not only https://.")
    allow_networks: list[str] = described(
        [], "Networks that may be called although they are not public.", validate=_are_networks
    )
    timeout: timedelta = described(
        timedelta(seconds=10), "Longest time one request may take.", validate=_at_least(0.1)
    )


@dataclass(frozen=True)
class Limits:
    """``[limits]``"""

    scale: float = described(
        1.0,
        "Multiplies every rate limit; for tests.",
        aliases=["JOBSTEAD_LIMITS_SCALE"],
        validate=Range(0, min_inclusive=False),
    )
    policies: dict[str, str] = described(
        {},
        "Other rates for a policy: auth.login = 5/15m, several as 5/m 10/h, or off.",
        validate=_are_rates,
    )


@dataclass(frozen=True)
class Log:
    """``[log]``"""

    level: Literal["debug", "info", "warning", "error"] = described(
        "info", "What is worth a line.", aliases=["LOG_LEVEL"]
    )
    format: Literal["auto", "json", "console"] = described(
        "auto", "json: for machines; console: for people; auto: console on a terminal, else json."
    )


@dataclass(frozen=True)
class Config:
    """Everything the operator decided, checked. Make one with ``load()``.

    ``sources`` says of each key (``server.port``) where its value came from. ``plugins`` are the raw
    tables ``[plugins.NAME]``; they may hold secrets, so ``repr`` leaves them out. ``warnings`` are
    sentences for the operator.
    """

    path: Path
    data_dir: Path
    profile: str
    strict: bool
    env: str
    safe_mode: bool
    server: Server
    database: Database
    redis: Redis
    auth: Auth
    bootstrap: Bootstrap
    secrets: Secrets
    outgoing: Outgoing
    limits: Limits
    log: Log
    plugin_path: list[Path]
    plugins: Mapping[str, dict[str, Any]] = field(repr=False)
    sources: Mapping[str, str] = field(repr=False)
    warnings: tuple[str, ...] = ()

    def describe(self) -> list[Row]:
        """``(key, shown value, source)`` of every key of core, secrets masked; for ``jobstead doctor``."""
        return describe(self, self.sources)

"""Addresses an operator gives: where people reach us, and where the database is."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from .errors import ConfigError
from .root import ROOT


def public_url(text: str | None) -> str | None:
    """``text`` without a slash at the end. Raises ``ConfigError`` where it is no address of a server."""
    if not text:
        return None
    try:
        url = urlsplit(text)
        fine = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        fine = False
    else:
        fine = fine and "@" not in url.netloc and not url.query and not url.fragment
    if not fine or not text.isprintable() or " " in text:
        raise ConfigError(
            "PUBLIC_URL must be the address people open, such as https://jobs.example.org: correct it."
        )
    return text.rstrip("/")


def check_reachable(host: str, public: str | None) -> None:
    """Raise ``ConfigError`` where others could reach us but links in mails would not know the address."""
    if not public and not _is_loopback(host):
        raise ConfigError(
            f"server.host = {host} lets others reach this instance, but its address is not known: "
            "set PUBLIC_URL=https://your.domain, or leave server.host at 127.0.0.1."
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def database_url(text: str, data_dir: Path) -> str:
    """The SQLAlchemy URL of the database; an SQLite file in ``data_dir`` where ``text`` is empty.

    ``postgres://`` is understood too, and a relative SQLite file starts at the checkout.
    Raises ``ConfigError`` for any other kind of database.
    """
    if not text:
        return f"sqlite:///{data_dir / 'jobstead.sqlite3'}"
    scheme, _, rest = text.partition(":")
    match scheme.partition("+")[0].lower():
        case "sqlite":
            name = rest.removeprefix("///")
            special = name == rest or not name or name.startswith((":memory:", "file:"))
            return text if special else f"sqlite:///{ROOT / name}"
        case "postgresql" | "postgres" if rest.startswith("//"):
            return f"postgresql+psycopg:{rest}"
    raise ConfigError(
        "database.url (DATABASE_URL) must be postgresql://user:password@host/name: "
        "correct it, or leave it unset for an SQLite file."
    )

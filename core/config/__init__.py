"""What the operator decided: environment over ``plugins.toml`` over what admins set over defaults."""

from .errors import ConfigError
from .load import load
from .resolve import Resolved, resolve
from .root import ROOT
from .tables import Auth, Bootstrap, Config, Database, Limits, Log, Outgoing, Redis, Secrets, Server

__all__ = [
    "ROOT",
    "Auth",
    "Bootstrap",
    "Config",
    "ConfigError",
    "Database",
    "Limits",
    "Log",
    "Outgoing",
    "Redis",
    "Resolved",
    "Secrets",
    "Server",
    "load",
    "resolve",
]

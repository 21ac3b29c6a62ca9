"""Routes: parse, call, return."""

from __future__ import annotations

from .alerts import blp as alerts
from .postings import blp as postings
from .sources import admin
from .sources import blp as sources

ALL = [postings, alerts, sources, admin]

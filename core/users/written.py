"""What people write of themselves and show to others: names in plain words, a time zone that there is."""

from __future__ import annotations

import re
from functools import cache
from zoneinfo import available_timezones

from marshmallow import ValidationError, validate

LOCALE = validate.Regexp(
    r"^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}\Z", error="A language tag such as en or pt-BR."
)
"""Refuses what is no language tag."""

_ADDRESS = re.compile(r"://|www\.|\S@\S|\.[a-z]{2,}/", re.IGNORECASE)


def printable(value: str) -> None:
    """Raise ``ValidationError`` for control and bidirectional characters."""
    if not value.isprintable():
        raise ValidationError("Must be printable text.")


def no_address(value: str) -> None:
    """Raise ``ValidationError`` for what mail programs make a link of: names stand in mails to strangers."""
    if _ADDRESS.search(value):
        raise ValidationError("Must be a name, without addresses in it.")


def presentable(value: str, *, longest: int = 120) -> str:
    """What of a name from elsewhere ``printable`` and ``no_address`` let through; may be empty."""
    text = "".join(char if char.isprintable() else " " for char in value)
    return "" if _ADDRESS.search(text) else " ".join(text.split())[:longest]


def time_zone(value: str) -> None:
    """Raise ``ValidationError`` for what is no time zone of the tz database."""
    if value not in _zones():
        raise ValidationError("Must be a time zone such as Europe/Berlin.")


@cache
def _zones() -> set[str]:
    return available_timezones()

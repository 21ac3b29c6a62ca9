"""E-mail addresses: one spelling an account, nothing that could break a mail header."""

from __future__ import annotations

from functools import cache
from types import ModuleType

from marshmallow import ValidationError


@cache
def _validator() -> ModuleType:
    """The library, imported at the first address: no start should wait for its tables."""
    import email_validator

    for name in ("local", "test"):  # instances in a house or a test net have such addresses
        if name in email_validator.SPECIAL_USE_DOMAIN_NAMES:
            email_validator.SPECIAL_USE_DOMAIN_NAMES.remove(name)
    return email_validator


def normalise(address: str) -> str:
    """The spelling under which an account is kept: trimmed, NFC, case-folded.

    Raises marshmallow's ``ValidationError`` for what is no address. No look-up is made.
    """
    validator = _validator()
    try:
        checked = validator.validate_email(address.strip(), check_deliverability=False)
    except validator.EmailNotValidError as wrong:
        raise ValidationError("Not a valid e-mail address.") from wrong
    return str(checked.normalized.casefold())

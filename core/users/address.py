"""E-mail addresses: one spelling an account, nothing that could break a mail header."""

from __future__ import annotations

import email_validator
from email_validator import EmailNotValidError, validate_email
from marshmallow import ValidationError

for _name in ("local", "test"):  # instances in a house or a test net have such addresses
    if _name in email_validator.SPECIAL_USE_DOMAIN_NAMES:
        email_validator.SPECIAL_USE_DOMAIN_NAMES.remove(_name)


def normalise(address: str) -> str:
    """The spelling under which an account is kept: trimmed, NFC, case-folded.

    Raises marshmallow's ``ValidationError`` for what is no address. No look-up is made.
    """
    try:
        checked = validate_email(address.strip(), check_deliverability=False)
    except EmailNotValidError as wrong:
        raise ValidationError("Not a valid e-mail address.") from wrong
    return checked.normalized.casefold()

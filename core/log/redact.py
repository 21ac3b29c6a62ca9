"""Keeping secrets out of what is written down: by the name of a key, and by how a value looks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from core.typed import MASK

_DEEPEST = 6
_LONGEST = 4_000  # characters of one value

_KEY = re.compile(
    r"passw(or)?d|passphrase|secret|token|authorization|cookie|credential|signature"
    r"|(api|private|master|signing|encryption|access)[-_]?key|(^|[-_])(otp|pin|cvc|cvv|iban)($|[-_])",
    re.IGNORECASE,
)

# What every match of _VALUES contains, in lower case. Nearly no text does, and this is quick to see.
_SUSPECT = re.compile(
    r"bearer|basic|jst_|rt_|whsec_|[sr]k_|eyj|://|passw|secret|token|api[-_]?key|otp|private key"
    r"|[2-6](?:[ -]?[0-9]){13}"
)

# Left of the value stays what tells a reader which kind it was.
_VALUES = re.compile(
    r"(?P<scheme>\b(?:Bearer|Basic)\s+)[\w.~+/=-]{6,}"
    r"|(?P<prefix>(?<![A-Za-z0-9])(?:jst|rt|whsec|sk_live|sk_test|rk_live)_)[\w+/=-]{8,}"
    r"|(?P<jwt>(?<![\w-])eyJ)[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|(?P<user>://[^/@\s:]*:)[^/@\s]+(?=@)"
    r"|(?P<pair>(?<![\w-])(?:[\w-]*(?:password|passwd|secret|token|api[-_]?key)|otp)[\"']?\s*[=:]\s*[\"']?)[^\s&\"',;)}\]]+"
    r"|(?P<pem>-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<![\w.-])(?P<card>[2-6](?:[ -]?\d){13,18})(?![\w-]|\.\d)",
    re.IGNORECASE | re.DOTALL,
)


def redact(text: str, *, longest: int = _LONGEST) -> str:
    """``text`` with everything that looks like a credential or a card number masked, cut at ``longest``."""
    cut = text if len(text) <= longest else f"{text[:longest]}… ({len(text) - longest} more)"
    return _VALUES.sub(_mask, cut) if _SUSPECT.search(cut.lower()) else cut


def redacted(key: str, value: Any, depth: int = 0) -> Any:
    """``value`` as plain JSON types; masked where ``key``, or a key inside, names a secret."""
    if value is None or isinstance(value, bool):
        return value
    if _names_a_secret(key):
        return MASK
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, int | float):
        return value
    if depth < _DEEPEST:
        if isinstance(value, Mapping):
            return {redact(str(name)): redacted(str(name), inner, depth + 1) for name, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [redacted("", inner, depth + 1) for inner in value]
    return redact(str(value))


@lru_cache(1024)
def _names_a_secret(key: str) -> bool:
    return _KEY.search(key) is not None


def _mask(match: re.Match[str]) -> str:
    if match["card"] is not None:
        return MASK if _luhn(match["card"]) else match["card"]
    return f"{match[match.lastgroup or 0]}{MASK}"


def _luhn(text: str) -> bool:
    digits = [int(character) for character in reversed(text) if character.isdigit()]
    doubled = (divmod(2 * digit, 10) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(tens + ones for tens, ones in doubled)) % 10 == 0

"""What is wrong with a configuration, in one sentence that says what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any


class ConfigError(Exception):
    """The configuration cannot be used; the message is one sentence that says what to do."""


# marshmallow's words for a wrong type, in those of somebody who edits a file.
_PLAINER = {
    "Not a valid integer.": "must be a whole number",
    "Not a valid number.": "must be a number",
    "Not a valid string.": "must be a text in quotes",
    "Not a valid text.": "must be a text in quotes",
    "Not a valid boolean.": "must be true or false",
    "Not a valid list.": "must be a list",
    "Not a valid mapping type.": "must be a table",
    "Invalid input type.": "must be a table",
    "Not a valid URL.": "must be a URL such as https://jobs.example.org",
    "Not a valid email address.": "must be an e-mail address",
    "This is a placeholder; put the real value there.": "holds a placeholder: put the real value there",
    "Field may not be null.": "must have a value",
}


def nearest(wrong: str, known: Iterable[str]) -> str:
    """What to write instead of the unknown key ``wrong``: ``did you mean "port"?``, or what there is."""
    names = sorted(known)
    if close := get_close_matches(wrong.lower(), names, n=1):
        return f'did you mean "{close[0]}"?'
    return f"known are {', '.join(names)}." if names else "there are no keys here; remove it."


def reason(message: str) -> str:
    """A validator's ``message`` as the second half of a sentence: ``must be a whole number``."""
    if message in _PLAINER:
        return _PLAINER[message]
    text = message.removesuffix(".")
    if text.startswith("Must "):
        return text[0].lower() + text[1:]
    return f"is refused: {text[:1].lower()}{text[1:]}" if text else "is refused"


def first(messages: Mapping[Any, Any] | list[Any], path: tuple[str, ...] = ()) -> tuple[tuple[str, ...], str]:
    """The first fault of marshmallow's ``ValidationError.messages``: its path of keys and what is said."""
    if isinstance(messages, Mapping):
        key, inner = next(iter(messages.items()))
        step = () if key == "_schema" else tuple(str(key).split("."))
        return (
            first(inner, (*path, *step))
            if isinstance(inner, Mapping | list)
            else ((*path, *step), str(inner))
        )
    return path, str(messages[0])

"""Where people may be sent when they are through: paths of ours, and origins the operator named."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from core.api import Invalid, public_url, settings

LONGEST = 2000  # characters

_PORTS = {"http": 80, "https": 443}


def checked(target: str | None) -> str:
    """``target``, or where people land otherwise. Raises ``Invalid`` for what leads elsewhere.

    Asked when somebody sets out and again when they are back.
    """
    if target is None:
        return settings("sso")["frontend_url"] or "/"
    if not _is_ours(target):
        raise Invalid(errors={"next": ["Must be a path, or a URL of an origin the operator named."]})
    return target


def extended(target: str, **more: str) -> str:
    """``target`` with ``more`` in its query, in place of what it had of these names."""
    parts = urlsplit(target)
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k not in more]
    return urlunsplit(parts._replace(query=urlencode([*kept, *more.items()])))


def with_fragment(target: str, **more: str) -> str:
    """``target`` with ``more`` behind ``#``: browsers show that to their page, and send it nowhere."""
    return urlunsplit(urlsplit(target)._replace(fragment=urlencode(more, quote_via=quote)))


def _is_ours(target: str) -> bool:
    if len(target) > LONGEST or not target.isascii() or "\\" in target or any(ord(c) <= 32 for c in target):
        return False
    if "\x7f" in target:
        return False
    try:
        parts = urlsplit(target)
        if not parts.scheme and not parts.netloc:
            # "//host" and "/\host" are hosts to a browser
            return target.startswith("/") and not target.startswith("//")
        return parts.username is None and _origin(target) in _allowed()
    except ValueError:
        return False


def _allowed() -> set[tuple[str, str, int]]:
    chosen = settings("sso")
    named = [public_url(), chosen["frontend_url"], *chosen["return_origins"]]
    return {_origin(url) for url in named if url}


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises ``ValueError`` where there are none."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("no origin")
    return parts.scheme, parts.hostname.lower(), parts.port or _PORTS[parts.scheme]

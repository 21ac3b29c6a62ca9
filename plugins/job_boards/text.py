"""Texts of strangers made safe: no markup in plain text, little in HTML, and bounds on both."""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import urlsplit

import nh3

# Control characters (PostgreSQL refuses NUL), halves of surrogate pairs, marks that turn the direction.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff]")
_INLINE = re.compile(r"</?(?:a|b|code|em|i|span|strong|u)\b[^>]*>")
_TAG = re.compile(r"<[^>]*>")
_WORD = re.compile(r"[^\W_]+(?:[+#]+|(?:[.&][^\W_]+)*)")

_TAGS = {
    *("a", "b", "code", "em", "i", "span", "strong", "u", "br", "hr", "p", "div", "pre", "blockquote"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd"),
    *("table", "thead", "tbody", "tr", "td", "th"),
}
_LONGEST_HTML = 100_000  # characters; the longest of 475 real postings had 13,111


def plain(value: str, limit: int) -> str:
    """``value`` on one line without markup, at most ``limit`` characters."""
    bounded = value[: limit * 8]
    if "<" in bounded or "&" in bounded:
        bounded = html.unescape(nh3.clean(bounded, tags=set()))
    return " ".join(_UNWANTED.sub(" ", bounded).split())[:limit].rstrip()


def sanitise(value: str) -> str:
    """``value`` as HTML that may be shown: text, lists, tables, links; no script, style or image."""
    kept = _UNWANTED.sub("", value[:_LONGEST_HTML].replace("\r\n", "\n"))
    return nh3.clean(
        kept,
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    ).strip()


def excerpt(safe_html: str, limit: int) -> str:
    """The beginning of sanitised HTML as plain text, cut at a word."""
    bare = _TAG.sub(" ", _INLINE.sub("", safe_html[: limit * 20])).rsplit("<", 1)[0]
    told = " ".join(html.unescape(bare).split())
    return told if len(told) <= limit else told[: limit - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def fold(value: str) -> str:
    """``value`` so that two spellings that differ in case or form alone are equal."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def words(value: str) -> list[str]:
    """The words of ``value``, folded: ``C++``, ``.NET`` and ``node.js`` stay whole."""
    return _WORD.findall(fold(value))


def web_address(value: str | None, limit: int = 2000) -> str | None:
    """``value`` if it is an address a person can open in a browser, else ``None``."""
    address = (value or "").strip()
    if not address or len(address) > limit or _UNWANTED.search(address) or any(c.isspace() for c in address):
        return None
    try:
        parts = urlsplit(address)
        _ = parts.port  # a bad port is found out only here
    except ValueError:
        return None
    usable = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    return address if usable else None

"""Where a mail may lead, whoever wrote its template: to this instance or by the mail's own link."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import nh3

_TAGS = {
    *("a", "b", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "hr", "i", "img", "li", "ol"),
    *("p", "pre", "small", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "u", "ul"),
}
_ATTRIBUTES = {
    "*": {"class", "style", "title", "dir", "lang"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "align", "valign", "width"},
    "th": {"colspan", "rowspan", "align", "valign", "width"},
    "table": {"width", "cellpadding", "cellspacing", "role"},
}
_STYLES = {
    *(
        "background",
        "background-color",
        "border",
        "border-radius",
        "border-collapse",
        "color",
        "display",
        "direction",
    ),
    *("font-family", "font-size", "font-style", "font-weight", "height", "letter-spacing", "line-height"),
    *("margin", "margin-bottom", "margin-left", "margin-right", "margin-top", "max-width", "padding"),
    *("padding-bottom", "padding-left", "padding-right", "padding-top", "text-align", "text-decoration"),
    *("vertical-align", "white-space", "width", "word-break"),
}
_FETCHING = re.compile(r"[\\@]|url|image|expression", re.IGNORECASE)  # values that could load something
_IN_TEXT = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)[^\s<>\"]*", re.IGNORECASE)
_ENDS = ".,;:!?)]}'"  # of a sentence rather than of an address in it


class Elsewhere(Exception):
    """A link that leads out of this instance, and is not the mail's own."""


def below(url: str, site_url: str | None) -> bool:
    """Whether ``url`` is an address of this instance: same scheme, host and port, below its path."""
    if not site_url or not url.isprintable() or "\\" in url or " " in url:
        return False
    try:
        given, ours = urlsplit(url), urlsplit(site_url)
        same = (given.scheme, given.hostname, given.port) == (ours.scheme, ours.hostname, ours.port)
    except ValueError:
        return False
    path = ours.path.rstrip("/")
    beneath = given.path == path or given.path.startswith(f"{path}/") or not path
    return same and "@" not in given.netloc and beneath and ".." not in given.path.split("/")


def clean(html: str, site_url: str | None, own: str = "") -> str:
    """``html`` with what a mail may hold and nothing else; ``own`` is the link the mail is about.

    Raises ``Elsewhere``.
    """
    foreign: list[str] = []

    def look(tag: str, attribute: str, value: str) -> str | None:
        if (tag, attribute) in (("a", "href"), ("img", "src")):
            allowed = attribute == "href" and (_is_mailto(value) or value == own)
            if not allowed and not below(value, site_url):
                foreign.append(value)
        elif attribute == "style" and _FETCHING.search(value):
            return None
        return value

    cleaned = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=look,
        filter_style_properties=_STYLES,
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )
    _refuse(foreign, site_url)
    return cleaned


def look_through(text: str, site_url: str | None, own: str = "") -> None:
    """Raise ``Elsewhere`` where plain ``text`` holds an address neither of this instance nor ``own``."""
    found = [match.rstrip(_ENDS) for match in _IN_TEXT.findall(text)]
    _refuse([url for url in found if url != own.rstrip(_ENDS) and not below(url, site_url)], site_url)


def _is_mailto(url: str) -> bool:
    return url.startswith("mailto:") and "?" not in url


def _refuse(foreign: list[str], site_url: str | None) -> None:
    if foreign:
        where = f"only links below {site_url} are allowed" if site_url else "links need site_url to be set"
        raise Elsewhere(f"{foreign[0][:100]!r} leads elsewhere: {where}")

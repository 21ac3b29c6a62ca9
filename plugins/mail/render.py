"""From a template to what a mail says: a subject, a text, and HTML inside the one layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import unescape
from pathlib import Path

import nh3
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, UndefinedError
from markupsafe import Markup

from . import links
from .catalogue import KINDS, Kind, kind_of
from .language import Fault, understood

_FOLDER = Path(__file__).parent / "templates"
_LAYOUT = "layout.html"
SHIPPED_LOCALE = "en"


@dataclass(frozen=True)
class Source:
    """A template: one line for the subject, the text, and the HTML that goes into the layout."""

    subject: str
    text: str
    html: str
    locale: str = SHIPPED_LOCALE


@dataclass(frozen=True)
class Content:
    """What a mail says; ``repr`` leaves the texts out, for they may hold a code."""

    subject: str
    text: str
    html: str

    def __repr__(self) -> str:
        return "Content(...)"


class Unusable(Exception):
    """A template that somebody wrote and that cannot be used: ``part`` is subject, text or html."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(reason)
        self.part = part


def templates() -> list[str]:
    """The names ``render`` knows."""
    return sorted(KINDS)


@cache
def shipped(template: str) -> Source:
    """The template as we ship it. Raises ``LookupError`` for an unknown one."""
    kind_of(template)
    first, _, rest = (_FOLDER / f"{template}.txt").read_text("utf-8").partition("\n")
    html = (_FOLDER / f"{template}.html").read_text("utf-8")
    return Source(first.removeprefix("Subject:").strip(), rest.lstrip("\n"), html)


def render(template: str, context: Mapping[str, object]) -> Content:
    """Fill the shipped ``template`` in. Raises ``LookupError`` for an unknown one or a variable left out."""
    values = _values(context)
    try:
        parts = {part: filled.render(values) for part, filled in _shipped_parts(template).items()}
    except UndefinedError as fault:
        raise LookupError(f"mail template {template}: {fault.message}") from None
    return _laid_out(parts, SHIPPED_LOCALE, values)


def render_written(template: str, source: Source, context: Mapping[str, object]) -> Content:
    """Fill in what somebody wrote in place of the shipped ``template``.

    Raises ``Unusable`` for whatever is wrong with it: its language, a subject of several lines, a link
    that leads elsewhere. HTML beyond what a mail may hold is left out.
    """
    values = _values(context)
    parts = {}
    for part, filled in understood_parts(kind_of(template), source).items():
        try:
            parts[part] = filled.render(values)
            parts[part].encode()
        except Exception as fault:  # a filter given nonsense, half a letter
            raise Unusable(part, f"it cannot be filled in ({type(fault).__name__}: {fault})") from None
    if not parts["subject"].strip() or not parts["subject"].isprintable():
        raise Unusable("subject", "line 1: a subject is one line of text")
    _check_links(parts, str(values["site_url"]), str(values.get("link") or ""))
    return _laid_out(parts, source.locale, values)


def understood_parts(kind: Kind, source: Source) -> dict[str, Template]:
    """Subject, text and HTML of ``source``, ready to be filled in. Raises ``Unusable``."""
    found = {}
    for part, written in (("subject", source.subject), ("text", source.text), ("html", source.html)):
        try:
            found[part] = understood(written, kind.variables, html=part == "html")
        except Fault as fault:
            raise Unusable(part, str(fault)) from None
    return found


@cache
def _shipped_parts(template: str) -> dict[str, Template]:
    return understood_parts(kind_of(template), shipped(template))


def _values(context: Mapping[str, object]) -> dict[str, object]:
    return {**context, "site_url": str(context.get("site_url") or "").rstrip("/")}


def _check_links(parts: dict[str, str], site_url: str, own: str) -> None:
    """Refuse what leads elsewhere, and leave out of the HTML what a mail may not hold."""
    part = "html"
    try:
        parts["html"] = links.clean(parts["html"], site_url, own)
        seen = unescape(nh3.clean(parts["html"], tags=set()))  # mail programs make links of it too
        links.look_through(seen, site_url, own)
        for part in ("text", "subject"):
            links.look_through(parts[part], site_url, own)
    except links.Elsewhere as fault:
        raise Unusable(part, str(fault)) from None


def _laid_out(parts: Mapping[str, str], locale: str, values: Mapping[str, object]) -> Content:
    content = Markup(parts["html"])  # noqa: S704  escaped where it was filled in, cleaned where somebody wrote it
    html = _layout().render(values, subject=parts["subject"], content=content, locale=locale)
    return Content(parts["subject"], parts["text"], html)


@cache
def _layout() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(_LAYOUT)

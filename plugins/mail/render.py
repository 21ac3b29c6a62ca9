"""Templates: a text with its subject on the first line, and the same as HTML beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, UndefinedError, select_autoescape

_FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Content:
    """What a mail says; ``repr`` leaves the texts out, for they may hold a code."""

    subject: str
    text: str
    html: str

    def __repr__(self) -> str:
        return "Content(...)"


def templates() -> list[str]:
    """The names ``render`` knows."""
    return sorted(path.stem for path in _FOLDER.glob("*.txt"))


def render(template: str, context: Mapping[str, object]) -> Content:
    """Fill ``template`` in. Raises ``LookupError`` for an unknown one or a variable left out."""
    if template not in templates():
        raise LookupError(f"there is no mail template {template!r}; there are {', '.join(templates())}")
    subject, text, html = _load(template)
    try:
        title = subject.render(context)
        return Content(title, text.render(context), html.render(context, subject=title))
    except UndefinedError as fault:
        raise LookupError(f"mail template {template}: {fault.message}") from None


@cache
def _load(template: str) -> tuple[Template, Template, Template]:
    """Subject, text, HTML. The subject is apart, so that no value can end its line unnoticed."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=select_autoescape(["html"], default_for_string=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    first, _, rest = (_FOLDER / f"{template}.txt").read_text("utf-8").partition("\n")
    subject = environment.from_string(first.removeprefix("Subject:").strip())
    return subject, environment.from_string(rest.lstrip("\n")), environment.get_template(f"{template}.html")

"""Rows as a file to keep: JSON lines, or CSV that a spreadsheet does not execute."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response

from .models import Entry
from .schemas import EntryOut
from .service import MOST

_TYPES = {"jsonl": "application/jsonl", "csv": "text/csv"}


def answer(rows: Sequence[Entry], form: str) -> Response:
    """The first ``MOST`` of ``rows`` as a download; a further one only tells that there is more."""
    shown = EntryOut(many=True).dump(rows[:MOST])
    body = _csv(shown) if form == "csv" else "".join(f"{json.dumps(row)}\n" for row in shown)
    said = Response(body, mimetype=_TYPES[form])
    said.headers["Content-Disposition"] = f'attachment; filename="audit.{form}"'
    if len(rows) > MOST:
        said.headers["X-Next-After"] = str(rows[MOST - 1].seq)
    return said


def _csv(rows: Iterable[dict[str, Any]]) -> str:
    file = io.StringIO()
    names = [field.data_key or name for name, field in EntryOut().dump_fields.items()]
    writer = csv.DictWriter(file, names)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return file.getvalue()


def _cell(value: object) -> object:
    """What begins like a formula is text to a spreadsheet once a quote stands before it."""
    text = json.dumps(value) if isinstance(value, dict) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text

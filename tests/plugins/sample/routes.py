"""Notes over HTTP."""

from __future__ import annotations

from core.api import Blueprint, Schema, call_hook, db, emit, fields, public, require, settings

from .events import NoteWritten
from .models import Note

blp = Blueprint("sample", url_prefix="/sample-notes")


class NoteIn(Schema):
    text = fields.String(required=True)


class NoteOut(Schema):
    id = fields.UUID()
    text = fields.String()


class Colours(Schema):
    greeting = fields.String()
    colours = fields.List(fields.String())


@blp.post("")
@require("sample.note.write")
@blp.arguments(NoteIn)
@blp.response(201, NoteOut)
def create(data):
    """Write a note."""
    note = db.insert(Note(text=data["text"]))
    emit(NoteWritten(note_id=note.id))
    return note


@blp.get("/colours")
@public
@blp.response(200, Colours)
def colours():
    """The colours that plugins offer."""
    found = [colour for _plugin, some in call_hook("sample_colours") for colour in some]
    return {"greeting": settings("sample")["greeting"], "colours": sorted(found)}

"""What happens later."""

from __future__ import annotations

from core.api import get_logger

log = get_logger(__name__)


def count_note(event, delivery):
    log.info("a note was written", note=str(event.note_id))


def tidy():
    log.info("tidied")

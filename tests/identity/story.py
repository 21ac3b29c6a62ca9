"""Doing one thing after the other, and knowing which events each brought about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from werkzeug.test import TestResponse

from core.engine.models import EventRow
from tests.identity.world import Person, World


class Story:
    """Does things one after the other, and knows which events each brought about."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.seen: set[str] = set()

    def does(self, who: Person | None, method: str, path: str, json: Any = None) -> Told:
        """One request, which must succeed."""
        urls = self.world.app.url_map.bind("localhost")
        self.seen.add(urls.match(f"/api/v1{path.partition('?')[0]}", method)[0])
        identifier = uuid4().hex
        headers = {"X-Request-Id": identifier}
        if who is None:
            answer = self.world.app.test_client().open(
                f"/api/v1{path}", method=method, json=json, headers=headers
            )
        else:
            answer = who.call(method, path, json=json, headers=headers)
        assert answer.status_code < 300, answer.text
        return Told(answer, self._kept(EventRow.request_id == identifier))

    def _kept(self, which: Any) -> list[tuple[str, str]]:
        """``(action, target)`` of the events that are kept for good, in their order."""
        known = self.world.app.extensions["jobstead.engine"].registry.events
        rows = self.world.execute(select(EventRow.__table__).where(which).order_by(EventRow.seq)).all()
        kept = []
        for row in rows:
            kind = known[row.type].cls
            if kind.audited is not None:
                field = kind.target[1]
                kept.append((row.type, str(row.organisation_id if field is None else row.payload[field])))
        return kept

    def since(self, act: Callable[[], object]) -> list[str]:
        """The kept events that ``act`` brought about, outside requests."""
        last = self.world.execute(select(EventRow.seq).order_by(EventRow.seq.desc()).limit(1)).scalar_one()
        with self.world.app.app_context():
            act()
        return [action for action, _ in self._kept(EventRow.seq > last)]


class Told:
    """An answer, and what was kept of it."""

    def __init__(self, answer: TestResponse, kept: list[tuple[str, str]]) -> None:
        self.json: dict[str, Any] = answer.json if isinstance(answer.json, dict) else {}
        self.kept = kept

    @property
    def actions(self) -> list[str]:
        return [action for action, _ in self.kept]

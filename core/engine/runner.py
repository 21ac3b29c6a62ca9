"""Running what lies in a lane: handlers and their ``done`` in one transaction, organisation by organisation.

Exactly once for what a handler writes to the database, because a delivery is only ended while it
is pending and its lane ours, in the transaction of the effects. Where something raises, all
before it is run again without it, it fails alone, and the rest goes on.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from core import context
from core.clock import utcnow
from core.context import SYSTEM
from core.db import begin
from core.log import get_logger
from core.switch import active

from .events import Delivery
from .failure import fail
from .lanes import Lane, finish, own
from .retry import LeaseLost
from .state import Engine
from .timeouts import limit

log = get_logger(__name__)


@dataclass
class Counts:
    """What was done with deliveries and jobs."""

    events: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0
    jobs: int = 0

    def add(self, other: Counts) -> None:
        for name in vars(other):
            setattr(self, name, getattr(self, name) + getattr(other, name))


class _Raised(Exception):
    """A handler raised at row ``index`` of its batch."""

    def __init__(self, index: int, cause: BaseException) -> None:
        super().__init__(str(cause))
        self.index = index
        self.cause = cause


@dataclass
class _Group:
    """Rows of one organisation, in order. ``alone``: how many of the next ones run one by one."""

    organisation: UUID | None
    rows: deque[Row[Any]] = field(default_factory=deque)
    alone: int = 0


class Runner:
    """One pass over a claimed lane. Stops early when the process shall stop or the lane is lost."""

    def __init__(self, engine: Engine, lane: Lane) -> None:
        self._engine = engine
        self._lane = lane
        self._handler = lane.handler
        self._codecs = engine.registry.events
        self.holder = lane.holder
        self.counts = Counts()

    def run(self) -> Counts:
        """Run every fetched row, one batch of each organisation in turn. Raises ``LeaseLost``."""
        groups = deque(self._groups())
        until = time.monotonic() + self._engine.timing.shift
        while groups and not self._engine.stopping.is_set():
            if self._handler.external and time.monotonic() > until:
                self._lane.full = True  # there is more; other lanes are waiting too
                break
            group = groups.popleft()
            self._advance(group)
            if group.rows:
                groups.append(group)
        if groups:
            self._lane.full = True
        return self.counts

    def _groups(self) -> list[_Group]:
        found: dict[UUID | None, _Group] = {}
        for row in self._lane.rows:
            if active(self._handler.plugin, row.organisation_id):
                of = row.organisation_id if self._handler.scope == "organisation" else None
                found.setdefault(of, _Group(of)).rows.append(row)
            else:
                self._skip(row)
        return list(found.values())

    def _skip(self, row: Row[Any]) -> None:
        with begin(on=self._engine.database) as unit:
            finish(unit, self._lane, [row.id], "skipped", "the plugin is off for this organisation")
        self.counts.skipped += 1

    def _advance(self, group: _Group) -> None:
        """One step of a group: a batch, or one row where that is all that may be risked."""
        single = self._handler.external or self._lane.careful or group.alone > 0
        batch = [group.rows[0]] if single else list(group.rows)[: self._engine.timing.batch_rows]
        try:
            if self._handler.external:
                done = self._call_outside(batch[0])
            else:
                done = self._call_inside(group.organisation, batch, careful=self._lane.careful)
        except LeaseLost:
            raise
        except _Raised as raised:
            if len(batch) == 1:
                self._fail(group, batch[0], raised.cause)
            elif raised.index == 0:
                group.alone = 1
            else:
                self._again_without(group, batch[: raised.index])
            return
        except (Exception, SystemExit) as error:  # at commit: whose fault it was, one by one will tell
            if self._engine.stopping.is_set() and isinstance(error, SystemExit):
                raise
            if len(batch) == 1:
                self._fail(group, batch[0], error)
            else:
                group.alone = len(batch)
            return
        self.counts.done += done
        for _ in range(done):
            group.rows.popleft()
        group.alone = max(0, group.alone - done)

    def _again_without(self, group: _Group, sound: list[Row[Any]]) -> None:
        """Run the rows before the one that raised; that one then comes alone."""
        try:
            done = self._call_inside(group.organisation, sound, careful=False)
        except LeaseLost:
            raise
        except Exception:
            group.alone = len(sound) + 1
            return
        self.counts.done += done
        for _ in range(done):
            group.rows.popleft()
        group.alone = len(sound) - done + 1

    def _call_inside(self, organisation: UUID | None, batch: Sequence[Row[Any]], *, careful: bool) -> int:
        """Run ``batch`` until its time is up and commit with ``done``; returns how many rows that were."""
        if careful:
            with begin(on=self._engine.database) as unit:
                own(unit, self._lane, suspect=batch[0].id)
        until = time.monotonic() + self._engine.timing.batch
        ids: list[UUID] = []
        with context.acting_as(SYSTEM), context.within(organisation), begin(on=self._engine.database) as unit:
            unit.before_commit.append(lambda unit: finish(unit, self._lane, ids, "done"))
            for index, row in enumerate(batch):
                try:
                    self._call(row)
                except (Exception, SystemExit) as error:
                    if self._engine.stopping.is_set() and isinstance(error, SystemExit):
                        raise
                    raise _Raised(index, error) from error
                ids.append(row.id)
                if time.monotonic() > until:
                    break
        return len(ids)

    def _call_outside(self, row: Row[Any]) -> int:
        """Run one row with no transaction open; its effect is outside, so a death after it repeats it."""
        with begin(on=self._engine.database) as unit:
            own(unit, self._lane, suspect=row.id)
        with context.acting_as(SYSTEM), context.within(self._scope(row)):
            try:
                self._call(row)
            except (Exception, SystemExit) as error:
                if self._engine.stopping.is_set() and isinstance(error, SystemExit):
                    raise
                raise _Raised(0, error) from error
        with begin(on=self._engine.database) as unit:
            finish(unit, self._lane, [row.id], "done")
        return 1

    def _scope(self, row: Row[Any]) -> UUID | None:
        return row.organisation_id if self._handler.scope == "organisation" else None

    def _call(self, row: Row[Any]) -> None:
        declared = self._codecs.get(row.type)
        if declared is None:
            raise LookupError(f"nobody here declares the event {row.type}")
        delivery = Delivery(
            row.id, row.event_id, row.attempts + 1, row.organisation_id, row.actor, row.occurred_at
        )
        event = declared.codec.load(row.payload)
        with limit(self._handler.timeout):
            if row.request_id is None:
                self._handler.fn(event, delivery)
            else:
                with context.request(row.request_id):
                    self._handler.fn(event, delivery)

    def _fail(self, group: _Group, row: Row[Any], error: BaseException) -> None:
        """Count the failure, and drop what lies behind it: by key where it has one."""
        with begin(on=self._engine.database) as unit:
            fail(unit, self._lane, row, error, utcnow())
        self.counts.failed += 1
        group.rows.popleft()
        group.alone = max(0, group.alone - 1)
        if row.order_key is not None:
            same = (row.organisation_id, row.order_key)
            group.rows = deque(r for r in group.rows if (r.organisation_id, r.order_key) != same)

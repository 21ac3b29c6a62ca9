"""Running what lies in a lane: handlers and their ``done`` in one transaction, each in its organisation.

Exactly once for what a handler writes to the database, because a delivery is only ended while it
is pending and its lane ours, in the transaction of the effects. One transaction serves several
organisations, each through a session of its own: a commit costs more than all else. Where
something raises, what lay before it is run again without it, it fails alone, and the rest goes on.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
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
from .timeouts import Arm, watch

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


class Runner:
    """One pass over a claimed lane. Stops early when the process shall stop or the lane is lost."""

    def __init__(self, engine: Engine, lane: Lane) -> None:
        self._engine = engine
        self._lane = lane
        self._handler = lane.handler
        self._codecs = engine.registry.events
        self._rows: deque[Row[Any]] = deque()
        self._alone = 0  # how many of the next rows are run one by one
        self.holder = lane.holder
        self.counts = Counts()

    def run(self) -> Counts:
        """Run every fetched row. Raises ``LeaseLost``."""
        self._rows.extend(self._active())
        until = time.monotonic() + self._engine.timing.shift
        while self._rows and not self._engine.stopping.is_set():
            if self._handler.external and time.monotonic() > until:
                break  # other lanes are waiting too
            self._advance()
        if self._rows:
            self._lane.full = True
        return self.counts

    def _active(self) -> list[Row[Any]]:
        """The rows to run, in order by key; the organisations of an external handler take turns."""
        turns: dict[UUID | None, list[Row[Any]]] = {}
        organisations = {row.organisation_id for row in self._lane.rows}
        on = {organisation for organisation in organisations if active(self._handler.plugin, organisation)}
        for row in self._lane.rows:
            if row.organisation_id in on:
                turns.setdefault(row.organisation_id, []).append(row)
            else:
                self._skip(row)
        if self._handler.external:
            return [row for turn in zip_longest(*turns.values()) for row in turn if row is not None]
        return [row for row in self._lane.rows if row.organisation_id in on]

    def _skip(self, row: Row[Any]) -> None:
        with begin(on=self._engine.database) as unit:
            finish(unit, self._lane, [row.id], "skipped", "the plugin is off for this organisation")
        self.counts.skipped += 1

    def _advance(self) -> None:
        """One step: a batch, or one row where that is all that may be risked."""
        single = self._handler.external or self._lane.careful or self._alone > 0
        batch = [self._rows[0]] if single else self._batch()
        try:
            if self._handler.external:
                self._call_outside(batch[0])
                self._done(batch)
            else:
                self._done(batch[: self._call_inside(batch)])
        except LeaseLost:
            raise
        except _Raised as raised:
            if len(batch) == 1:
                self._fail(batch[0], raised.cause)
            else:
                self._without(batch, raised.index)
        except (Exception, SystemExit) as error:  # at commit: whose fault it was, one by one will tell
            self._unless_stopping(error)
            if len(batch) == 1:
                self._fail(batch[0], error)
            else:
                self._first(batch)
                self._alone = len(batch)

    def _batch(self) -> list[Row[Any]]:
        """The next rows, those of one organisation together: each change of organisation costs."""
        groups: dict[UUID | None, list[Row[Any]]] = {}
        for row in islice(self._rows, self._engine.timing.batch_rows):
            groups.setdefault(row.organisation_id, []).append(row)
        return [row for group in groups.values() for row in group]

    def _without(self, batch: list[Row[Any]], index: int) -> None:
        """Run the rows before the one that raised, and have that one come next, alone."""
        sound, raised = batch[:index], batch[index]
        if sound:
            try:
                done = self._call_inside(sound)
            except LeaseLost:
                raise
            except Exception:
                self._first(sound)
                self._alone = len(sound)
                return
            self._done(sound[:done])
            if done < len(sound):
                return
        self._first([raised])
        self._alone = 1

    def _done(self, rows: Sequence[Row[Any]]) -> None:
        self.counts.done += len(rows)
        self._alone = max(0, self._alone - len(rows))
        self._first(rows)
        for _ in rows:
            self._rows.popleft()

    def _first(self, rows: Sequence[Row[Any]]) -> None:
        """Bring ``rows`` to the front. They are the earliest of their keys, so order by key is kept."""
        ids = {row.id for row in rows}
        self._rows = deque([*rows, *(row for row in self._rows if row.id not in ids)])

    def _call_inside(self, batch: Sequence[Row[Any]]) -> int:
        """Run ``batch`` until its time is up and commit with ``done``; returns how many rows that were."""
        if self._lane.careful:
            with begin(on=self._engine.database) as unit:
                own(unit, self._lane, suspect=batch[0].id)
        until = time.monotonic() + self._engine.timing.batch
        ids: list[UUID] = []
        with context.acting_as(SYSTEM), begin(on=self._engine.database) as unit:
            unit.before_commit.append(lambda unit: finish(unit, self._lane, ids, "done"))
            with watch() as arm:
                for index, row in enumerate(batch):
                    try:
                        self._call(row, arm)
                    except (Exception, SystemExit) as error:
                        self._unless_stopping(error)
                        raise _Raised(index, error) from error
                    ids.append(row.id)
                    if time.monotonic() > until:
                        break
        return len(ids)

    def _call_outside(self, row: Row[Any]) -> None:
        """Run one row with no transaction open; its effect is outside, so a death after it repeats it."""
        with begin(on=self._engine.database) as unit:
            own(unit, self._lane, suspect=row.id)
        with context.acting_as(SYSTEM):
            try:
                with watch() as arm:
                    self._call(row, arm)
            except (Exception, SystemExit) as error:
                self._unless_stopping(error)
                raise _Raised(0, error) from error
        with begin(on=self._engine.database) as unit:
            finish(unit, self._lane, [row.id], "done")

    def _unless_stopping(self, error: BaseException) -> None:
        """A handler's ``sys.exit`` is a failure like any other; the process's own is not."""
        if isinstance(error, SystemExit) and self._engine.stopping.is_set():
            raise error

    def _call(self, row: Row[Any], arm: Arm) -> None:
        declared = self._codecs.get(row.type)
        if declared is None:
            raise LookupError(f"nobody here declares the event {row.type}")
        delivery = Delivery(
            id=row.id,
            event_id=row.event_id,
            attempt=row.attempts + 1,
            organisation_id=row.organisation_id,
            actor=row.actor,
            occurred_at=row.occurred_at,
            request_id=row.request_id,
            ip=row.ip,
        )
        event = declared.codec.load(row.payload)
        organisation = row.organisation_id if self._handler.scope == "organisation" else None
        with context.within(organisation), context.request(row.request_id or str(row.event_id)):
            arm(self._handler.timeout)
            self._handler.fn(event, delivery)

    def _fail(self, row: Row[Any], error: BaseException) -> None:
        """Count the failure, and leave what lies behind it in its key for later."""
        with begin(on=self._engine.database) as unit:
            fail(unit, self._lane, row, error, utcnow())
        self.counts.failed += 1
        self._alone = max(0, self._alone - 1)
        self._rows.popleft()
        if row.order_key is not None:
            same = (row.organisation_id, row.order_key)
            self._rows = deque(r for r in self._rows if (r.organisation_id, r.order_key) != same)

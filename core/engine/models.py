"""The engine's tables: facts, who must hear of them, work to do, and who holds what.

No foreign key leads from a delivery to its event: the relay writes both sides, retention takes
deliveries first, and a check for each of three deliveries an event would cost more than it finds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, SmallInteger, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utcnow
from core.db import InstanceMixin, Json, UtcDateTime, model_base, uuid7

Base = model_base("core")

_Sequence = BigInteger().with_variant(Integer, "sqlite")


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


class EventRow(Base):
    """A fact. ``pending`` until the relay has written its deliveries."""

    __tablename__ = "core_event"
    __table_args__ = (
        _partial("ix_core_event_pending", "seq", where="pending"),
        {"sqlite_autoincrement": True},  # a number is never used twice, also after retention
    )

    seq: Mapped[int] = mapped_column(_Sequence, primary_key=True, autoincrement=True)
    id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[UUID | None] = mapped_column(Uuid)
    type: Mapped[str] = mapped_column(String(100))
    version: Mapped[int] = mapped_column(SmallInteger)
    order_key: Mapped[str | None] = mapped_column(String(200))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    actor: Mapped[str] = mapped_column(String(100))
    request_id: Mapped[str | None] = mapped_column(String(64))
    ip: Mapped[str | None] = mapped_column(String(45))
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    pending: Mapped[bool]


class DeliveryRow(Base):
    """One event for one handler. ``status``: pending, done, skipped (switched off) or dead.

    ``attempts`` counts failures; ``kills`` how often its worker died with it in hand.
    """

    __tablename__ = "core_delivery"
    __table_args__ = (
        _partial("ix_core_delivery_lane", "handler", "slot", "event_seq", where="status = 'pending'"),
        _partial("ix_core_delivery_failing", "handler", "slot", where="status = 'pending' AND attempts > 0"),
        _partial("ix_core_delivery_dead", "finished_at", where="status = 'dead'"),
        Index("ix_core_delivery_event_seq", "event_seq"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    event_seq: Mapped[int] = mapped_column(BigInteger)
    organisation_id: Mapped[UUID | None] = mapped_column(Uuid)
    handler: Mapped[str] = mapped_column(String(120))
    slot: Mapped[int] = mapped_column(SmallInteger)
    order_key: Mapped[str | None] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(8))
    attempts: Mapped[int] = mapped_column(SmallInteger)
    kills: Mapped[int] = mapped_column(SmallInteger)
    due: Mapped[datetime] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(Text)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LaneRow(Base):
    """A handler's queue within the queue: what lies in one lane is handled in order by one worker.

    ``due_at`` is when its next delivery is due, ``None`` when it has none. ``rung`` counts the
    relay's additions, so that whoever releases the lane notices one it has not seen. ``holder``
    stays set when a worker died; ``suspect`` is the delivery it had in hand, ``unattributed``
    a death nobody could be blamed for.
    """

    __tablename__ = "core_lane"

    handler: Mapped[str] = mapped_column(String(120), primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    queue: Mapped[str] = mapped_column(String(40))
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rung: Mapped[int] = mapped_column(BigInteger)
    holder: Mapped[str | None] = mapped_column(String(100))
    until: Mapped[datetime] = mapped_column(UtcDateTime)
    suspect: Mapped[UUID | None] = mapped_column(Uuid)
    unattributed: Mapped[int] = mapped_column(SmallInteger)


class LeaseRow(Base):
    """Who leads, and until when by the database's clock."""

    __tablename__ = "core_lease"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(100))
    until: Mapped[datetime] = mapped_column(UtcDateTime)


class QueueRow(Base):
    """A queue somebody has paused. No row: it runs."""

    __tablename__ = "core_queue"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class JobRow(Base):
    """A named job. ``status``: queued, running, done, dead, skipped or cancelled.

    ``attempts`` counts starts. ``unique_key`` is what ``enqueue`` composed of job, organisation
    and the caller's key; one queued or running row may have it.
    """

    __tablename__ = "core_job"
    __table_args__ = (
        _partial("ix_core_job_due", "queue", "due", where="status = 'queued'"),
        _partial("ix_core_job_running", "until", where="status = 'running'"),
        _partial("ix_core_job_unique", "unique_key", where="status IN ('queued', 'running')", unique=True),
        Index("ix_core_job_organisation_id", "organisation_id", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(String(120))
    organisation_id: Mapped[UUID | None] = mapped_column(Uuid)
    args: Mapped[dict[str, Any]] = mapped_column(Json)
    queue: Mapped[str] = mapped_column(String(40))
    priority: Mapped[int] = mapped_column(SmallInteger)
    unique_key: Mapped[str | None] = mapped_column(String(400))
    status: Mapped[str] = mapped_column(String(9))
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    kills: Mapped[int] = mapped_column(SmallInteger, default=0)
    due: Mapped[datetime] = mapped_column(UtcDateTime)
    holder: Mapped[str | None] = mapped_column(String(100))
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    progress: Mapped[dict[str, Any] | None] = mapped_column(Json)
    result: Mapped[Any | None] = mapped_column(Json)
    error: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(100))
    request_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ScheduleRow(InstanceMixin, Base):
    """A declared schedule and when it fires next."""

    __tablename__ = "core_schedule"

    name: Mapped[str] = mapped_column(String(120), unique=True)
    organisation_id: Mapped[UUID | None] = mapped_column(Uuid)
    job: Mapped[str] = mapped_column(String(120))
    args: Mapped[dict[str, Any]] = mapped_column(Json)
    cron: Mapped[str] = mapped_column(String(100))
    tz: Mapped[str] = mapped_column(String(64))
    policy: Mapped[str] = mapped_column(String(4))
    next_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class ScheduleFireRow(Base):
    """A firing that has been taken; the key makes it one, whatever the number of schedulers."""

    __tablename__ = "core_schedule_fire"

    schedule_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("core_schedule.id", ondelete="CASCADE"), primary_key=True
    )
    fire_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    job_id: Mapped[UUID] = mapped_column(Uuid)

"""A small plugin whose handlers do what an event tells them, so that tests can break them at will."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask, current_app
from sqlalchemy import BigInteger, Integer, String, Uuid, select
from sqlalchemy.orm import Mapped, mapped_column

from core import engine
from core.context import organisation_id
from core.db import InstanceMixin, TenantMixin, acting_for, begin, db, model_base
from core.engine import Delivery, Event, Permanent, Retry, current_task, emit

Base = model_base("toy")


class Effect(TenantMixin, Base):
    """What a handler did for an event of its organisation; twice done would be two rows."""

    __tablename__ = "toy_effect"
    handler: Mapped[str] = mapped_column(String(40))
    number: Mapped[int] = mapped_column(Integer)
    key: Mapped[str] = mapped_column(String(40))
    sequence: Mapped[int] = mapped_column(BigInteger)


class Trace(InstanceMixin, Base):
    """What was done for no organisation."""

    __tablename__ = "toy_trace"
    said: Mapped[str] = mapped_column(String(200))
    about: Mapped[UUID | None] = mapped_column(Uuid)


@dataclass(frozen=True)
class Pinged(Event, type="toy.pinged"):
    """``act`` is what the handler shall do, see ``act()``."""

    number: int
    key: str = ""
    act: str = "ok"


@dataclass(frozen=True)
class Ponged(Event, type="toy.ponged"):
    number: int
    key: str = ""


@dataclass(frozen=True)
class Announced(Event, type="toy.announced", scope="instance"):
    number: int
    organisations: list[UUID]


@dataclass(frozen=True)
class Mailed(Event, type="toy.mailed"):
    number: int
    act: str = "ok"


def act(what: str, attempt: int) -> None:
    """Do ``what``; anything else is to do nothing wrong."""
    if what == "fail" or (what == "once" and attempt == 1):
        raise ValueError("told to fail")
    if what == "permanent":
        raise Permanent("of no use")
    if what == "later" and attempt == 1:
        raise Retry(timedelta(hours=3), "come back later")
    if what == "exit":
        raise SystemExit(3)
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "hang":
        time.sleep(60)
    if what in ("kill once", "pause once") and _first_time(what):
        os.kill(os.getpid(), signal.SIGKILL if what == "kill once" else signal.SIGSTOP)


def _first_time(what: str) -> bool:
    """Whether no process of this world has done it yet; who does leaves its pid."""
    marker = Path(current_app.config["TOY_FILE"]).with_name(what.replace(" ", "-"))
    if marker.exists():
        return False
    marker.write_text(str(os.getpid()))
    with begin() as unit:  # nobody of this process may be stopped with the write lock in hand
        unit.connection.execute(select(Trace.id).limit(1))
    return True


def _record(handler: str, event: Any, delivery: Delivery) -> None:
    db.session.add(Effect(handler=handler, number=event.number, key=event.key, sequence=time.monotonic_ns()))
    act(getattr(event, "act", "ok"), delivery.attempt)


def first(event: Pinged, delivery: Delivery) -> None:
    _record("first", event, delivery)


def both(event: Any, delivery: Delivery) -> None:
    """Two types in one lane."""
    db.session.add(Effect(handler="both", number=event.number, key=event.key, sequence=time.monotonic_ns()))


def third(event: Pinged, delivery: Delivery) -> None:
    db.session.add(Effect(handler="third", number=event.number, key=event.key, sequence=time.monotonic_ns()))


def spread(event: Announced, delivery: Delivery) -> None:
    """For the instance: one event, something for each of several organisations."""
    assert organisation_id() is None
    db.session.add(Trace(said=f"spread {event.number}", about=delivery.event_id))
    for organisation in event.organisations:
        with acting_for(organisation):
            db.session.add(
                Effect(handler="spread", number=event.number, key="", sequence=time.monotonic_ns())
            )
            emit(Ponged(event.number, "spread"))


def outside(event: Mailed, delivery: Delivery) -> None:
    """An effect outside the database: a line in a file."""
    with Path(current_app.config["TOY_FILE"]).open("a") as file:
        file.write(f"{delivery.id} {delivery.attempt} {event.number} {organisation_id()}\n")
    act(event.act, delivery.attempt)


def count(to: int = 3, name: str = "") -> dict[str, Any]:
    """A job."""
    task = current_task()
    for done in range(to):
        task.progress(done + 1, to, f"counting {name}")
    return {"counted": to, "organisation": str(organisation_id())}


def write(number: int, act: str = "ok") -> None:
    db.session.add(Effect(handler="write", number=number, key="", sequence=time.monotonic_ns()))
    db.session.flush()
    globals()["act"](act, current_task().attempt)


def say(what: str = "tick") -> None:
    db.session.add(Trace(said=what))


def register(app: Flask) -> None:
    """All of it, as the host would."""
    engine.register_events(app, "toy", [Pinged, Ponged, Announced, Mailed])
    engine.register_handler(app, "toy", "toy.pinged", first)
    engine.register_handler(app, "toy", ("toy.pinged", "toy.ponged"), both)
    engine.register_handler(app, "toy", "toy.pinged", third, timeout=1)
    engine.register_handler(app, "toy", "toy.announced", spread, scope="instance")
    engine.register_handler(app, "toy", "toy.mailed", outside, queue="email", external=True)
    engine.register_job(app, "toy", "count", count, retries=3)
    engine.register_job(app, "toy", "write", write, timeout=2)
    engine.register_job(app, "toy", "long", write, timeout=300)
    engine.register_job(app, "toy", "say", say)

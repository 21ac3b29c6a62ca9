"""What the engine keeps of an organisation has no foreign key to it, and goes by hand."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select

from core.db import db

from .models import DeliveryRow, EventRow, JobRow, ScheduleFireRow, ScheduleRow


def forget_organisation(identifier: UUID) -> None:
    """Delete its events, deliveries, jobs and schedules, in the open unit of work.

    A job of it that runs right now finds its row gone and ends without effect.
    """
    fires = select(ScheduleRow.id).where(ScheduleRow.organisation_id == identifier)
    connection = db.unit.connection
    connection.execute(delete(ScheduleFireRow).where(ScheduleFireRow.schedule_id.in_(fires)))
    for table in (DeliveryRow, EventRow, JobRow, ScheduleRow):
        connection.execute(delete(table).where(table.organisation_id == identifier))

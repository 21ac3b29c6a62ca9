"""``/notifications``: the caller's own inbox, and nobody else's."""

from __future__ import annotations

from uuid import UUID

from core.api import Blueprint, Select, require

from . import service
from .models import Notification
from .schemas import NotificationFilter, NotificationOut, ReadAllOut, UnreadCountOut

blp = Blueprint("notifications", url_prefix="/notifications")


@blp.get("")
@require("notifications.notification.read")
@blp.page(NotificationOut, sort=("-createdAt",), filters=NotificationFilter)
def index() -> Select[Notification]:
    """My notifications, newest first; the last hundred are kept."""
    return service.mine()


@blp.get("/unread-count")
@require("notifications.notification.read")
@blp.response(200, UnreadCountOut)
def unread_count() -> dict[str, int]:
    """How many of my notifications I have not read."""
    return {"unread": service.unread_count()}


@blp.put("/<uuid:id>/read")
@require("notifications.notification.write")
@blp.response(200, NotificationOut)
def read(id: UUID) -> Notification:
    """Mark one as read. 404 where it is not mine; a second time changes nothing."""
    return service.mark_read(id)


@blp.put("/read-all")
@require("notifications.notification.write")
@blp.response(200, ReadAllOut)
def read_all() -> dict[str, int]:
    """Mark all my notifications as read."""
    return {"updated": service.mark_all_read()}


@blp.delete("/<uuid:id>")
@require("notifications.notification.write")
@blp.response(204)
def remove(id: UUID) -> None:
    """Delete one. 404 where it is not mine."""
    service.remove(id)


@blp.delete("")
@require("notifications.notification.write")
@blp.response(204)
def clear() -> None:
    """Delete all my notifications."""
    service.clear()

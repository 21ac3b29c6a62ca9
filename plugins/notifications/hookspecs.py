"""Hooks that the notifications plugin offers to others."""

from __future__ import annotations

from typing import Any

from core.api import hookspec


@hookspec
def notification_types() -> list[dict[str, Any]]:  # type: ignore[empty-body]
    """Events that become notifications.

    When: at start, to learn which events to handle, and again for each such event; keep it cheap.
    Result: one dict a kind of notification:

    - ``event``: the event type to listen to (``job_alert.matched``), emitted for an organisation;
    - ``type``: what the notification is called in the inbox and, later, in preferences
      (lower_snake_case, at most 64 characters);
    - ``summary``: one line for the people who choose what to be told;
    - ``render(event)``: answers ``{"user_id": UUID, "title": str, "body": str, "data": dict, "key": str}``,
      or ``None`` where there is nothing to tell. It runs in a worker, in the organisation's unit of
      work. ``key`` names the fact: the same user is told once per key, however often the event comes.

    A raise at start leaves that plugin's kinds out; a raise of ``render`` is retried like a handler's.
    Plugins that do not require notifications mark it ``@hookimpl(optionalhook=True)``.
    """

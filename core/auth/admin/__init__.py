"""What admins of the instance see and do: people, their roles, and what roles may."""

from __future__ import annotations

from . import people, role_routes, routes
from .events import EVENTS
from .roles import CustomRoles

__all__ = ["BLUEPRINTS", "EVENTS", "CustomRoles", "purge_users"]

BLUEPRINTS = (routes.blp, role_routes.blp)
purge_users = people.purge

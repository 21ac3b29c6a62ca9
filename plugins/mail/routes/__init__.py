"""``/admin/templates``, ``/admin/mail`` and ``/hooks/inbound/mail``."""

from __future__ import annotations

from . import inbound, lists, templates

BLUEPRINTS = [templates.blp, lists.blp, inbound.blp]

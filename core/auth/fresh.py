"""What is hard to undo asks for a sign-in of a moment ago: a token left lying about is not enough."""

from __future__ import annotations

from sqlalchemy import select

from core.clock import utcnow
from core.context import principal
from core.db import db
from core.errors import Forbidden

from .models import AuthSession
from .state import auth


def confirm_fresh() -> None:
    """Raise ``Forbidden`` ``fresh_login_required`` unless the session began within ``auth.fresh_ttl``.

    Refreshing tokens makes no session younger. Callers without a session (keys, devices) are refused.
    """
    session = principal().session_id
    began = None
    if session is not None:
        began = db.session.execute(
            select(AuthSession.created_at).where(AuthSession.id == session)
        ).scalar_one_or_none()
    if began is None or utcnow() - began > auth().config.auth.fresh_ttl:
        raise Forbidden("Sign in again first, to show that it is you.", code="fresh_login_required")

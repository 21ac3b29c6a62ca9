"""The link in a mail about a forgotten password: another way to show the code that stands beside it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from uuid import UUID

from sqlalchemy import Row, select

from core.clock import utcnow
from core.crypto import keyring
from core.db import begin, current_unit, db

from .codes import RESET, Proof
from .models import Code
from .state import auth

PATH = "/reset-password"
_TOKEN = re.compile(r"jst_rst_([a-z2-7]{26})_([A-Za-z0-9_-]{43})")  # the log masks what begins with jst_


def reset_link(code_id: UUID) -> str:
    """What to open to set a new password, for whoever writes the mail; the same at each call.

    It holds as long as the code with this id and works once, whichever of the two is used. It begins
    with ``server.public_url``, never with what a request says of this server. Raises ``LookupError``
    where there is no such code. Keep the result out of logs and tables.
    """
    row = _row(code_id)
    if row is None or row.user_id is None or row.purpose != RESET:
        raise LookupError(f"there is no code {code_id}")
    readable = base64.b32encode(code_id.bytes).decode().rstrip("=").lower()
    return f"{auth().config.server.url}{PATH}?token=jst_rst_{readable}_{_secret(code_id, row.user_id)}"


def proven(token: str) -> Proof | None:
    """What the token of a link proves, or ``None`` where it does not hold. ``codes.take`` it to act on it.

    There is no counting here: nobody guesses 256 bits, and whoever guesses at the six digits shall not
    take the link away from its owner.
    """
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        return None
    code_id = UUID(bytes=base64.b32decode(f"{parts[1].upper()}======"))
    row = _row(code_id)
    if row is None or row.user_id is None or row.purpose != RESET:
        return None
    if not hmac.compare_digest(_secret(code_id, row.user_id), parts[2]):
        return None
    if row.used_at is not None or row.expires_at <= utcnow():
        return None
    return Proof(code_id, row.user_id, row.address_key)


def _row(code_id: UUID) -> Row[UUID | None, str, str, object, object] | None:
    if current_unit() is None:
        with begin(write=False):
            return _row(code_id)
    about = (Code.user_id, Code.purpose, Code.address_key, Code.used_at, Code.expires_at)
    return db.session.execute(select(*about).where(Code.id == code_id)).one_or_none()


def _secret(code_id: UUID, user_id: UUID) -> str:
    about = b"|".join((code_id.bytes, user_id.bytes, RESET.encode()))
    digest = hmac.new(keyring().derive("auth.reset_link"), about, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")

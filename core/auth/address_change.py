"""Moving an account to another address: asked for with the password, confirmed from the new mailbox."""

from __future__ import annotations

from uuid import UUID

from core.engine import emit
from core.errors import Conflict, Invalid
from core.users import change_address, find_by_email

from . import codes, credentials, sessions
from .codes import CHANGE_EMAIL
from .events import EmailChanged
from .state import auth


def ask(*, user_id: UUID, current: str, new: str) -> None:
    """Send a code to the new address; where somebody has it already, it only counts.

    Raises ``Invalid`` for a wrong password and for the address one has, ``Problem`` 429 past three
    requests an hour by one person or for one address.
    """
    parts = auth()
    held = credentials.find(user_id=user_id)
    if held is None or not parts.passwords.verify(held.hash, current):
        raise Invalid("That is not your password.", errors={"currentPassword": ["Not your password."]})
    if new == held.email:
        raise Invalid("Choose another address.", errors={"newEmail": ["This is your address already."]})
    codes.count_for(user_id, purpose=CHANGE_EMAIL, rules=parts.codes)
    codes.void(user_id, purpose=CHANGE_EMAIL)
    free = find_by_email(new) is None
    codes.request_code(email=new, user_id=user_id if free else None, purpose=CHANGE_EMAIL, rules=parts.codes)


def confirm(*, user_id: UUID, session_id: UUID | None, new: str, code: str, ip: str) -> None:
    """Move the account, end its other sessions, and void every code that is on its way to it.

    Raises ``Problem`` 400 ``invalid_code`` unless this person was sent ``code`` at ``new``, and
    ``Conflict`` where somebody else took the address meanwhile.
    """
    parts = auth()
    proof = codes.try_code(email=new, given=code, purpose=CHANGE_EMAIL, rules=parts.codes)
    held = credentials.find(user_id=user_id)
    if proof is None or held is None or proof.user_id != user_id or not codes.take(proof):
        raise codes.wrong()
    if not change_address(user_id, old=held.email, new=new):
        raise Conflict("This address is taken, or yours was changed meanwhile.")
    codes.void(user_id)
    sessions.revoke_all(user_id, reason="email_changed", but=session_id)
    parts.standings.forget_once_committed()
    emit(EmailChanged(user_id=user_id, old=held.email, new=new, ip=ip))

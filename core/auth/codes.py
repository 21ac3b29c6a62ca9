"""Six-digit codes: derived from a row and the instance's key, counted before they are compared, used once."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, text, update

from core.clock import utcnow
from core.crypto import keyring
from core.db import begin, current_unit, db
from core.engine import emit
from core.errors import Problem
from core.typed import Rate
from core.web import too_many

from .events import OtpRequested, OtpWithheld
from .models import Code

VERIFY_EMAIL = "verify_email"
RESET = "reset"
CHANGE_EMAIL = "change_email"
PURPOSES = (VERIFY_EMAIL, RESET, CHANGE_EMAIL)
WINDOW = timedelta(hours=1)
"""What an address may ask for is counted over so long."""


@dataclass(frozen=True)
class CodeRules:
    """How long a code lives, how often it may be tried, how many an address may ask for in an hour."""

    lifetime: timedelta
    attempts: int
    per_hour: int


@dataclass(frozen=True)
class Proof:
    """A code somebody knew: not taken yet."""

    code_id: UUID
    user_id: UUID
    address_key: str


def request_code(*, email: str, user_id: UUID | None, purpose: str, rules: CodeRules) -> None:
    """Promise ``email`` a code and void the one before, in the open unit of work.

    ``user_id`` is ``None`` for an address nobody has: it counts all the same, so that both are
    answered alike. Raises ``Problem`` 429 for one request too many within the hour.
    """
    key = address_key(email)
    count_request(key, rules)
    now = utcnow()
    db.session.execute(
        update(Code)
        .where(
            Code.address_key == key,
            Code.purpose == purpose,
            Code.used_at.is_(None),
            Code.expires_at > now,
        )
        .values(expires_at=now)
    )
    row = db.insert(Code(user_id=user_id, address_key=key, purpose=purpose, expires_at=now + rules.lifetime))
    if user_id is not None:
        emit(OtpRequested(code_id=row.id, user_id=user_id, email=email, purpose=purpose))
    else:
        emit(OtpWithheld(code_id=row.id, purpose=purpose))  # costs the same, and tells nobody anything


def is_awaited(*, email: str, purpose: str) -> bool:
    """Whether a code that still holds was sent to ``email``, as the open unit of work sees it."""
    sent = select(Code.id).where(
        Code.address_key == address_key(email),
        Code.purpose == purpose,
        Code.user_id.is_not(None),
        Code.used_at.is_(None),
        Code.expires_at > utcnow(),
    )
    return db.session.execute(sent.limit(1)).scalar_one_or_none() is not None


def count_request(key: str, rules: CodeRules) -> None:
    """Raise ``Problem`` 429 where ``key`` has asked often enough within the hour.

    Callers with the same address wait for one another here: on SQLite by the write lock, which
    the unit of work holds, on PostgreSQL by a lock on the address.
    """
    if db.unit.database.dialect == "postgresql":
        number = int.from_bytes(bytes.fromhex(key)[:8], signed=True)
        db.session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
    now = utcnow()
    asked = db.session.execute(
        select(func.count(), func.min(Code.created_at)).where(
            Code.address_key == key, Code.created_at > now - WINDOW
        )
    ).one()
    if asked[0] >= rules.per_hour:
        raise too_many(
            "auth.otp",
            Rate(rules.per_hour, int(WINDOW.total_seconds())),
            (asked[1] + WINDOW - now).total_seconds(),
            f"{rules.per_hour} codes an hour are sent to one address. Try again later.",
        )


def redeem(*, email: str, given: str, purpose: str, rules: CodeRules) -> UUID | None:
    """Try and take a code at once: the id of its owner, or ``None`` where it does not hold."""
    proof = try_code(email=email, given=given, purpose=purpose, rules=rules)
    return proof.user_id if proof is not None and take(proof) else None


def count_for(who: UUID, *, purpose: str, rules: CodeRules) -> None:
    """Let a person ask as rarely as an address may be asked for, whichever addresses they name.

    Raises ``Problem`` 429 for one request too many within the hour.
    """
    key = address_key(f"user {who}")  # no address has a space outside quotes
    count_request(key, rules)
    db.insert(Code(address_key=key, purpose=purpose, expires_at=utcnow()))


def try_code(*, email: str, given: str, purpose: str, rules: CodeRules) -> Proof | None:
    """What ``given`` proves, or ``None`` where it does not hold. ``take`` it before acting on it.

    The attempt is counted and committed before anything is compared, so that neither a crash nor
    parallel callers get a try for nothing.
    """
    key, now = address_key(email), utcnow()
    with begin():
        newest = (
            select(Code.id)
            .where(Code.address_key == key, Code.purpose == purpose, Code.used_at.is_(None))
            .order_by(Code.created_at.desc(), Code.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        row = db.session.execute(
            update(Code)
            .where(
                Code.id == newest,
                Code.used_at.is_(None),
                Code.expires_at > now,
                Code.attempts < rules.attempts,
            )
            .values(attempts=Code.attempts + 1)
            .returning(Code.id, Code.user_id)
            .execution_options(synchronize_session=False)
        ).one_or_none()
    if row is None:
        return None
    expected = _digits(row.id, row.user_id, purpose)
    if not hmac.compare_digest(expected.encode(), given.encode()) or row.user_id is None:
        return None
    return Proof(row.id, row.user_id, key)


def take(proof: Proof) -> bool:
    """Use a code up, in the open unit of work: of many callers with the right digits one is served."""
    now = utcnow()
    taken = db.session.execute(
        update(Code)
        .where(Code.id == proof.code_id, Code.used_at.is_(None), Code.expires_at > now)
        .values(used_at=now)
        .returning(Code.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    return taken is not None


def wrong() -> Problem:
    """What to raise for a code that does not hold, for whatever reason alike."""
    return Problem("This code is wrong, used or too old.", code="invalid_code")


def void(user_id: UUID, *, purpose: str | None = None) -> None:
    """Make every code somebody was promised, or those for one purpose, worthless in the open unit of work."""
    which = [Code.user_id == user_id, Code.used_at.is_(None)]
    if purpose is not None:
        which.append(Code.purpose == purpose)
    db.session.execute(
        update(Code).where(*which).values(used_at=utcnow()).execution_options(synchronize_session=False)
    )


def verification_code(code_id: UUID) -> str:
    """The six digits of a code, for whoever writes the mail; the same at each call.

    Raises ``LookupError`` where there is no such code. Keep the result out of logs and tables.
    """
    if current_unit() is None:
        with begin(write=False):
            return verification_code(code_id)
    row = db.session.execute(select(Code.user_id, Code.purpose).where(Code.id == code_id)).one_or_none()
    if row is None or row.user_id is None:
        raise LookupError(f"there is no code {code_id}")
    return _digits(code_id, row.user_id, row.purpose)


def address_key(email: str) -> str:
    """What stands for an address in a table that also counts addresses nobody has here."""
    return keyring().digest(email, purpose="auth.address")


def _digits(code_id: UUID, user_id: UUID | None, purpose: str) -> str:
    # HOTP (RFC 4226) with SHA-256, over the row instead of a counter
    about = b"|".join((code_id.bytes, user_id.bytes if user_id else b"", purpose.encode()))
    digest = hmac.new(keyring().derive("auth.code"), about, hashlib.sha256).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return f"{number % 1_000_000:06d}"

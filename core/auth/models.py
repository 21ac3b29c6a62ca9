"""Tables behind signing in: hashes, ciphertexts, counters. No value in them is accepted as a credential."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utcnow
from core.db import InstanceMixin, Json, model_base

if TYPE_CHECKING:
    from sqlalchemy.orm import DeclarativeBase as Base
else:
    Base = model_base("core")


class Password(Base):
    """Somebody's password, as an argon2id hash. Who signs in otherwise has no row."""

    __tablename__ = "core_password"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("core_user.id", ondelete="CASCADE"), primary_key=True)
    hash: Mapped[str] = mapped_column(String(255))
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)
    must_change: Mapped[bool] = mapped_column(default=False)
    spent: Mapped[bool] = mapped_column(default=False)
    """The well-known first password signs in once; afterwards it is spent."""


class OldPassword(InstanceMixin, Base):
    """A password somebody had before, as its hash: it cannot become theirs again soon."""

    __tablename__ = "core_old_password"
    __table_args__ = (Index(None, "user_id", "created_at"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("core_user.id", ondelete="CASCADE"))
    hash: Mapped[str] = mapped_column(String(255))


class AuthSession(InstanceMixin, Base):
    """What stands behind every token: once ``revoked_at`` is set none of them holds."""

    __tablename__ = "core_session"
    __table_args__ = (Index(None, "user_id", "revoked_at"), Index(None, "expires_at"))

    user_id: Mapped[UUID] = mapped_column(ForeignKey("core_user.id", ondelete="CASCADE"))
    organisation_id: Mapped[UUID | None]
    """The organisation acted for unless the request says otherwise; membership is checked each time."""
    amr: Mapped[list[str]] = mapped_column(Json)
    ip: Mapped[str] = mapped_column(String(45), default="")
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    last_used_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_for: Mapped[str | None] = mapped_column(String(40))


class RefreshToken(InstanceMixin, Base):
    """One link of a session's chain of refresh tokens; only its last one is unused."""

    __tablename__ = "core_refresh_token"
    __table_args__ = (Index(None, "session_id"),)

    session_id: Mapped[UUID] = mapped_column(ForeignKey("core_session.id", ondelete="CASCADE"))
    secret_hash: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class LoginTicket(InstanceMixin, Base):
    """A log-in whose first step is done, in the methods of ``amr``; a second one is still asked for."""

    __tablename__ = "core_login_ticket"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))

    user_id: Mapped[UUID] = mapped_column(ForeignKey("core_user.id", ondelete="CASCADE"))
    secret_hash: Mapped[str] = mapped_column(String(64))
    amr: Mapped[list[str]] = mapped_column(Json)
    attempts: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SecondStep(Base):
    """Somebody does not get in on one step alone; ``plugin`` asks for the other.

    Kept here, so that a plugin that should run and does not lets nobody in.
    """

    __tablename__ = "core_second_step"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("core_user.id", ondelete="CASCADE"), primary_key=True)
    plugin: Mapped[str] = mapped_column(String(40), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Code(InstanceMixin, Base):
    """A six-digit code somebody was promised. The digits are derived from this row, never in it.

    Unknown addresses get rows too, without ``user_id``: they count, and no digits ever fit them.
    """

    __tablename__ = "core_code"
    __table_args__ = (Index(None, "address_key", "purpose", "created_at"), Index(None, "expires_at"))

    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("core_user.id", ondelete="CASCADE"))
    address_key: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(32))
    attempts: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SigningKey(InstanceMixin, Base):
    """A key pair that signs access tokens. States: next → active → retiring → gone.

    ``private`` is encrypted by the keyring, bound to ``kid``.
    """

    __tablename__ = "core_signing_key"
    __table_args__ = (
        CheckConstraint("state IN ('next', 'active', 'retiring', 'gone')", name="state"),
        # processes that start together agree on one key
        Index(
            "uq_core_signing_key_active",
            "purpose",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
    )

    kid: Mapped[str] = mapped_column(String(43), unique=True)
    purpose: Mapped[str] = mapped_column(String(32), default="access")
    state: Mapped[str] = mapped_column(String(16))
    public: Mapped[dict[str, Any]] = mapped_column(Json)
    private: Mapped[str] = mapped_column(Text)
    activated_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]


class Setup(InstanceMixin, Base):
    """The invitation to become the first admin. There is one row: whoever comes first takes it."""

    __tablename__ = "core_setup"

    name: Mapped[str] = mapped_column(String(32), unique=True, default="first-admin")
    token_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None]

"""A shelf of books for each organisation, and a list of words that everybody shares."""

from __future__ import annotations

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Enum, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import InstanceMixin, Json, TenantMixin, UtcDateTime, model_base

Base = model_base("webtest")


class Binding(enum.Enum):
    PAPER = "paperback"
    CLOTH = "cloth"


class Book(TenantMixin, Base):
    __tablename__ = "webtest_book"
    __table_args__ = (UniqueConstraint("organisation_id", "title"),)
    title: Mapped[str] = mapped_column(String(200))
    pages: Mapped[int] = mapped_column(BigInteger, default=0)
    subtitle: Mapped[str | None]
    lent: Mapped[bool] = mapped_column(default=False)
    weight: Mapped[float | None]
    price: Mapped[Decimal | None] = mapped_column(Numeric(8, 2))
    published: Mapped[date | None]
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tags: Mapped[Any | None] = mapped_column(Json)
    binding: Mapped[Binding | None] = mapped_column(Enum(Binding, native_enum=False))

    @property
    def shout(self) -> str:
        return self.title.upper()


class Loan(TenantMixin, Base):
    __tablename__ = "webtest_loan"
    title: Mapped[str]


class Word(InstanceMixin, Base):
    __tablename__ = "webtest_word"
    text: Mapped[str]

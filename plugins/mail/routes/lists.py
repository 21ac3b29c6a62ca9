"""``/admin/mail``: what became of mails, and who gets none."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.api import Blueprint, Select, require
from plugins.mail import ledger, suppression
from plugins.mail.models import MailMessage, MailSuppression
from plugins.mail.schemas import DeliveryFilter, DeliveryOut, SuppressionFilter, SuppressionIn, SuppressionOut

blp = Blueprint("admin_mail", url_prefix="/admin/mail")


@blp.get("/deliveries")
@require("mail.delivery.read")
@blp.page(DeliveryOut, sort=("-createdAt",), filters=DeliveryFilter)
def deliveries() -> Select[MailMessage]:
    """What became of the mails of the last thirty days, newest first. Of recipients a hint is kept."""
    return ledger.listed()


@blp.get("/suppressions")
@require("mail.suppression.read")
@blp.page(SuppressionOut, sort=("-createdAt", "address"), filters=SuppressionFilter)
def suppressions() -> Select[MailSuppression]:
    """Addresses that get no mail, newest first."""
    return suppression.listed()


@blp.post("/suppressions")
@require("mail.suppression.write")
@blp.arguments(SuppressionIn)
@blp.response(201, SuppressionOut)
def add(data: dict[str, Any]) -> MailSuppression:
    """Let an address have no mail any more. 409 where it is on the list by hand already."""
    return suppression.add(**data)


@blp.delete("/suppressions/<uuid:id>")
@require("mail.suppression.write")
@blp.response(204)
def remove(id: UUID) -> None:
    """Let an address have mails again."""
    suppression.remove(id)

"""What vendors tell of mails: each thing once, whole or not at all, in whatever order it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.api import NotFound, Problem, call_hook, db, emit, get_logger, utcnow

from . import ledger, suppression
from .events import MailBounced, MailComplained
from .models import MailInbound
from .tidings import Forged, Reporter, Tiding
from .transport import Refused

log = get_logger(__name__)

MOST_BYTES = 256 * 1024


def receive(provider: str, headers: Mapping[str, str], body: bytes) -> int:
    """Take in what ``provider`` told, in the open unit of work; answers how much of it was new.

    Raises ``NotFound`` for a provider that is none or not set up, and ``Problem``: 401 for a signature
    that does not fit, 400 for a body that makes no sense.
    """
    reporter = _reporter(provider)
    try:
        tidings = reporter.read(headers, body, utcnow())
    except Forged as fault:
        log.warning("tidings of mails refused", provider=provider, reason=str(fault))
        raise Problem("The signature does not hold.", status=401, code="bad_signature") from None
    except (ValueError, RecursionError):
        raise Problem("This cannot be understood.", status=400, code="malformed_json") from None
    new = _new(provider, tidings)
    new.sort(key=lambda tiding: (str(tiding.key), tiding.recipient or ""))  # so do these
    for tiding in new:
        _apply(provider, tiding)
    return len(new)


def _reporter(provider: str) -> Reporter:
    offered: list[Reporter] = [offer for _, offers in call_hook("mail_inbound") for offer in offers]
    for offer in offered:
        if offer.name == provider:
            return offer
    raise NotFound


def _new(provider: str, tidings: Sequence[Tiding]) -> list[Tiding]:
    """Those not told before; from here on they are. Who tells the same at the same time waits here."""
    once = {tiding.id: tiding for tiding in tidings}
    rows = [{"provider": provider, "external_id": t.id, "kind": t.status} for t in once.values()]
    rows.sort(key=lambda row: row["external_id"])  # two batches that overlap must not wait for each other
    if not rows:
        return []
    added = (
        db.unit.upsert(MailInbound)
        .on_conflict_do_nothing(index_elements=[MailInbound.provider, MailInbound.external_id])
        .returning(MailInbound.external_id)
    )
    known = set(db.session.scalars(added, rows).all())
    return [tiding for tiding in once.values() if tiding.id in known]


def _apply(provider: str, tiding: Tiding) -> None:
    row = ledger.find(tiding.key, provider, tiding.reference)
    if row is not None and ledger.advance(row, tiding.status) and tiding.reason:
        row.reason = tiding.reason
    address = _address(tiding.recipient)
    mail_id = row.id if row is not None else None
    if tiding.status == "complained":
        emit(MailComplained(mail_id=mail_id, address=address, provider=provider))
    elif tiding.status == "bounced":
        emit(MailBounced(mail_id=mail_id, address=address, permanent=tiding.permanent, provider=provider))
    reason = "complaint" if tiding.status == "complained" else "bounce" if tiding.permanent else None
    if reason is not None and address is not None:
        suppression.suppress(address, reason, detail=tiding.reason, provider=provider)


def _address(text: str | None) -> str | None:
    try:
        return suppression.normalised(text) if text else None
    except Refused:
        return None

"""From adverts to stored postings: each once, in batches that are durable as a whole, told as events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.api import IntegrityError, begin, db, emit, select, update, utcnow, uuid7

from .api import Advert, Provider, Reading, Skipped
from .events import PostingCreated, PostingIngested, PostingUpdated
from .models import Ingest, Posting
from .normalise import digest, normalise

BATCH = 100  # postings in one transaction: a web request waits for the write lock no longer than that takes
MOST = 20_000  # records of one answer
_REASONS_KEPT = 20

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Result:
    """What became of an answer's records."""

    id: UUID
    created: int
    updated: int
    unchanged: int
    skipped: int
    skipped_records: Sequence[dict[str, str]]

    @property
    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("created", "updated", "unchanged", "skipped")}


def ingest(
    provider: Provider,
    feed: str,
    reading: Reading,
    *,
    run_key: str | None = None,
    progress: Progress | None = None,
) -> Result:
    """Store what was read of ``feed`` and tell of it; reading it again creates nothing.

    Opens its own transactions, so none may be open. A run that was cut off continues when it is
    called again with its ``run_key``. Raises ``FeedError`` before anything is stored where the
    answer cannot be read.
    """
    now = utcnow()
    good, bad = _sorted_out(provider, reading, now)
    with begin():
        run = _open(provider, feed, run_key)
        if run.finished_at is not None:
            return _result(run)
        run.skipped, run.skipped_records = len(bad), [_shown(skip) for skip in bad[:_REASONS_KEPT]]
        run_id = run.id
    for start in range(0, len(good), BATCH):
        _store_durably(run_id, feed, good[start : start + BATCH], now)
        if progress is not None:
            progress(min(start + BATCH, len(good)), len(good))
    with begin():
        return _close(run_id)


def _sorted_out(
    provider: Provider, reading: Iterable[Advert | Skipped], now: datetime
) -> tuple[list[dict[str, Any]], list[Skipped]]:
    good: dict[str, dict[str, Any]] = {}
    bad: list[Skipped] = []
    for number, record in enumerate(reading):
        if number == MOST:
            bad.append(Skipped(f"everything after the first {MOST:,} records"))
            break
        found = normalise(record, provider, now) if isinstance(record, Advert) else record
        if isinstance(found, Skipped):
            bad.append(found)
        elif found["external_id"] in good:
            bad.append(Skipped("listed twice", found["external_id"]))
        else:
            found["digest"] = digest(found)
            good[found["external_id"]] = found
    return list(good.values()), bad


def _open(provider: Provider, feed: str, run_key: str | None) -> Ingest:
    known = db.session.scalar(select(Ingest).where(Ingest.run_key == run_key)) if run_key else None
    if known is not None:
        return known
    run = Ingest(id=uuid7(), feed=feed, provider=provider.name, run_key=run_key)
    run.created = run.updated = run.unchanged = 0
    db.session.add(run)
    return run


def _store_durably(run_id: UUID, feed: str, batch: list[dict[str, Any]], now: datetime) -> None:
    try:
        with begin():
            _store(run_id, feed, batch, now)
    except IntegrityError:  # another run stored some of them meanwhile: now they are known
        with begin():
            _store(run_id, feed, batch, now)


def _store(run_id: UUID, feed: str, batch: list[dict[str, Any]], now: datetime) -> None:
    run = db.session.get_one(Ingest, run_id)
    source = batch[0]["source"]
    ids = [columns["external_id"] for columns in batch]
    there = db.session.scalars(select(Posting).where(Posting.source == source, Posting.external_id.in_(ids)))
    known = {posting.external_id: posting for posting in there}
    elsewhere = _told_elsewhere(source, [c["fingerprint"] for c in batch if c["external_id"] not in known])
    same = []
    for columns in batch:
        posting = known.get(columns["external_id"])
        if posting is None:
            _create(run, feed, columns, elsewhere.get(columns["fingerprint"]), now)
        elif posting.digest != columns["digest"]:
            _update(run, feed, posting, columns, now)
        else:
            same.append(posting.id)
    if same:
        run.unchanged += len(same)
        seen = update(Posting).where(Posting.id.in_(same)).values(last_seen_at=now)
        db.session.execute(seen, execution_options={"synchronize_session": False})


def _told_elsewhere(source: str, fingerprints: list[str]) -> dict[str, UUID]:
    """Postings of other sources for the same jobs."""
    rows = db.session.execute(
        select(Posting.fingerprint, Posting.id).where(
            Posting.fingerprint.in_(fingerprints), Posting.source != source, Posting.duplicate_of.is_(None)
        )
    )
    return {row.fingerprint: row.id for row in rows}


def _create(
    run: Ingest, feed: str, columns: dict[str, Any], duplicate_of: UUID | None, now: datetime
) -> None:
    posting = Posting(
        **{**columns, "posted_at": columns["posted_at"] or now},
        id=uuid7(),
        feed=feed,
        last_seen_at=now,
        duplicate_of=duplicate_of,
        ingest_id=run.id,
    )
    db.session.add(posting)
    run.created += 1
    emit(
        PostingCreated(posting.id, run.id, posting.source, posting.title, posting.company),
        order_key=str(run.id),
    )


def _update(run: Ingest, feed: str, posting: Posting, columns: dict[str, Any], now: datetime) -> None:
    for name, value in columns.items():
        if name != "posted_at" or value is not None:
            setattr(posting, name, value)
    posting.feed, posting.last_seen_at = feed, now
    run.updated += 1
    emit(PostingUpdated(posting.id, run.id, posting.source), order_key=str(run.id))


def _close(run_id: UUID) -> Result:
    run = db.session.get_one(Ingest, run_id)
    run.finished_at = utcnow()
    emit(
        PostingIngested(run.id, run.feed, run.created, run.updated, run.skipped),
        order_key=str(run.id),
    )
    return _result(run)


def _result(run: Ingest) -> Result:
    return Result(run.id, run.created, run.updated, run.unchanged, run.skipped, run.skipped_records)


def _shown(skip: Skipped) -> dict[str, str]:
    return {"id": skip.external_id[:200], "reason": skip.reason[:200]}

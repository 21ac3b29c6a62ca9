"""Walking a chain: every row is hashed again, and the first that does not fit is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from uuid import UUID

from core.api import Select, begin, db, select, unscoped

from .link import BEGINNING, INSTANCE, hash_of
from .models import Chain, Entry, InstanceEntry, OrganisationEntry

_CHUNK = 500


@dataclass(frozen=True)
class Broken:
    """Where a chain breaks: the number of the row, its id where there is one, and how."""

    seq: int
    entry: UUID | None
    fault: str
    detail: str


@dataclass(frozen=True)
class Report:
    """What was found of one chain: how many rows hold, and the first that does not."""

    chain: str
    entries: int
    hash: str
    broken: Broken | None = None

    @property
    def ok(self) -> bool:
        """Whether the whole chain holds."""
        return self.broken is None


def chains() -> list[str]:
    """The names of all chains, also those that have rows and no end."""
    with begin(write=False), unscoped("every chain is verified"):
        known = set(db.session.scalars(select(Chain.name)))
        known |= {
            str(found) for found in db.session.scalars(select(OrganisationEntry.organisation_id).distinct())
        }
        if db.session.scalar(select(InstanceEntry.id).limit(1)) is not None:
            known.add(INSTANCE)
    return sorted(known - {INSTANCE}) + [INSTANCE] * (INSTANCE in known)


def verify(chain: str, exported: Mapping[int, str]) -> Report:
    """Walk one chain to its end; ``exported`` is what was written outside of it, hashes by number.

    What is being added meanwhile does no harm. Opens units of work of its own.
    """
    promised = _end(chain)  # before its rows are read: those it counts are there already
    count, last = 0, BEGINNING
    for entry in _after(chain):
        fault = _fault(chain, entry, count + 1, last, exported)
        if fault is not None:
            return Report(chain, count, last, fault)
        count, last = entry.seq, entry.hash
    missing = _missing_tail(count, promised, exported)
    return Report(chain, count, last, missing or _wrong_end(count, last, _end(chain)))


def _fault(chain: str, entry: Entry, seq: int, last: str, exported: Mapping[int, str]) -> Broken | None:
    if entry.seq != seq:
        return Broken(seq, None, "missing", f"The row before number {entry.seq} is not there.")
    if entry.hash != hash_of(chain, entry):
        if entry.previous != last:
            return Broken(seq, entry.id, "reordered", "Another row stands in this place.")
        return Broken(seq, entry.id, "changed", "What the row says is not what was hashed.")
    if entry.previous != last:
        return Broken(seq, entry.id, "reordered", "It does not follow the row before it.")
    if exported.get(seq, entry.hash) != entry.hash:
        return Broken(seq, entry.id, "rewritten", "The exported end of the chain had another hash here.")
    return None


def _missing_tail(count: int, promised: Chain | None, exported: Mapping[int, str]) -> Broken | None:
    told, noted = max(exported, default=0), promised.seq if promised is not None else 0
    if max(told, noted) <= count:
        return None
    whose = f"number {told} was exported" if told > count else f"number {noted} is noted as its end"
    return Broken(count + 1, None, "cut_off", f"The chain ends here, but {whose}.")


def _wrong_end(count: int, last: str, end: Chain | None) -> Broken | None:
    """Whether the end is noted otherwise; one further on has only grown meanwhile."""
    noted = (end.seq, end.hash) if end is not None else (0, BEGINNING)
    if noted[0] > count or noted == (count, last):
        return None
    return Broken(count, None, "end_changed", f"Number {noted[0]} is noted as the chain's end.")


def _after(chain: str, seq: int = 0) -> Iterator[Entry]:
    """The rows behind ``seq`` in order, some hundred a read."""
    while True:
        with begin(write=False), _sight(chain):
            rows = db.session.scalars(_rows(chain, seq)).all()
        yield from rows
        if len(rows) < _CHUNK:
            return
        seq = rows[-1].seq


def _sight(chain: str) -> AbstractContextManager[None]:
    return nullcontext() if chain == INSTANCE else unscoped("a chain is verified, whoever's it is")


def _rows(chain: str, seq: int) -> Select[Entry]:
    if chain == INSTANCE:
        kind: type[Entry] = InstanceEntry
        statement = select(InstanceEntry)
    else:
        kind = OrganisationEntry
        statement = select(OrganisationEntry).where(OrganisationEntry.organisation_id == UUID(chain))
    return statement.where(kind.seq > seq).order_by(kind.seq).limit(_CHUNK)


def _end(chain: str) -> Chain | None:
    with begin(write=False):
        return db.session.scalars(select(Chain).where(Chain.name == chain)).one_or_none()

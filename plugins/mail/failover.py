"""Handing one mail to the first transport that takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from core.api import call_hook, get_logger

from .breaker import breaker
from .transport import Deferred, Outgoing, Refused, Transport

log = get_logger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of it: taken by ``transport`` and now at ``where``, or ``fault`` and nothing of it sent."""

    transport: str
    where: str = ""
    fault: Deferred | Refused | None = None


def hand_over(mail: Outgoing, names: Sequence[str]) -> Outcome:
    """Try the transports called ``names`` in this order.

    Who refuses the mail speaks for all. Who cannot be reached, is busy or fails gives way to the next;
    a vendor that took the mail and could not say so may thus lead to a second copy, with one ``Message-ID``.
    """
    faults: list[tuple[str, Deferred]] = []
    for name in breaker().order(names):
        try:
            where = _deliver(name, mail)
        except Refused as fault:
            breaker().worked(name)
            return Outcome(name, fault=fault)
        except Deferred as fault:
            breaker().failed(name)
            faults.append((name, fault))
            if len(names) > 1:
                log.warning("transport failed", transport=name, key=str(mail.key), reason=str(fault))
        else:
            breaker().worked(name)
            return Outcome(name, where=where)
    if len(faults) == 1:
        return Outcome(*faults[0][:1], fault=faults[0][1])
    reason = "; ".join(f"{name}: {fault}" for name, fault in faults)
    return Outcome(faults[0][0], fault=Deferred(reason, after=_soonest([f.after for _, f in faults])))


def transport(name: str) -> Transport:
    """The transport called ``name``. Raises ``Deferred`` where no active plugin offers it."""
    offered: list[Transport] = [offer for _, offers in call_hook("mail_transports") for offer in offers]
    for offer in offered:
        if offer.name == name:
            return offer
    there = ", ".join(sorted({offer.name for offer in offered}))
    raise Deferred(f"no transport is called {name!r}; there are {there or 'none'}")


def _deliver(name: str, mail: Outgoing) -> str:
    chosen = transport(name)
    try:
        return chosen.deliver(mail)
    except (Refused, Deferred):
        raise
    except Exception as fault:  # its words are not ours to repeat: they could quote the mail
        raise Deferred(f"transport {name} raised {type(fault).__name__}") from None


def _soonest(waits: Sequence[timedelta | None]) -> timedelta | None:
    """When the first of them can be tried again; ``None`` where one of them did not say."""
    said = [wait for wait in waits if wait is not None]
    return min(said) if len(said) == len(waits) else None

"""Ends of chains outside the database: a line each, signed, for whoever cannot trust the database alone."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.api import data_dir, db, derive_key, select, utcnow

from .link import stamp
from .models import Chain


@dataclass
class Heads:
    """What the file says: by chain and number the hash there was. ``forged`` and ``torn`` count lines
    whose signature is wrong, and lines that are none (a write that a crash cut short)."""

    known: dict[str, dict[int, str]] = field(default_factory=dict)
    forged: int = 0
    torn: int = 0

    def of(self, chain: str) -> Mapping[int, str]:
        """Hashes by number of one chain."""
        return self.known.get(chain, {})


def file() -> Path:
    """Where the lines are: copy it somewhere else, or a database's owner may own it too."""
    return data_dir() / "audit" / "heads.jsonl"


def export() -> dict[str, int]:
    """``audit.export_heads``: append the end of each chain that grew since it was last written.

    Idempotent by chain and number; a line that is written twice says the same twice.
    """
    grown = db.session.scalars(select(Chain).where(Chain.seq > Chain.exported).order_by(Chain.name)).all()
    if grown:
        _append([_line(chain) for chain in grown])
    for chain in grown:
        chain.exported = chain.seq
    return {"exported": len(grown)}


def read() -> Heads:
    """All lines there are; none where nothing was exported yet."""
    heads = Heads()
    try:
        lines = file().read_bytes().splitlines()
    except FileNotFoundError:
        return heads
    for line in lines:
        try:
            said = json.loads(line)
            chain, seq, digest, mac = said["chain"], int(said["seq"]), said["hash"], said["mac"]
            good = hmac.compare_digest(str(mac), _mac(said))
        except (ValueError, KeyError, TypeError):
            heads.torn += bool(line.strip())
            continue
        if good:
            heads.known.setdefault(chain, {})[seq] = digest
        else:
            heads.forged += 1
    return heads


def _line(chain: Chain) -> str:
    said = {"at": stamp(utcnow()), "chain": chain.name, "seq": chain.seq, "hash": chain.hash}
    return json.dumps({**said, "mac": _mac(said)})


def _mac(said: Mapping[str, Any]) -> str:
    about = "|".join(str(said[name]) for name in ("at", "chain", "seq", "hash"))
    return hmac.new(derive_key("audit.heads"), about.encode(), hashlib.sha256).hexdigest()


def _append(lines: list[str]) -> None:
    """Durable when this returns. After a torn line a new one begins."""
    path = file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+b") as opened:
        end = opened.seek(0, os.SEEK_END)
        torn = end > 0 and os.pread(opened.fileno(), 1, end - 1) != b"\n"
        opened.write(("\n" * torn + "".join(f"{line}\n" for line in lines)).encode())
        opened.flush()
        os.fsync(opened.fileno())

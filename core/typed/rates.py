"""Rates as operators write them: ``5/15m``, or several at once, ``5/m 10/h``."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_RATE = re.compile(r"([1-9]\d{0,8})\s*/\s*(\d{0,6})\s*([smhd])")


@dataclass(frozen=True)
class Rate:
    """``amount`` times in any ``seconds``."""

    amount: int
    seconds: int

    def __str__(self) -> str:
        unit = next(unit for unit in "dhms" if self.seconds % _SECONDS[unit] == 0)
        count = self.seconds // _SECONDS[unit]
        return f"{self.amount}/{count if count > 1 else ''}{unit}"

    def times(self, factor: float) -> Rate:
        """The same span with so much more in it, and at least one."""
        return Rate(max(1, int(self.amount * factor)), self.seconds)


def rates(text: str) -> tuple[Rate, ...]:
    """The rates in ``text``, the shortest span first; none for ``off``. Raises ``ValueError``."""
    if text.strip().lower() == "off":
        return ()
    found = [_RATE.fullmatch(part) for part in re.split(r"[\s,]+", text.strip())]
    read = [Rate(int(m[1]), int(m[2] or 1) * _SECONDS[m[3]]) for m in found if m is not None]
    if len(read) != len(found) or not all(rate.seconds for rate in read):
        raise ValueError("Must be rates such as 5/15m or 5/m 10/h, or off.")
    return tuple(sorted(read, key=lambda rate: rate.seconds))

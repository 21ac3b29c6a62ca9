"""The database's clock, for leases: hosts that share a database need not agree about the time.

What is *due* goes by each process's own clock (``core.clock``), which tests can move.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from core.db import UtcDateTime


class db_now(FunctionElement[Any]):  # noqa: N801  reads as the SQL function it is
    """``db_now(5)``: five seconds from now, as the database counts, also inside a long transaction."""

    type = UtcDateTime()
    inherit_cache = True
    name = "db_now"

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(literal(float(seconds), Float))


@compiles(db_now, "postgresql")
def _postgresql(element: db_now, compiler: Any, **kw: Any) -> str:
    return f"(clock_timestamp() + make_interval(secs => {compiler.process(element.clauses, **kw)}))"


@compiles(db_now, "sqlite")
def _sqlite(element: db_now, compiler: Any, **kw: Any) -> str:
    # six digits, as SQLAlchemy stores moments: they are compared as text
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', {compiler.process(element.clauses, **kw)} || ' seconds')"

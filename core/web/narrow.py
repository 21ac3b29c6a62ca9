"""What a list request adds to a view's statement: filters, order, where to begin, how many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, Select, bindparam

from .filters import Comparison
from .paging import Key, beyond, order_by

LIMIT = "page_limit"


@dataclass(frozen=True)
class Shape:
    """All that changes the SQL of a request; values travel as parameters."""

    filters: tuple[Comparison, ...] = ()
    order: tuple[Key, ...] = ()
    continued: bool = False


ONE = Shape()
"""A single resource."""


def narrow(statement: Select[Any], model: type[Any], shape: Shape) -> Select[Any]:
    """``statement`` with ``shape`` put on, its values left open as named parameters."""
    for comparison in shape.filters:
        statement = statement.where(comparison.criterion(model))
    if shape.order:
        if shape.continued:
            statement = statement.where(beyond(model, shape.order))
        return statement.order_by(*order_by(model, shape.order)).limit(bindparam(LIMIT, type_=Integer()))
    return statement.limit(1)

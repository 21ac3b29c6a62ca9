"""The ground under every row: engine, units of work, scopes, models."""

from .base import (
    InstanceMixin,
    TableNameError,
    TenantMixin,
    configure,
    forget,
    metadata,
    model_base,
    tables_of,
    tenant_fk,
    tenant_tables,
)
from .engine import Database, database
from .guard import SCOPED, ScopeError
from .row_security import RowSecurityError
from .types import Json, UtcDateTime, uuid7
from .unit import Unit, UnitSession, acting_for, begin, current_unit, db, unscoped

__all__ = [
    "SCOPED",
    "Database",
    "InstanceMixin",
    "Json",
    "RowSecurityError",
    "ScopeError",
    "TableNameError",
    "TenantMixin",
    "Unit",
    "UnitSession",
    "UtcDateTime",
    "acting_for",
    "begin",
    "configure",
    "current_unit",
    "database",
    "db",
    "forget",
    "metadata",
    "model_base",
    "tables_of",
    "tenant_fk",
    "tenant_tables",
    "unscoped",
    "uuid7",
]

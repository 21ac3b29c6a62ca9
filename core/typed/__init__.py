"""Typed values: dataclasses as marshmallow schemas, secrets that never show, durations and sizes.

The same mechanism reads core's tables of ``plugins.toml``, the settings of plugins and the
payloads of events.
"""

from .fields import Bytes, BytesField, DurationField, UtcField, duration_text
from .jsonschema import json_schema
from .rates import Rate, rates
from .schema import described, schema_of
from .secret import MASK, Secret, SecretField

__all__ = [
    "MASK",
    "Bytes",
    "BytesField",
    "DurationField",
    "Rate",
    "Secret",
    "SecretField",
    "UtcField",
    "described",
    "duration_text",
    "json_schema",
    "rates",
    "schema_of",
]

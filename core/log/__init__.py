"""The log: one line an event, for machines or for people, without secrets.

    log = get_logger(__name__)
    log.info("mail sent", to_domain="example.org", attempt=2)

Each line carries ``time``, ``level``, ``logger``, ``message`` and, where they are known, ``request_id``,
``organisation`` and ``plugin``. What libraries say through ``logging`` takes the same way.
"""

from .logger import Logger, get_logger, init
from .redact import redact, redacted

__all__ = ["Logger", "get_logger", "init", "redact", "redacted"]

"""Clerk: a publishable key is the address of the application's issuer in disguise.

https://clerk.com/docs/guides/how-clerk-works/overview
"""

from __future__ import annotations

import base64
import re

_KEY = re.compile(r"pk_(?:live|test)_([A-Za-z0-9+/_-]+=*)")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]{1,5})?")


def issuer_of(publishable_key: str) -> str:
    """``https://<host>``. Raises ``ValueError`` for what is no such key."""
    match = _KEY.fullmatch(publishable_key)
    if match is None:
        raise ValueError("no publishable key")
    padded = match[1].rstrip("=") + "=" * (-len(match[1].rstrip("=")) % 4)
    host = base64.b64decode(padded, altchars=b"-_").decode("ascii").removesuffix("$")
    if not _HOST.fullmatch(host):
        raise ValueError("no publishable key")
    return f"https://{host}"

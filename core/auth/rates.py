"""How often the routes of this room answer: rows 11 and E2 of the decisions; the last two are ours.

What only reads, and what changes one's own account without a password or a code, has no window here.
"""

from __future__ import annotations

from core.web import rate_limit

login = rate_limit("auth.login", "5/15m")
register = rate_limit("auth.register", "3/h")
others = rate_limit("auth.*", "5/m")

mails = rate_limit("auth.mail", "10/h")
"""What sends mail to an address that anybody may name, beside the three an hour for that address."""

passwords = rate_limit("auth.password", "5/15m", by="user")
"""What asks somebody signed in for their password: a token left lying about is no way to guess it."""

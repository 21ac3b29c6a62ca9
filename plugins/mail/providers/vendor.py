"""What vendors' HTTP interfaces have in common: one request a mail, and what its answer means."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from core.api import OutgoingError, http_client, retry_after, utcnow
from plugins.mail.transport import Deferred, Outgoing, Refused, quoted

LONGEST_WAIT = timedelta(hours=1)
_ANSWER_BYTES = 65_536
_OUR_OWN = frozenset(
    {
        *("from", "to", "subject", "date", "message-id", "mime-version", "content-type"),
        "content-transfer-encoding",
    }
)


def post(url: str, *, key: str, body: Any, timeout: float, headers: Mapping[str, str] | None = None) -> Any:
    """Send ``body`` as JSON and answer the response. Raises ``Deferred`` where there is none."""
    wanted = {"Authorization": f"Bearer {key}", "Accept": "application/json", **(headers or {})}
    try:
        with http_client(timeout=timeout, max_bytes=_ANSWER_BYTES) as client:
            return client.post(url, headers=wanted, json=body)
    except OutgoingError as fault:
        raise Deferred(fault.reason) from None


def judge(answer: Any, said: str, *, about_the_mail: Collection[int]) -> None:
    """Return where the mail was taken (2xx).

    Raises ``Refused`` for a status of ``about_the_mail`` and ``Deferred`` for any other: a wrong key, a
    domain not verified, too many requests, a fault of theirs. An operator or time can mend those.
    """
    status = answer.status_code
    if 200 <= status < 300:
        return
    reason = f"it answered {status} {quoted(said)}".rstrip()
    if status in about_the_mail:
        raise Refused(reason)
    raise Deferred(reason, after=retry_after(answer.headers.get("Retry-After"), utcnow(), most=LONGEST_WAIT))


def content(mail: Outgoing) -> tuple[str, str]:
    """The text and the HTML of ``mail``."""
    return _body(mail, "plain"), _body(mail, "html")


def own_headers(mail: Outgoing) -> dict[str, str]:
    """The headers that a vendor does not make itself."""
    return {name: str(value) for name, value in mail.message.items() if name.lower() not in _OUR_OWN}


def json_of(answer: Any) -> Any:
    """The answer's JSON, or ``None``: a mail that was taken is taken, whatever the words."""
    try:
        return answer.json()
    except ValueError:
        return None


def _body(mail: Outgoing, kind: str) -> str:
    part = mail.message.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""

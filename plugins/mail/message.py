"""From texts to an RFC 5322 message, with nothing in its headers that was not meant to be there."""

from __future__ import annotations

import re
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UniqueUnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import getaddresses
from uuid import UUID

from .render import Content
from .transport import Outgoing, Refused

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")
_LINK = re.compile(r"https://[\x21-\x3b\x3d\x3f-\x7e]{1,900}")  # no space, no angle bracket
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_ADDRESS_LIMIT = 254  # RFC 5321 4.5.3.1.3, without the angle brackets
_LINE_LIMIT = 990  # RFC 5322 2.1.1 allows 998 octets


class _OneLine(UniqueUnstructuredHeader, BaseHeader):  # type: ignore[misc]  # of the stubs
    """Written as it is: folding would turn an address that is long into an encoded word (RFC 2369, 2)."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _OneLine)


def address(text: str) -> Address:
    """One bare address, its domain in the ASCII form the mail system speaks.

    Raises ``Refused`` for anything else: a list, a display name, a line break.
    """
    if _CONTROL.search(text) or len(text) > _ADDRESS_LIMIT:
        raise Refused("the address holds a control character or is too long")
    local, at, domain = text.rpartition("@")
    shape = _FOREIGN.sub("x", local)  # the parser knows ASCII only; RFC 6531 allows letters beyond it
    try:
        parsed = Address(addr_spec=f"{shape}{at}{domain.encode('idna').decode('ascii')}")
    except (MessageError, ValueError, IndexError) as fault:
        raise Refused("this is not one e-mail address") from fault
    if not parsed.username or not parsed.domain or not local.isprintable():
        raise Refused("this is not one e-mail address")
    if len(parsed.addr_spec) > _ADDRESS_LIMIT:  # a domain grows when it is spelt in ASCII
        raise Refused("the address is too long")
    return Address(username=local, domain=parsed.domain) if shape != local else parsed


def mailbox(text: str) -> Address:
    """``Name <address>`` or a bare address. Raises ``Refused``."""
    if _CONTROL.search(text):
        raise Refused("the sender holds a control character")
    pairs = getaddresses([text])
    if len(pairs) != 1:
        raise Refused("the sender is not one address")
    name, bare = pairs[0]
    found = address(bare)
    return Address(display_name=name, username=found.username, domain=found.domain)


def compose(
    content: Content, *, to: str, sender: str, key: UUID, now: datetime, unsubscribe: str | None = None
) -> Outgoing:
    """A multipart message with text and HTML. Raises ``Refused`` where a header would be unsafe.

    ``Message-ID`` is made of ``key``: whoever receives a second attempt can tell that it is one.
    ``unsubscribe`` is an address that takes a POST (RFC 8058).
    """
    recipient, author = address(to), mailbox(sender)
    if _CONTROL.search(content.subject):
        raise Refused("the subject holds a control character")
    international = not (recipient.username.isascii() and author.username.isascii())
    message = EmailMessage(policy=SMTP.clone(utf8=international, cte_type="7bit", header_factory=_HEADERS))
    message["From"] = author
    message["To"] = recipient
    message["Subject"] = content.subject
    message["Date"] = now
    message["Message-ID"] = f"<{key}@{author.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers to us
    if unsubscribe is not None:
        if not _LINK.fullmatch(unsubscribe):
            raise Refused("the address to unsubscribe at is none")
        message["List-Unsubscribe"] = f"<{unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(content.text, cte=_encoding(content.text))
    message.add_alternative(content.html, subtype="html", cte=_encoding(content.html))
    return Outgoing(key, author.addr_spec, recipient.addr_spec, message)


def _encoding(text: str) -> str:
    """Plain where it can be, so that a person may read the file; else quoted-printable."""
    lines = text.splitlines()
    plain = text.isascii() and all(len(line) < _LINE_LIMIT and not _CONTROL.search(line) for line in lines)
    return "7bit" if plain else "quoted-printable"

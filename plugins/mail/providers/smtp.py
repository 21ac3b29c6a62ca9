"""Mails over SMTP: STARTTLS, TLS from the start, or none, and which answers mean "never"."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from plugins.mail.config_smtp import PORTS
from plugins.mail.transport import Deferred, Outgoing, Refused, quoted

_CHECK_TIMEOUT = 0.5  # seconds for each answer: health has one second in all
_NOT_ABOUT_THE_MAIL = {530, 534, 535, 538}  # RFC 4954: our log-in is missing or wrong


class SmtpTransport:
    """Hands each mail to one server. ``options`` are the plugin's ``smtp`` settings.

    A 5xx answer to this sender, recipient or text is ``Refused``. Everything that says nothing
    about the mail is ``Deferred``: no connection, 4xx, a failed log-in, a greeting of 554, a
    server without STARTTLS. An operator can mend those, and the mail should still be there.
    """

    name = "smtp"

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._host: str = options["host"]
        self._port: int = options["port"] or PORTS[options["security"]]

    def deliver(self, mail: Outgoing) -> str:
        """Hand the mail over and answer the server's name."""
        server = self._connect(self._options["timeout"], login=True)
        international = mail.message.policy.utf8  # type: ignore[attr-defined]
        if international and not server.has_extn("smtputf8"):
            _leave(server)
            raise Refused("the server cannot carry an address that is not ASCII")
        try:
            server.sendmail(
                mail.sender,
                [mail.recipient],
                mail.message.as_bytes(),
                mail_options=["SMTPUTF8", "BODY=8BITMIME"] if international else (),
            )
        except smtplib.SMTPRecipientsRefused as fault:
            raise _judged(*fault.recipients[mail.recipient]) from None
        except smtplib.SMTPResponseException as fault:
            raise _judged(fault.smtp_code, fault.smtp_error) from None
        except (OSError, smtplib.SMTPException) as fault:
            raise Deferred(f"{self._where}: {_said(fault)}") from None
        finally:
            _leave(server)  # what was accepted is sent, however the goodbye goes
        return self._where

    def check(self) -> None:
        """The server answers, and offers the protection asked for."""
        _leave(self._connect(_CHECK_TIMEOUT, login=False))

    @property
    def _where(self) -> str:
        return f"{self._host}:{self._port}"

    def _connect(self, timeout: float, *, login: bool) -> smtplib.SMTP:
        security = self._options["security"]
        server: smtplib.SMTP | None = None
        try:
            if security == "tls":
                server = smtplib.SMTP_SSL(self._host, self._port, timeout=timeout, context=self._tls())
            else:
                server = smtplib.SMTP(self._host, self._port, timeout=timeout)
            server.ehlo_or_helo_if_needed()
            if security == "starttls":
                server.starttls(context=self._tls())  # raises where it is not offered: no silent plain text
                server.ehlo()
            if login and self._options["user"]:
                server.login(self._options["user"], self._options["password"].reveal())
        except (OSError, smtplib.SMTPException) as fault:
            if server is not None:
                _leave(server)
            raise Deferred(f"{self._where}: {_said(fault)}") from None
        return server

    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._options["ca_file"])


def _judged(code: int, reply: bytes | str) -> Exception:
    text = f"the server answered {code} {quoted(reply)}"
    if 500 <= code < 600 and code not in _NOT_ABOUT_THE_MAIL:
        return Refused(text)
    return Deferred(text)


def _said(fault: Exception) -> str:
    if isinstance(fault, smtplib.SMTPResponseException):
        return f"{fault.smtp_code} {quoted(fault.smtp_error)}"
    return f"{type(fault).__name__}: {fault}"


def _leave(server: smtplib.SMTP) -> None:
    with suppress(OSError, smtplib.SMTPException):
        server.quit()
    server.close()

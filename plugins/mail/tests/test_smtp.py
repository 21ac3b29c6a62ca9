"""The SMTP transport against a real server: what is sent, and which answers mean "never"."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from core.api import Secret
from plugins.mail.message import compose
from plugins.mail.providers.smtp import SmtpTransport
from plugins.mail.render import Content
from plugins.mail.transport import Deferred, Outgoing, Refused

from .conftest import Certificate, Mailbox, free_port, only

Serve = Callable[..., Mailbox]


def mail(to: str = "ann@example.com", key: UUID | None = None) -> Outgoing:
    content = Content("Code 123456", "Your code is 123456.\n.\nBye\n", "<p>Your code is 123456.</p>")
    return compose(
        content, to=to, sender="Jobstead <jobs@example.org>", key=key or uuid4(), now=datetime.now(UTC)
    )


def to(port: int, **options: Any) -> SmtpTransport:
    defaults: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "user": None,
        "password": None,
        "timeout": 5.0,
        "ca_file": None,
    }
    return SmtpTransport(defaults | options)


def test_a_mail_arrives_as_it_was_composed(serve: Serve) -> None:
    server = serve()
    key = uuid4()
    assert to(server.port).deliver(mail(key=key)) == f"127.0.0.1:{server.port}"
    (taken,) = server.taken
    assert server.recipients == ["ann@example.com"]
    assert taken["Message-ID"] == f"<{key}@example.org>"
    assert taken["From"] == "Jobstead <jobs@example.org>"
    text = taken.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == "Your code is 123456.\n.\nBye\n"


@pytest.mark.parametrize("answer", ["550 5.1.1 no such mailbox", "552 mailbox full", "501 bad address"])
def test_a_refused_recipient_is_refused_for_good(serve: Serve, answer: str) -> None:
    server = serve()
    server.rcpt.append(answer)
    with pytest.raises(Refused, match=answer[:3]):
        to(server.port).deliver(mail())
    assert server.taken == []


def test_a_refused_text_is_refused_for_good_and_its_code_not_repeated(serve: Serve) -> None:
    server = serve()
    server.data.append("554 looks like spam: Your code is 123456")
    with pytest.raises(Refused) as refused:
        to(server.port).deliver(mail())
    assert "554 looks like spam" in str(refused.value)
    assert "123456" not in str(refused.value)


@pytest.mark.parametrize("stage", ["rcpt", "data"])
def test_a_4xx_is_deferred_and_the_next_attempt_succeeds(serve: Serve, stage: str) -> None:
    server = serve()
    getattr(server, stage).append("451 4.7.1 greylisted, come back later")
    key = uuid4()
    with pytest.raises(Deferred, match="451"):
        to(server.port).deliver(mail(key=key))
    to(server.port).deliver(mail(key=key))
    assert [taken["Message-ID"] for taken in server.taken] == [f"<{key}@example.org>"]


def test_no_server_is_deferred() -> None:
    port = free_port()
    with pytest.raises(Deferred, match=str(port)):
        to(port).deliver(mail())


def test_starttls_protects_the_mail_and_the_log_in(serve: Serve, certificate: Certificate) -> None:
    server = serve(
        tls_context=certificate.context,
        require_starttls=True,
        authenticator=only("jobs", "open sesame"),
        auth_required=True,
    )
    secure = {"security": "starttls", "ca_file": str(certificate.file), "user": "jobs"}
    to(server.port, **secure, password=Secret("open sesame")).deliver(mail())
    assert server.encrypted == [True]
    with pytest.raises(
        Deferred, match="535"
    ) as wrong:  # an operator's mistake: the mail waits for its mending
        to(server.port, **secure, password=Secret("open barley")).deliver(mail())
    assert "open barley" not in str(wrong.value)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_log_in_that_is_asked_for_and_not_set_is_deferred(serve: Serve) -> None:
    server = serve(auth_required=True, auth_require_tls=False, authenticator=only("jobs", "open sesame"))
    with pytest.raises(Deferred, match="530"):
        to(server.port).deliver(mail())


def test_tls_from_the_start(serve: Serve, certificate: Certificate) -> None:
    server = serve(ssl_context=certificate.context)
    transport = to(server.port, security="tls", ca_file=str(certificate.file))
    transport.check()
    transport.deliver(mail())
    assert len(server.taken) == 1


def test_a_server_without_starttls_gets_nothing(serve: Serve) -> None:
    server = serve()
    with pytest.raises(Deferred, match="STARTTLS"):
        to(server.port, security="starttls").deliver(mail())
    assert server.taken == []


def test_an_untrusted_certificate_gets_nothing(serve: Serve, certificate: Certificate) -> None:
    server = serve(tls_context=certificate.context)
    with pytest.raises(Deferred, match="CERTIFICATE_VERIFY_FAILED"):
        to(server.port, security="starttls").deliver(mail())
    assert server.taken == []


def test_an_address_beyond_ascii_needs_a_server_that_carries_it(serve: Serve) -> None:
    able, unable = serve(), serve(enable_SMTPUTF8=False)
    to(able.port).deliver(mail("ännchen@example.com"))
    assert able.recipients == ["ännchen@example.com"]
    with pytest.raises(Refused):
        to(unable.port).deliver(mail("ännchen@example.com"))


def test_the_check_says_whether_the_server_answers(serve: Serve) -> None:
    to(serve().port).check()
    with pytest.raises(Deferred):
        to(free_port()).check()

"""Messages: valid RFC 5322, one recipient, and no header that a value could smuggle in."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from uuid import uuid4

import pytest

from plugins.mail.message import address, compose, mailbox
from plugins.mail.render import Content, render, templates
from plugins.mail.transport import Outgoing, Refused

SITE = {"site": "Jobstead", "site_url": "https://jobs.example.org"}
TEMPLATES = Path(__file__).parents[1] / "templates"
CONTEXTS = {
    "otp": {"name": "Ann", "purpose": "verify_email", "code": "123456"},
    "account_exists": {"name": "Ann"},
    "email_changed": {"name": "Ann", "new": "anna@example.net", "ip": "192.0.2.7", "by_admin": False},
    "password_changed": {"name": "Ann", "ip": "192.0.2.7"},
    "password_reset": {"name": "Ann", "code": "123456", "link": "https://jobs.example.org/reset-password"},
    "security_alert": {"name": "Ann", "kind": "refresh_reused", "ip": "192.0.2.7"},
    "welcome": {"name": "Ann"},
    "invitation": {
        "inviter": "Ann",
        "organisation": "Acme",
        "role": "viewer",
        "token": "jst_inv_x",
        "link": "",
    },
    "account_created": {"name": "Ann", "has_password": False},
    "account_notice": {"name": "Ann", "kind": "deleted", "until": "2026-12-05", "roles": ""},
    "organisation_notice": {"name": "Ann", "organisation": "Acme", "kind": "restored", "until": ""},
    "notice": {"title": "Ready", "body": "It is ready.", "link": "https://jobs.example.org/x"},
}


def made(content: Content, to: str = "ann@example.com", sender: str = "Jobs <jobs@example.org>") -> Outgoing:
    return compose(content, to=to, sender=sender, key=uuid4(), now=datetime.now(UTC))


def read(mail: Outgoing) -> EmailMessage:
    return message_from_bytes(mail.message.as_bytes(), policy=SMTP)


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize("template", templates())
def test_every_template_makes_a_valid_message(template: str) -> None:
    mail = made(render(template, SITE | CONTEXTS[template]))
    raw = mail.message.as_bytes()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert raw.count(b"\n") == raw.count(b"\r\n")
    message = read(mail)
    for part_of_it in message.walk():
        assert part_of_it.defects == []
    for header in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version"):
        assert len(message.get_all(header, [])) == 1
        assert message[header].defects == ()
    assert message["To"].addresses[0].addr_spec == "ann@example.com"
    assert "https://jobs.example.org" in part(message, "plain")
    assert "viewport" in part(message, "html")


def test_a_code_stands_in_both_parts_and_not_in_the_subject() -> None:
    message = read(made(render("otp", SITE | CONTEXTS["otp"])))
    assert "123456" in part(message, "plain")
    assert "123456" in part(message, "html")
    assert "123456" not in message["Subject"]


def test_html_escapes_what_people_typed() -> None:
    message = read(made(render("welcome", SITE | {"name": "<script>Ann & Co"})))
    assert "<script>Ann & Co" in part(message, "plain")
    assert "&lt;script&gt;Ann &amp; Co" in part(message, "html")
    assert "<script>" not in part(message, "html")


def test_text_beyond_ascii_and_very_long_lines_survive() -> None:
    content = Content("Grüße", "Schöne Grüße\n" + "x" * 3000 + "\n", "<p>" + "ö" * 3000 + "</p>\n")
    mail = made(content)
    assert all(len(line) <= 998 for line in mail.message.as_bytes().split(b"\r\n"))
    message = read(mail)
    assert message["Subject"] == "Grüße"
    assert part(message, "plain") == content.text
    assert part(message, "html") == content.html


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.com\r\nBcc: eve@example.com",
        "ann@example.com\nBcc: eve@example.com",
        "ann@example.com\rX: y",
        "ann@example.com\u2028X: y",
        "ann@example.com, eve@example.com",
        "ann@example.com;eve@example.com",
        "Ann <ann@example.com>",
        "änn, eve@example.com",
        "ann",
        "ann@",
        "@example.com",
        "ann eve@example.com",
        "ann@example..com",
        "a" * 250 + "@example.com",
        "a@" + "ü." * 120 + "example",
        "",
    ],
)
def test_what_is_not_one_address_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        address(text)


def test_domains_are_written_as_the_mail_system_reads_them() -> None:
    assert address("ann@bücher.example").addr_spec == "ann@xn--bcher-kva.example"


@pytest.mark.parametrize("text", ["a@b.example, c@d.example", "Jobs\r\nBcc: x <a@b.example>", "Jobs", ""])
def test_a_sender_that_is_not_one_mailbox_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        mailbox(text)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x00", "\u2028"])
def test_a_subject_cannot_grow_headers(end: str) -> None:
    content = render("notice", SITE | CONTEXTS["notice"] | {"title": f"Ready{end}Bcc: eve@example.com"})
    with pytest.raises(Refused):
        made(content)


def test_a_template_says_what_it_lacks() -> None:
    with pytest.raises(LookupError, match="'code' is undefined"):
        render("otp", SITE | {"name": "", "purpose": "verify_email"})
    with pytest.raises(LookupError, match="otp"):
        render("opt", {})


def test_a_code_does_not_show_in_a_repr() -> None:
    assert "123456" not in repr(made(render("otp", SITE | CONTEXTS["otp"])))


@pytest.mark.parametrize(
    "kind",
    [
        *(
            "mfa_factor_added",
            "mfa_factor_removed",
            "mfa_removed",
            "mfa_recovery_codes_replaced",
            "mfa_reset",
        ),
        *("mfa_recovery_code_used", "mfa_tries_exhausted", "identity_linked", "identity_unlinked"),
    ],
)
def test_an_alert_says_what_happened_and_where_from_if_that_is_known(kind: str) -> None:
    alert = {"name": "Ann", "kind": kind}
    known = render("security_alert", SITE | alert | {"ip": "192.0.2.7"})
    unknown = render("security_alert", SITE | alert | {"ip": ""})
    for content in (known, unknown):
        for body in (content.text, content.html):
            assert "something unusual" not in body
    for body in (known.text, known.html):
        assert ("from the address 192.0.2.7" in " ".join(body.split())) == (kind != "mfa_reset")
    assert "address" not in unknown.text


def test_every_template_stands_in_the_catalogue() -> None:
    shipped = {path.stem for path in TEMPLATES.iterdir()} - {"layout"}
    assert shipped == set(templates()) == set(CONTEXTS)

"""What mails carry beside their words, where they lead, and what nobody but their reader learns."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
import time_machine

from core.api import begin, utcnow
from core.testing import Instance
from plugins.mail import suppression
from plugins.mail.accounts import readable
from plugins.mail.api import send

from .conftest import deliveries, through
from .test_sending import everything_stored, register
from .vendors import API_KEY, Answer, Vendor

UNSUBSCRIBE = f"https://jobs.example.org/api/v1/notifications/unsubscribe/{'t0ken' * 30}"
NOTICE = {"title": "Ready", "body": "It is ready.", "link": None}


def mails(instance: Instance) -> list[EmailMessage]:
    folder = instance.home / "var" / "mail"
    return [message_from_bytes(path.read_bytes(), policy=SMTP) for path in sorted(folder.glob("*.eml"))]


def wish(instance: Instance, template: str = "notice", **more: Any) -> None:
    context = more.pop("context", NOTICE)
    with instance.app.app_context(), begin():
        send(to="ann@example.com", template=template, context=context, key=template, **more)
    instance.drain()


def test_a_mail_one_may_do_without_says_how_to_be_rid_of_it(instance: Instance) -> None:
    instance.plugins("mail")
    wish(instance, unsubscribe=UNSUBSCRIBE)
    wish(instance, "password_changed", context={"name": "Ann", "ip": "::1"}, unsubscribe=UNSUBSCRIBE)
    notice, security = sorted(mails(instance), key=lambda mail: mail["Subject"] != "Ready")
    assert notice["List-Unsubscribe"] == f"<{UNSUBSCRIBE}>"
    assert notice["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert security["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    "address",
    [
        "http://jobs.example.org/x",
        "https://x/\r\nBcc: eve@example.com",
        "https://x/>, <mailto:eve@example.com",
        "https://x/ y",
    ],
)
def test_an_address_to_unsubscribe_at_cannot_grow_headers(instance: Instance, address: str) -> None:
    instance.plugins("mail")
    wish(instance, unsubscribe=address)
    assert mails(instance) == []


def test_links_begin_with_the_public_address(instance: Instance) -> None:
    instance.environ["PUBLIC_URL"] = "https://jobs.example.org"
    instance.plugins("mail")
    ann = instance.person("ann@example.com")
    ann.post("/orgs", {"name": "Acme", "slug": "acme"})
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher"}
    ann.post("/orgs/acme/invitations", {"email": "bob@example.com", "role": "viewer"}, headers=evil)
    instance.app.test_client().post(
        "/api/v1/auth/forgot-password", json={"email": "ann@example.com"}, headers=evil
    )
    instance.drain()
    bodies = [str(part.get_content()) for mail in mails(instance) for part in mail.iter_parts()]
    links = {link for body in bodies for link in re.findall(r"[a-z]+://[^/\s\"<]+", body)}
    assert links == {"https://jobs.example.org"}


def test_a_name_is_no_place_for_a_link() -> None:
    """Names with addresses are refused today; rows may be older than that."""
    assert readable("Win at https://evil.example/x www.evil.example") == "Win at evil.example/x evil.example"


def test_a_code_stays_between_vendor_and_reader(
    instance: Instance, resend: Vendor, capfd: pytest.CaptureFixture[str]
) -> None:
    through(instance, resend)
    root = instance.person("root@example.com", role="superadmin")
    instance.drain()
    echo = {"name": "application_error", "message": "cannot send: %s"}
    resend.answers.append(Answer(500, echo))
    register(instance)
    instance.drain()
    body = resend.asked[-1]["body"]
    code = re.search(r"\b\d{6}\b", body["text"])
    assert code is not None
    resend.answers.append(Answer(500, {"name": "x", "message": f"cannot send {code[0]}"}))
    with time_machine.travel(utcnow() + timedelta(minutes=1)):
        instance.drain()
    with time_machine.travel(utcnow() + timedelta(minutes=3)):
        instance.drain()
    assert code[0] in resend.taken[-1]["text"]
    mail = deliveries(root, "?template=otp")[-1]
    assert (mail["status"], mail["attempts"], mail["recipient"]) == ("sent", 3, "a***@example.com")
    assert code[0] not in json.dumps(deliveries(root))
    assert code[0] not in root.post("/admin/templates/otp/preview", {}).text
    said = "".join(capfd.readouterr())
    assert "mail sent" in said
    for secret in (code[0], API_KEY):
        assert secret not in said
        assert secret not in everything_stored(instance)
        assert secret not in root.get("/plugins/mail").text


def test_an_audit_hears_who_gets_mail_and_what_it_says(instance: Instance) -> None:
    instance.plugins("mail")
    admin = instance.person("root@example.com", role="admin")
    made = admin.post("/admin/mail/suppressions", {"address": "ann@example.com"}).json or {}
    admin.delete(f"/admin/mail/suppressions/{made['id']}")
    words = {"subject": "Hi", "text": "Hi", "html": "<p>Hi</p>"}
    admin.put("/admin/templates/welcome", words)
    admin.delete("/admin/templates/welcome")
    admin.delete("/admin/templates/welcome")
    stored = everything_stored(instance)
    for event in ("suppression_added", "suppression_removed", "template_changed", "template_reverted"):
        assert stored.count(f"'mail.{event}'") == 1
    with instance.app.app_context(), begin():
        assert suppression.suppress("ann@example.com", "bounce")
        assert not suppression.suppress("ann@example.com", "complaint")

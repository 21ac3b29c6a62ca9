"""What vendors tell: counted once, in whatever order it comes, and never a reason to break."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine

from core.api import begin, db, select, utcnow
from core.testing import Databases, Person
from plugins.mail import ledger
from plugins.mail.models import MailInbound, MailMessage

from .conftest import deliveries
from .telling import (
    PERMANENT,
    TRANSIENT,
    ecdsa,
    fresh,
    from_resend,
    from_sendgrid,
    listening,
    of_resend,
    of_sendgrid,
    post,
    suppressed,
    svix,
)


@pytest.fixture(scope="module")
def admin(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """One instance for all tests here, which look at mails and addresses of their own."""
    made = listening(tmp_path_factory.mktemp("inbound"), databases)
    yield made.person("root@example.com", role="admin")
    made.close()


def a_mail(admin: Person, transport: str, reference: str = "") -> Any:
    """The key of a mail that was handed over."""
    key = uuid4()
    with admin.instance.app.app_context():
        ledger.enter(key, "welcome", "ann@example.com", None)
        ledger.note(key, "sent", transport=transport, reference=reference)
    return key


def status(admin: Person, key: Any) -> str:
    with admin.instance.app.app_context(), begin(write=False):
        return str(db.session.get_one(MailMessage, key).status)


@pytest.mark.parametrize(
    ("kind", "more", "now", "why"),
    [
        ("sent", {}, "sent", None),
        ("delivered", {}, "delivered", None),
        ("bounced", PERMANENT, "bounced", "bounce"),
        ("bounced", TRANSIENT, "bounced", None),
        ("complained", {}, "complained", "complaint"),
        ("suppressed", {"suppressed": {"message": "on their list"}}, "suppressed", "bounce"),
        ("failed", {"failed": {"reason": "quota"}}, "failed", None),
        ("opened", {}, "sent", None),
        ("invented", {}, "sent", None),
    ],
)
def test_resend_tells_what_became_of_a_mail(
    admin: Person, kind: str, more: dict[str, Any], now: str, why: str | None
) -> None:
    key, to = a_mail(admin, "resend"), fresh()
    assert from_resend(admin, of_resend(kind, to, key, **more)) == 204
    assert (status(admin, key), suppressed(admin, to)) == (now, why)


@pytest.mark.parametrize(
    ("event", "now", "why"),
    [
        ({"event": "processed"}, "sent", None),
        ({"event": "delivered", "response": "250 OK"}, "delivered", None),
        (
            {"event": "bounce", "type": "bounce", "reason": "550 unknown", "status": "5.1.1"},
            "bounced",
            "bounce",
        ),
        ({"event": "bounce", "type": "blocked", "reason": "554 spam"}, "bounced", None),
        ({"event": "dropped", "reason": "Bounced Address"}, "suppressed", "bounce"),
        ({"event": "dropped", "reason": "Spam Content"}, "failed", None),
        ({"event": "spamreport"}, "complained", "complaint"),
        ({"event": "deferred", "response": "451 later"}, "sent", None),
        ({"event": "open"}, "sent", None),
    ],
)
def test_sendgrid_tells_what_became_of_a_mail(
    admin: Person, event: dict[str, Any], now: str, why: str | None
) -> None:
    key, to = a_mail(admin, "sendgrid"), fresh()
    assert from_sendgrid(admin, {**event, "email": to, "jobstead_key": str(key)}) == 204
    assert (status(admin, key), suppressed(admin, to)) == (now, why)


def test_a_mail_is_also_known_by_what_the_vendor_calls_it(admin: Person) -> None:
    theirs, sg = str(uuid4()), uuid4().hex
    first, second = a_mail(admin, "resend", theirs), a_mail(admin, "sendgrid", sg)
    from_resend(admin, of_resend("delivered", "ann@example.com", email_id=theirs, tags=[]))
    from_sendgrid(admin, {"event": "delivered", "sg_message_id": f"{sg}.filter001.1.2.0"})
    assert (status(admin, first), status(admin, second)) == ("delivered", "delivered")


def test_a_later_state_is_not_taken_back(admin: Person) -> None:
    key = a_mail(admin, "sendgrid")
    for event in ("delivered", "spamreport", "processed", "bounce", "delivered"):
        from_sendgrid(admin, {"event": event, "jobstead_key": str(key), "email": fresh()})
    assert status(admin, key) == "complained"
    with admin.instance.app.app_context():
        ledger.note(key, "sent", transport="sendgrid")
    assert status(admin, key) == "complained"


def test_what_is_told_before_we_know_that_it_was_taken_stays(admin: Person) -> None:
    key = uuid4()
    with admin.instance.app.app_context():
        ledger.enter(key, "welcome", "ann@example.com", None)
        from_resend(admin, of_resend("delivered", fresh(), key))
        ledger.note(key, "sent", transport="resend", reference="x")
        assert ledger.sent(key)
    assert status(admin, key) == "delivered"


def test_told_twice_it_counts_once(admin: Person) -> None:
    to, identifier = fresh(), f"msg_{uuid4()}"
    body = of_resend("bounced", to, **PERMANENT)
    assert from_resend(admin, body, identifier) == 204
    items = (admin.get(f"/admin/mail/suppressions?address={to}").json or {})["items"]
    assert items[0]["provider"] == "resend"
    assert "123456" not in items[0]["detail"]
    assert admin.delete(f"/admin/mail/suppressions/{items[0]['id']}").status_code == 204
    assert from_resend(admin, body, identifier) == 204
    assert suppressed(admin, to) is None


def test_many_tell_the_same_at_once(admin: Person) -> None:
    to = fresh()
    body = of_sendgrid({"event": "bounce", "email": to}, {"event": "spamreport", "email": to})
    headers = ecdsa(body)
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda _: post(admin, "sendgrid", body, headers).status_code, range(24)))
    assert answers == [204] * 24
    assert suppressed(admin, to) == "bounce"
    ids = [event["sg_event_id"] for event in json.loads(body)]
    with admin.instance.app.app_context(), begin(write=False):
        rows = db.session.scalars(select(MailInbound).where(MailInbound.external_id.in_(ids))).all()
    assert len(rows) == 2


def test_what_is_not_ours_is_taken_in_silence(admin: Person) -> None:
    before = len(deliveries(admin, "?limit=100"))
    assert from_resend(admin, of_resend("delivered", fresh(), uuid4())) == 204
    assert from_sendgrid(admin, {"event": "delivered", "jobstead_key": "no uuid", "email": "nobody"}) == 204
    assert from_sendgrid(admin, {"event": "bounce", "email": "a@example.com\r\nBcc: b@example.com"}) == 204
    assert len(deliveries(admin, "?limit=100")) == before


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"null", b"[]", b"5", b'"x"', b"\xff", b"[" * 100_000, b'{"type": 5}'),
        *(b'{"type": "email.bounced"}', b'{"type": "email.bounced", "data": []}'),
    ],
)
def test_a_signed_body_that_makes_no_sense_is_a_bad_request(admin: Person, body: bytes) -> None:
    answer = post(admin, "resend", body, svix(body, f"msg_{uuid4()}"))
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    "data",
    [
        {"to": None, "tags": "x", "bounce": "hard"},
        {"to": [], "tags": [1, {"name": "jobstead_key"}], "bounce": None},
        {"to": [[1]], "tags": {"jobstead_key": 5}, "bounce": {"type": {}, "message": ["x"]}},
        {"to": {"a": 1}, "email_id": {"b": 2}, "bounce": {"message": "x" * 5000}},
        {"to": ["a\x00b@example.com"], "email_id": "a\x00b", "bounce": {"message": "a\x00b"}},
        {"to": ["\ud800@example.com"], "email_id": "\ud800", "bounce": {"message": "\ud800"}},
    ],
)
def test_odd_shapes_change_nothing_and_break_nothing(admin: Person, data: dict[str, Any]) -> None:
    told = {"type": "email.bounced", "data": {"subject": "Code"} | data}
    assert from_resend(admin, json.dumps(told).encode()) == 204
    event = {"event": "bounce", "email": data["to"], "sg_event_id": data.get("email_id", 7), "reason": {}}
    assert from_sendgrid(admin, event, {"event": ["bounce"]}, {"event": "bounce", "sg_message_id": 5}) == 204


def test_too_much_is_not_read(admin: Person) -> None:
    body = of_sendgrid({"event": "delivered", "more": "x" * 262_144})
    assert post(admin, "sendgrid", body, ecdsa(body)).status_code == 413
    most = of_sendgrid(*({"event": "delivered", "email": f"a{n}@example.com"} for n in range(1500)))
    assert 150_000 < len(most) <= 262_144
    assert post(admin, "sendgrid", most, ecdsa(most)).status_code == 204


def test_what_was_told_is_forgotten_after_a_month(admin: Person) -> None:
    identifier = f"msg_{uuid4()}"
    from_resend(admin, of_resend("delivered", fresh()), identifier)
    key = uuid4()
    told = select(MailInbound).where(MailInbound.external_id == identifier)
    with admin.instance.app.app_context():
        ledger.enter(key, "welcome", "ann@example.com", None)
        ledger.note(key, "queued", reason="nobody answers")
        with time_machine.travel(utcnow() + timedelta(days=2)):
            ledger.prune()
            assert status(admin, key) == "failed"
        with begin(write=False):
            assert db.session.scalar(told) is not None
        with time_machine.travel(utcnow() + timedelta(days=31)):
            ledger.prune()
        with begin(write=False):
            assert db.session.scalar(told) is None

"""What vendors tell: believed for its signature alone, counted once, in whatever order it comes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from werkzeug.test import TestResponse

from core.api import begin, db, select, utcnow
from core.testing import Databases, Instance, Person
from plugins.mail import ledger
from plugins.mail.models import MailInbound, MailMessage, MailSuppression

from .conftest import deliveries

SECRETS = [b"first secret of these tests", b"second secret of these tests"]
KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
STRANGER = ec.generate_private_key(ec.SECP256R1())


def public(key: ec.EllipticCurvePrivateKey) -> str:
    raw = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(raw).decode()


@pytest.fixture(scope="module")
def admin(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """One instance for all tests here, which look at mails and addresses of their own."""
    made = Instance(tmp_path_factory.mktemp("inbound"), databases).plugins(
        mail={
            "resend": {
                "webhook_secret": " ".join(f"whsec_{base64.b64encode(secret).decode()}" for secret in SECRETS)
            },
            "sendgrid": {"webhook_key": " ".join(map(public, KEYS))},
        }
    )
    yield made.person("root@example.com", role="admin")
    made.close()


def post(admin: Person, provider: str, body: bytes, headers: dict[str, str]) -> TestResponse:
    path = f"/api/v1/hooks/inbound/mail/{provider}"
    return admin.instance.app.test_client().post(
        path, data=body, headers=headers, content_type="application/json"
    )


def svix(body: bytes, identifier: str, *, secret: bytes = SECRETS[0], ago: float = 0) -> dict[str, str]:
    told = str(int(utcnow().timestamp() - ago))
    signature = hmac.digest(secret, f"{identifier}.{told}.".encode() + body, hashlib.sha256)
    return {
        "svix-id": identifier,
        "svix-timestamp": told,
        "svix-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def ecdsa(body: bytes, *, key: ec.EllipticCurvePrivateKey = KEYS[0], ago: float = 0) -> dict[str, str]:
    told = str(int(utcnow().timestamp() - ago))
    signature = base64.b64encode(key.sign(told.encode() + body, ec.ECDSA(SHA256()))).decode()
    return {
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": told,
    }


def of_resend(kind: str, to: str, key: Any = None, **data: Any) -> bytes:
    tags = {"jobstead_key": str(key)} if key else {}
    data = {"email_id": str(uuid4()), "to": [to], "subject": "Code", "tags": tags} | data
    return json.dumps({"type": f"email.{kind}", "created_at": "2026-11-21T12:00:00Z", "data": data}).encode()


def of_sendgrid(*events: dict[str, Any]) -> bytes:
    return json.dumps([{"sg_event_id": str(uuid4()), "timestamp": 1, **event} for event in events]).encode()


def from_resend(admin: Person, body: bytes, identifier: str | None = None) -> int:
    return post(admin, "resend", body, svix(body, identifier or f"msg_{uuid4()}")).status_code


def from_sendgrid(admin: Person, *events: dict[str, Any]) -> int:
    body = of_sendgrid(*events)
    return post(admin, "sendgrid", body, ecdsa(body)).status_code


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


def suppressed(admin: Person, address: str) -> str | None:
    with admin.instance.app.app_context(), begin(write=False):
        found = select(MailSuppression.reason).where(MailSuppression.address == address)
        reason: str | None = db.session.scalar(found)
        return reason


def fresh() -> str:
    return f"{uuid4().hex}@example.com"


PERMANENT = {"bounce": {"type": "Permanent", "subType": "General", "message": "550 no such user 123456"}}
TRANSIENT = {"bounce": {"type": "Transient", "subType": "MailboxFull", "message": "452 full"}}


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


def test_a_signature_holds_for_these_bytes_now_and_by_a_known_key(admin: Person) -> None:
    to = fresh()
    body = of_resend("bounced", to, **PERMANENT)
    good = svix(body, "msg_1")
    other = {"svix-signature": svix(body, "msg_2")["svix-signature"]}
    refused = {
        "none": {},
        "changed body": svix(body + b" ", "msg_1"),
        "reordered": svix(json.dumps(json.loads(body), sort_keys=True, indent=1).encode(), "msg_1"),
        "foreign secret": svix(body, "msg_1", secret=b"guessed"),
        "old": svix(body, "msg_1", ago=301),
        "ahead": svix(body, "msg_1", ago=-310),
        "of another id": good | other,
        "no version": good | {"svix-signature": good["svix-signature"].removeprefix("v1,")},
        "another version": good | {"svix-signature": good["svix-signature"].replace("v1,", "v2,")},
        "not base64": good | {"svix-signature": "v1,ä!"},
        "no time": good | {"svix-timestamp": ""},
        "odd time": good | {"svix-timestamp": "١٢٣"},
        "endless time": good | {"svix-timestamp": "9" * 400},
        "no id": good | {"svix-id": ""},
        "sendgrid's": ecdsa(body),
    }
    for name, headers in refused.items():
        answer = post(admin, "resend", body, headers)
        assert (answer.status_code, (answer.json or {}).get("code")) == (401, "bad_signature"), name
    assert suppressed(admin, to) is None
    several = good | {"svix-signature": f"v1,AAAA {good['svix-signature']} v1a,BBBB"}
    assert post(admin, "resend", body, several).status_code == 204
    assert suppressed(admin, to) == "bounce"
    named = {name.replace("svix", "webhook"): v for name, v in svix(body, "m", secret=SECRETS[1]).items()}
    assert post(admin, "resend", body, named).status_code == 204


def test_sendgrids_signature_likewise(admin: Person) -> None:
    to = fresh()
    body = of_sendgrid({"event": "bounce", "email": to})
    good = ecdsa(body)
    signature, timestamp = (f"X-Twilio-Email-Event-Webhook-{name}" for name in ("Signature", "Timestamp"))
    refused = {
        "none": {},
        "changed body": ecdsa(body + b" "),
        "foreign key": ecdsa(body, key=STRANGER),
        "old": ecdsa(body, ago=86_500),
        "ahead": ecdsa(body, ago=-310),
        "another time": good | {timestamp: str(int(good[timestamp]) - 1)},
        "not base64": good | {signature: "ä!"},
        "empty": good | {signature: ""},
        "resend's": svix(body, "msg_1"),
    }
    for name, headers in refused.items():
        assert post(admin, "sendgrid", body, headers).status_code == 401, name
    assert suppressed(admin, to) is None
    assert post(admin, "sendgrid", body, ecdsa(body, key=KEYS[1], ago=3600)).status_code == 204
    assert suppressed(admin, to) == "bounce"


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


def test_only_vendors_that_are_set_up_are_heard(admin: Person, instance: Instance) -> None:
    body = of_resend("delivered", fresh())
    assert post(admin, "pigeon", body, svix(body, "msg_1")).status_code == 404
    assert admin.get("/hooks/inbound/mail/resend").status_code == 405
    instance.plugins("mail")
    silent = instance.person("root@example.com")
    assert post(silent, "resend", body, svix(body, "msg_1")).status_code == 404


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

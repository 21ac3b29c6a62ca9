"""Resend and SendGrid, each judged by the vendor's published request shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import UUID, uuid4

import pytest

from core.testing import Databases, Instance
from plugins.mail.failover import transport
from plugins.mail.message import compose
from plugins.mail.render import Content
from plugins.mail.transport import Deferred, Outgoing, Refused

from .conftest import through
from .vendors import API_KEY, HANG, Answer, Vendor, running

Named = Callable[[str], Vendor]
BOTH = pytest.mark.parametrize("name", ["resend", "sendgrid"])


@pytest.fixture(scope="module")
def vendors() -> Iterator[dict[str, Vendor]]:
    with running("resend") as first, running("sendgrid") as second:
        yield {"resend": first, "sendgrid": second}


@pytest.fixture(scope="module")
def shared(
    vendors: dict[str, Vendor], databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    """One instance for all tests here: they look at what vendors get, and leave no rows."""
    made = through(Instance(tmp_path_factory.mktemp("vendors"), databases), *vendors.values())
    made.plugins(mail={"transports": ["resend"]})
    yield made
    made.close()


@pytest.fixture
def named(vendors: dict[str, Vendor], shared: Instance) -> Named:
    for vendor in vendors.values():
        vendor.forget()
    return vendors.__getitem__


@pytest.fixture
def resend(named: Named) -> Vendor:
    return named("resend")


@pytest.fixture
def sendgrid(named: Named) -> Vendor:
    return named("sendgrid")


def mail(key: UUID | None = None, text: str = "Your code is 123456.\n") -> Outgoing:
    return compose(
        Content("Grüße, Code", text, f"<p>{text}</p>\n"),
        to="ann@example.com",
        sender="Jöbs <jobs@example.org>",
        key=key or uuid4(),
        now=datetime.now(UTC),
        unsubscribe="https://jobs.example.org/unsubscribe/1",
    )


def deliver(instance: Instance, vendor: Vendor, outgoing: Outgoing) -> str:
    with instance.app.app_context():
        return transport(vendor.name).deliver(outgoing)


def put(vendor: Vendor, request: dict[str, Any]) -> int:
    """Send a request of one's own making; answers the status."""
    data = json.dumps(request["body"]).encode()
    made = Request(vendor.url + request["path"], data, request["headers"], method=request["method"])
    try:
        with urlopen(made, timeout=5) as answer:
            return int(answer.status)
    except HTTPError as refusal:
        with refusal:
            return refusal.code


@pytest.mark.parametrize(
    ("name", "where", "value", "status"),
    [
        ("resend", ("body", "subject"), None, 422),
        ("resend", ("body", "to"), [], 422),
        ("resend", ("body", "recipients"), ["ann@example.com"], 422),
        ("resend", ("body", "tags"), [{"name": "key", "value": "not allowed: spaces"}], 422),
        ("resend", ("path",), "/v1/emails", 422),
        ("resend", ("headers", "authorization"), None, 401),
        ("resend", ("headers", "authorization"), "Bearer another", 403),
        ("resend", ("headers", "idempotency-key"), "x" * 257, 422),
        ("sendgrid", ("body", "personalizations", 0, "to"), None, 400),
        ("sendgrid", ("body", "from"), "jobs@example.org", 400),
        ("sendgrid", ("body", "content", 0, "value"), "", 400),
        ("sendgrid", ("body", "html"), "<p></p>", 400),
        ("sendgrid", ("body", "headers", "Subject"), "another", 400),
        ("sendgrid", ("path",), "/mail/send", 400),
        ("sendgrid", ("headers", "authorization"), None, 401),
    ],
)
def test_what_we_send_is_right_and_what_is_wrong_is_refused(
    shared: Instance, named: Named, name: str, where: tuple[Any, ...], value: Any, status: int
) -> None:
    vendor = named(name)
    deliver(shared, vendor, mail())
    (sent,) = vendor.asked
    assert vendor.wrong == []
    assert len(vendor.taken) == 1
    assert sent["headers"]["authorization"] == f"Bearer {API_KEY}"

    broken = deepcopy(sent)
    broken["headers"] = {k: v for k, v in broken["headers"].items() if k not in ("host", "content-length")}
    broken["headers"].pop("idempotency-key", None)
    spot = broken
    for step in where[:-1]:
        spot = spot[step]
    if value is None:
        del spot[where[-1]]
    else:
        spot[where[-1]] = value

    assert put(vendor, broken) == status
    assert len(vendor.taken) == 1


def test_resend_gets_the_whole_mail(shared: Instance, resend: Vendor) -> None:
    key = uuid4()
    UUID(deliver(shared, resend, mail(key)))
    (sent,) = resend.asked
    assert sent["headers"]["idempotency-key"] == str(key)
    assert sent["body"] == {
        "from": "Jöbs <jobs@example.org>",
        "to": ["ann@example.com"],
        "subject": "Grüße, Code",
        "text": "Your code is 123456.\n",
        "html": "<p>Your code is 123456.\n</p>\n",
        "headers": {
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": "<https://jobs.example.org/unsubscribe/1>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
        "tags": [{"name": "jobstead_key", "value": str(key)}],
    }


def test_sendgrid_gets_the_whole_mail_and_may_not_follow_its_reader(
    shared: Instance, sendgrid: Vendor
) -> None:
    key = uuid4()
    assert deliver(shared, sendgrid, mail(key)) == "sg1"
    body = sendgrid.taken[0]
    assert body["from"] == {"email": "jobs@example.org", "name": "Jöbs"}
    assert body["personalizations"] == [
        {"to": [{"email": "ann@example.com"}], "custom_args": {"jobstead_key": str(key)}}
    ]
    assert [part["type"] for part in body["content"]] == ["text/plain", "text/html"]
    assert body["headers"]["Message-ID"] == f"<{key}@example.org>"
    assert body["tracking_settings"]["click_tracking"]["enable"] is False
    assert body["tracking_settings"]["open_tracking"]["enable"] is False


def test_a_second_attempt_sends_nothing_twice(shared: Instance, resend: Vendor) -> None:
    key = uuid4()
    resend.answers.append(HANG)  # taken, and nobody heard so
    with pytest.raises(Deferred, match="too long"):
        deliver(shared, resend, mail(key))
    resend.released.set()
    first = deliver(shared, resend, mail(key))
    assert deliver(shared, resend, mail(key)) == first
    deliver(shared, resend, mail(key, text="A template that changed since.\n"))
    assert len(resend.taken) == 1


@BOTH
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"name": "validation_error", "message": "no", "errors": [{"message": "no"}]}, Refused),
        (413, None, Refused),
        (401, {"name": "missing_api_key"}, Deferred),
        (403, {"name": "validation_error", "message": "domain not verified"}, Deferred),
        (400, {"name": "invalid_from_address", "errors": [{"message": "x", "field": "from"}]}, Deferred),
        (404, None, Deferred),
        (408, None, Deferred),
        (429, {"name": "rate_limit_exceeded"}, Deferred),
        (500, b"<html>oops", Deferred),
        (503, None, Deferred),
        (301, None, Deferred),
    ],
)
def test_who_is_to_blame_decides_whether_it_is_tried_again(
    shared: Instance, named: Named, name: str, status: int, body: Any, expected: type[Exception]
) -> None:
    vendor = named(name)
    vendor.answers.append(Answer(status, body))
    with pytest.raises(expected, match=str(status)):
        deliver(shared, vendor, mail())


@pytest.mark.parametrize("status", [422, 451])
def test_resend_refuses_a_mail_in_its_own_ways(shared: Instance, resend: Vendor, status: int) -> None:
    resend.answers.append(Answer(status, {"name": "x", "message": "about Your code is 123456"}))
    with pytest.raises(Refused) as refused:
        deliver(shared, resend, mail())
    assert "123456" not in str(refused.value)
    assert API_KEY not in str(refused.value)


@BOTH
@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'"text"', b"\xff\xfe"])
def test_taken_is_taken_whatever_the_words(shared: Instance, named: Named, name: str, body: bytes) -> None:
    vendor = named(name)
    vendor.answers.append(Answer(200, body))
    assert deliver(shared, vendor, mail()) == ""


@BOTH
def test_waiting_as_long_as_asked(shared: Instance, named: Named, name: str) -> None:
    vendor = named(name)
    vendor.answers += [Answer(429, None, {"Retry-After": "120"}), Answer(503, None, {"Retry-After": "soon"})]
    waits = []
    for _ in range(2):
        with pytest.raises(Deferred) as busy:
            deliver(shared, vendor, mail())
        waits.append(busy.value.after)
    assert waits == [timedelta(minutes=2), None]


def test_sendgrid_says_when_its_window_ends(shared: Instance, sendgrid: Vendor) -> None:
    end = datetime.now(UTC) + timedelta(minutes=10)
    sendgrid.answers.append(Answer(429, None, {"X-RateLimit-Reset": str(int(end.timestamp()))}))
    with pytest.raises(Deferred) as busy:
        deliver(shared, sendgrid, mail())
    assert busy.value.after is not None
    assert timedelta(minutes=1) < busy.value.after <= timedelta(minutes=10)


@BOTH
def test_nobody_there_and_nobody_answering(shared: Instance, named: Named, name: str) -> None:
    vendor = named(name)
    vendor.answers.append(HANG)
    with pytest.raises(Deferred, match="too long"):
        deliver(shared, vendor, mail())

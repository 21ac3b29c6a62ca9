"""Addresses that get no mail: by hand, and what still goes out to one that complained."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core.api import begin
from core.testing import Instance, Person
from plugins.mail import suppression
from plugins.mail.api import send

from .conftest import deliveries


@pytest.fixture
def admin(instance: Instance) -> Person:
    instance.plugins("mail")
    root = instance.person("root@example.com", role="admin")
    instance.drain()
    return root


def files(instance: Instance) -> int:
    return len(list((instance.home / "var" / "mail").glob("*.eml")))


def wish(instance: Instance, to: str, template: str = "welcome", **context: Any) -> None:
    with instance.app.app_context(), begin():
        send(to=to, template=template, context={"name": "Ann", **context}, key=f"{template} {to}")
    instance.drain()


def told(instance: Instance, address: str, reason: str) -> None:
    with instance.app.app_context(), begin():
        suppression.suppress(address, reason, provider="resend")


def test_an_address_is_put_on_the_list_and_taken_off(instance: Instance, admin: Person) -> None:
    before = files(instance)
    made = admin.post("/admin/mail/suppressions", {"address": "Ann@Example.com", "detail": "asked us to"})
    assert made.status_code == 201, made.text
    row = made.json or {}
    assert (row["address"], row["reason"], row["detail"]) == ("ann@example.com", "manual", "asked us to")
    assert admin.post("/admin/mail/suppressions", {"address": "ANN@example.com"}).status_code == 409
    wish(instance, "aNN@EXAMPLE.com")
    wish(instance, "bob@example.com")
    assert files(instance) == before + 1
    first, second = deliveries(admin)[-2:]
    assert (first["status"], first["attempts"], first["sentAt"]) == ("suppressed", 0, None)
    assert "manual" in first["reason"]
    assert (second["status"], second["recipient"]) == ("sent", "b***@example.com")
    assert [d["id"] for d in deliveries(admin, "?status=suppressed")] == [first["id"]]

    listed = (admin.get("/admin/mail/suppressions?address=ann&reason=manual").json or {})["items"]
    assert [item["id"] for item in listed] == [row["id"]]
    assert (admin.get("/admin/mail/suppressions?reason=bounce").json or {})["items"] == []
    assert admin.delete(f"/admin/mail/suppressions/{row['id']}").status_code == 204
    assert admin.delete(f"/admin/mail/suppressions/{row['id']}").status_code == 404
    wish(instance, "ann@example.com", "account_created", has_password=False)
    assert files(instance) == before + 2


@pytest.mark.parametrize(("reason", "arrives"), [("complaint", True), ("bounce", False), ("manual", False)])
def test_what_guards_an_account_goes_out_in_spite_of_a_complaint(
    instance: Instance, admin: Person, reason: str, arrives: bool
) -> None:
    instance.person("ann@example.com")
    instance.drain()
    told(instance, "ann@example.com", reason)
    before = files(instance)
    wish(instance, "ann@example.com", "account_created", has_password=False)
    assert files(instance) == before
    instance.app.test_client().post("/api/v1/auth/forgot-password", json={"email": "ann@example.com"})
    instance.drain()
    assert files(instance) == before + arrives


def test_the_weightier_reason_stays(instance: Instance, admin: Person) -> None:
    reasons = []
    for reason in ("bounce", "complaint", "manual", "bounce"):
        told(instance, "ann@example.com", reason)
        items = (admin.get("/admin/mail/suppressions").json or {})["items"]
        reasons.append([item["reason"] for item in items])
    assert reasons == [["bounce"], ["bounce"], ["manual"], ["manual"]]


def test_many_at_once_are_one(instance: Instance, admin: Person) -> None:
    with ThreadPoolExecutor(24) as pool:
        answers = list(
            pool.map(
                lambda _: admin.post("/admin/mail/suppressions", {"address": "ann@example.com"}).status_code,
                range(24),
            )
        )
    assert sorted(answers) == [201] + [409] * 23


NONSENSE: list[Any] = [
    {},
    {"address": "nobody"},
    {"address": "a@example.com, b@example.com"},
    {"address": "a@example.com\r\nBcc: b@example.com"},
    {"address": 5},
    {"address": "a@" + "ü." * 120 + "example"},
    {"address": "İ" * 240 + "@example.com"},
    {"address": "a@example.com", "reason": "bounce"},
    {"address": "a@example.com", "detail": "x" * 501},
]


def test_nonsense_is_refused(admin: Person) -> None:
    for body in NONSENSE:
        assert admin.post("/admin/mail/suppressions", body).status_code == 422, body
    assert (admin.get("/admin/mail/suppressions").json or {})["items"] == []
    for query in ("?status=lost", "?limit=0", "?cursor=x", "?recipient=ann"):
        assert admin.get(f"/admin/mail/deliveries{query}").status_code == 422, query

"""What organisations say of accounts and of themselves, and the link that a mail is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest

from core.testing import Databases, Instance, Person

from .conftest import deliveries
from .test_templates import at_home, mails, part, said

SITE = "https://jobs.example.org"
RESET = {
    "subject": "Neues Passwort",
    "text": "{{ link }} oder {{ code }}.",
    "html": '<p><a href="{{ link }}">{{ link }}</a> {{ code }}</p>',
}
TOKEN = re.compile(r"http://127\.0\.0\.1:5000/reset-password\?token=(jst_rst_\S{26}_[\w-]{43})")


@pytest.fixture(scope="module")
def admin(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """One for all tests of what is refused: it leaves nothing behind."""
    made = Instance(tmp_path_factory.mktemp("link"), databases).plugins(mail={"site_url": SITE})
    yield made.person("root@example.com", role="admin")
    made.close()


def forgotten(instance: Instance, email: str = "ann@example.com") -> EmailMessage:
    """The mail about a forgotten password."""
    instance.person(email)
    client = instance.app.test_client()
    assert client.post("/api/v1/auth/forgot-password", json={"email": email}).status_code == 202
    instance.drain()
    (mail,) = [mail for mail in mails(instance, "assw") if mail["To"] == email]
    return mail


@pytest.mark.parametrize("site_url", [None, SITE])
def test_a_template_may_hold_its_mails_link(instance: Instance, site_url: str | None) -> None:
    instance.plugins(mail={"site_url": site_url} if site_url else {})
    admin = instance.person("root@example.com", role="admin")
    said(admin.put("/admin/templates/password_reset", RESET))
    at_home(instance, template="password_reset", locale="en", **RESET)

    mail = forgotten(instance)

    assert mail["Subject"] == "Neues Passwort"
    assert deliveries(admin, "?template=password_reset")[-1]["source"] == "override"
    tokens = TOKEN.findall(part(mail, "plain") + re.sub('[<>"]', " ", part(mail, "html")))
    assert len(tokens) == 3
    assert len(set(tokens)) == 1
    for path in ("/admin/templates/password_reset", "/admin/templates/password_reset/preview"):
        shown = (admin.post(path, {}) if path.endswith("preview") else admin.get(path)).text
        assert "jst_rst_" not in shown
        assert tokens[0] not in shown
    new = {"token": tokens[0], "newPassword": "another good one"}
    assert instance.app.test_client().put("/api/v1/auth/reset-password", json=new).status_code == 200


@pytest.mark.parametrize(
    ("part_of_it", "text"),
    [
        ("html", '<a href="{{ link }}x">go</a>'),
        ("html", '<img src="{{ link }}">'),
        ("html", '<a href="{{ link|upper }}">go</a>'),
        ("html", '<a href="https://evil.example/?{{ link }}">go</a>'),
        ("html", "<p>{{ link }}/more</p>"),
        ("text", "{{ link }}x"),
        ("text", "https://evil.example/?{{ link }}"),
        ("subject", "{{ link }}&more"),
    ],
)
def test_nothing_is_made_of_the_link(admin: Person, part_of_it: str, text: str) -> None:
    answer = admin.put("/admin/templates/password_reset", RESET | {part_of_it: text})
    assert "elsewhere" in said(answer, 422)["errors"][part_of_it][0]


def test_what_others_did_is_told_in_our_words_and_the_readers_language(instance: Instance) -> None:
    instance.plugins("mail")
    root = instance.person("root@example.com", role="superadmin")
    ann = instance.person("ann@example.com")
    ann.call("PATCH", "/auth/preferences", json={"locale": "de-AT"})
    words: dict[str, Any] = {"text": "{{ name }} {{ kind }}", "html": "<p>{{ roles }}{{ until }}</p>"}
    at_home(instance, template="account_notice", locale="de", subject="Dein Konto: {{ kind }}", **words)
    assert root.put(f"/users/{ann.id}/role", {"role": "admin"}).status_code == 200
    instance.drain()
    (mail,) = mails(instance, "Dein Konto")
    assert (mail["To"], mail["Subject"]) == ("ann@example.com", "Dein Konto: roles_changed")
    assert "Ann roles_changed" in part(mail, "plain")


def test_an_organisation_says_in_its_own_words_that_it_ends(instance: Instance) -> None:
    instance.plugins("mail")
    admin = instance.person("root@example.com", role="admin")
    for slug in ("acme", "other"):
        assert admin.post("/orgs", {"name": slug.title(), "slug": slug}).status_code == 201
    words = {"subject": "{{ organisation }}: {{ kind }}", "text": "{{ until }}", "html": "<p>{{ name }}</p>"}
    said(admin.put("/admin/templates/organisation_notice", words, headers={"X-Org": "acme"}))
    for slug in ("acme", "other"):
        assert admin.delete(f"/orgs/{slug}").status_code == 202
    instance.drain()
    assert [mail["Subject"] for mail in mails(instance, "Acme")] == ["Acme: deletion_scheduled"]
    assert [mail["Subject"] for mail in mails(instance, "Other")] == ["Other will be deleted"]

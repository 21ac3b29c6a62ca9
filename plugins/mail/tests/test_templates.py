"""Templates that organisations write: who may, who gets which, and what happens when one fails."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from uuid import UUID

import pytest

from core.api import acting_for, begin, db, emit, home_organisation, select
from core.testing import Instance, Person, SecurityAlert, find_by_email
from plugins.mail.models import MailTemplate
from plugins.mail.render import shipped, templates

from .conftest import deliveries

GERMAN = {
    "locale": "de",
    "subject": "Willkommen, {{ name }}",
    "text": "Hallo {{ name }}, schön bei {{ site }}.",
    "html": "<p>Hallo <b>{{ name }}</b>, schön bei {{ site }}.</p>",
}


def said(answer: Any, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    return dict(answer.json or {})


def mails(instance: Instance, subject: str = "") -> list[EmailMessage]:
    read = [
        message_from_bytes(path.read_bytes(), policy=SMTP)
        for path in sorted((instance.home / "var" / "mail").glob("*.eml"))
    ]
    return [mail for mail in read if subject in str(mail["Subject"])]


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


@pytest.fixture
def admin(instance: Instance) -> Person:
    instance.plugins(mail={"site_url": "https://jobs.example.org"})
    return instance.person("root@example.com", role="admin")


def alert(instance: Instance, email: str, locale: str, kind: str = "odd") -> EmailMessage:
    """The alert that somebody who reads ``locale`` gets."""
    person = instance.person(email)
    person.call("PATCH", "/auth/preferences", json={"locale": locale})
    with instance.app.app_context(), begin():
        user = find_by_email(email)
        assert user is not None
        emit(SecurityAlert(user_id=user.id, email=email, kind=kind, session_id=user.id, ip="192.0.2.7"))
    instance.drain()
    (mail,) = [mail for mail in mails(instance) if mail["To"] == email and "192.0.2.7" in mail.as_string()]
    return mail


def at_home(instance: Instance, **row: Any) -> None:
    """The instance's own template: its admins write it while they act for the home organisation."""
    with instance.app.app_context(), begin(), acting_for(home_organisation()):
        db.insert(MailTemplate(version=1, **row))


def test_what_is_shipped_is_listed_and_can_be_written_back(admin: Person) -> None:
    listed = said(admin.get("/admin/templates"))
    assert [item["key"] for item in listed["items"]] == templates()
    assert listed["nextCursor"] is None
    for item in listed["items"]:
        assert item["locales"] == ["en"]
        one = said(admin.get(f"/admin/templates/{item['key']}"))
        assert (one["source"], one["version"], one["versions"]) == ("shipped", None, [])
        assert one["text"] == shipped(item["key"]).text
        texts = {name: one[name] for name in ("subject", "text", "html")}
        assert said(admin.put(f"/admin/templates/{item['key']}", texts))["version"] == 1
        filled = said(admin.post(f"/admin/templates/{item['key']}/preview", {}))
        assert filled["source"] == "organisation"
        said(admin.delete(f"/admin/templates/{item['key']}"), 204)
        original = said(admin.post(f"/admin/templates/{item['key']}/preview", {}))
        assert original["source"] == "shipped"
        assert (original["subject"], original["text"]) == (filled["subject"], filled["text"])


def test_each_change_is_a_version_and_the_shipped_one_comes_back(admin: Person) -> None:
    first = said(admin.put("/admin/templates/welcome", GERMAN))
    assert (first["locale"], first["version"], first["source"]) == ("de", 1, "organisation")
    second = said(admin.put("/admin/templates/welcome", GERMAN | {"subject": "Servus"}))
    assert (second["version"], second["subject"]) == (2, "Servus")
    assert [(v["version"], v["current"]) for v in second["versions"]] == [(2, True), (1, False)]
    assert second["writtenBy"] == str(admin.id)
    assert second["overridden"] == ["de"]
    assert said(admin.get("/admin/templates/welcome?locale=de-AT"))["subject"] == "Servus"
    assert said(admin.get("/admin/templates/welcome?locale=fr"))["source"] == "shipped"
    said(admin.delete("/admin/templates/welcome?locale=fr"), 204)
    assert said(admin.get("/admin/templates/welcome?locale=de"))["source"] == "organisation"
    said(admin.delete("/admin/templates/welcome?locale=de"), 204)
    said(admin.delete("/admin/templates/welcome"), 204)
    gone = said(admin.get("/admin/templates/welcome?locale=de"))
    assert (gone["source"], len(gone["versions"])) == ("shipped", 2)
    assert said(admin.put("/admin/templates/welcome", GERMAN))["version"] == 3


def test_many_writers_make_one_current_version(admin: Person) -> None:
    with ThreadPoolExecutor(24) as pool:
        answers = list(
            pool.map(
                lambda n: admin.put("/admin/templates/welcome", GERMAN | {"subject": f"Nr {n}"}).status_code,
                range(24),
            )
        )
    assert set(answers) <= {200, 409}
    assert 200 in answers
    versions = said(admin.get("/admin/templates/welcome?locale=de"))["versions"]
    assert len(versions) == answers.count(200)
    assert [v["current"] for v in versions].count(True) == 1


def test_another_organisation_has_its_own(instance: Instance, admin: Person) -> None:
    other = instance.person("other@example.com", role="admin")
    said(admin.put("/admin/templates/welcome", GERMAN | {"locale": "en"}))
    theirs = said(other.get("/admin/templates/welcome"))
    assert (theirs["source"], theirs["overridden"], theirs["versions"]) == ("shipped", [], [])
    said(other.delete("/admin/templates/welcome"), 204)
    assert said(admin.get("/admin/templates/welcome"))["source"] == "organisation"
    mine = admin.me["organisationId"]
    assert other.get("/admin/templates/welcome", headers={"X-Org": mine}).status_code == 404


def test_a_reader_gets_the_nearest_language_of_the_instance(instance: Instance, admin: Person) -> None:
    text = {"text": "{{ ip }} {{ name }}", "html": "<p>{{ ip }}</p>"}
    at_home(instance, template="security_alert", locale="de", subject="Vorsicht", **text)
    at_home(instance, template="security_alert", locale="de-CH", subject="Obacht", **text)
    subjects = {
        locale: alert(instance, f"{locale.lower()}@example.com", locale)["Subject"]
        for locale in ("de-AT", "de-CH", "de", "fr", "en")
    }
    usual = "Look after your Jobstead account"
    assert subjects == {"de-AT": "Vorsicht", "de-CH": "Obacht", "de": "Vorsicht", "fr": usual, "en": usual}
    assert said(admin.get("/admin/templates/security_alert?locale=de-AT"))["source"] == "instance"
    assert '<html lang="de">' in part(mails(instance, "Vorsicht")[0], "html")


def test_an_organisation_invites_in_its_own_words(instance: Instance, admin: Person) -> None:
    words = {
        "subject": "{{ organisation }} wants you",
        "text": "{{ inviter }} asks: {{ site_url }}/join/{{ token }}",
        "html": '<a href="{{ site_url }}/join/{{ token }}">Join {{ organisation }}</a>',
    }
    admin.post("/orgs", {"name": "Acme <Inc>", "slug": "acme"})
    said(admin.put("/admin/templates/invitation", words, headers={"X-Org": "acme"}))
    admin.post("/orgs/acme/invitations", {"email": "bob@example.com", "role": "viewer"})
    admin.post("/orgs", {"name": "Other", "slug": "other"})
    admin.post("/orgs/other/invitations", {"email": "cid@example.com", "role": "viewer"})
    instance.drain()
    (mine,) = mails(instance, "wants you")
    assert mine["To"] == "bob@example.com"
    assert "https://jobs.example.org/join/jst_inv_" in part(mine, "plain")
    assert "Acme &lt;Inc&gt;</a>" in part(mine, "html")
    (theirs,) = mails(instance, "invites you to Other")
    assert theirs["To"] == "cid@example.com"
    sources = {d["recipient"]: d["source"] for d in deliveries(admin) if d["template"] == "invitation"}
    assert sources == {"b***@example.com": "override", "c***@example.com": "shipped"}


def test_one_that_fails_with_real_values_gives_way_and_says_so(
    instance: Instance, admin: Person, capfd: pytest.CaptureFixture[str]
) -> None:
    trap = "{% if kind == 'odd' %}https://evil.example/{% endif %}{{ ip }}"
    body = {"subject": "Trap", "text": trap, "html": "<p>{{ ip }}</p>"}
    said(admin.put("/admin/templates/security_alert", body))  # harmless with the sample
    at_home(instance, template="security_alert", locale="en", **body)
    mail = alert(instance, "ann@example.com", "en")
    assert mail["Subject"] == "Look after your Jobstead account"
    assert "evil.example" not in mail.as_string()
    assert deliveries(admin, "?template=security_alert")[-1]["source"] == "fallback"
    assert "the shipped one serves" in "".join(capfd.readouterr())
    assert alert(instance, "bob@example.com", "en", kind="refresh_reused")["Subject"] == "Trap"


def test_a_draft_is_shown_and_nothing_kept(admin: Person) -> None:
    shown = said(admin.post("/admin/templates/otp/preview", {"subject": "Kode {{ code }}", "locale": "da"}))
    assert shown["subject"] == "Kode 123456"
    assert (shown["source"], shown["locale"]) == ("draft", "da")
    assert "viewport" in shown["html"]
    assert said(admin.get("/admin/templates/otp"))["source"] == "shipped"
    wrong = admin.post("/admin/templates/otp/preview", {"html": "<p>\n{{ cod }}</p>"})
    assert "line 2" in said(wrong, 422)["errors"]["html"][0]


def test_a_sample_goes_to_whoever_asks(instance: Instance, admin: Person) -> None:
    said(admin.put("/admin/templates/welcome", GERMAN))
    sent = said(admin.post("/admin/templates/welcome/test-send", {"locale": "de-DE"}), 202)
    said(admin.post("/admin/templates/otp/test-send"), 202)
    instance.drain()
    (mail,) = mails(instance, "Willkommen, Ann")
    assert mail["To"] == "root@example.com"
    assert sent["deliveryId"] in [d["id"] for d in deliveries(admin, "?template=welcome")]
    assert "123456" in part(mails(instance, "Your Jobstead code")[0], "plain")


def test_only_admins_may(instance: Instance, admin: Person) -> None:
    ann = instance.person("ann@example.com")
    paths = [
        ("GET", "/admin/templates"),
        ("GET", "/admin/templates/otp"),
        ("PUT", "/admin/templates/otp"),
        ("DELETE", "/admin/templates/otp"),
        ("POST", "/admin/templates/otp/preview"),
        ("POST", "/admin/templates/otp/test-send"),
        ("GET", "/admin/mail/deliveries"),
        ("GET", "/admin/mail/suppressions"),
        ("POST", "/admin/mail/suppressions"),
        ("DELETE", f"/admin/mail/suppressions/{ann.id}"),
    ]
    for method, path in paths:
        assert ann.call(method, path, json={}).status_code == 403, path
        assert instance.app.test_client().open(f"/api/v1{path}", method=method).status_code == 401, path
    for method, path in paths[1:6]:
        unknown = path.replace("otp", "nothing")
        assert admin.call(method, unknown, json=GERMAN if method == "PUT" else {}).status_code in (404, 422)


NONSENSE: list[Any] = [
    {},
    [],
    {"subject": "x", "text": "y"},
    GERMAN | {"locale": "../../etc"},
    GERMAN | {"locale": 5},
    GERMAN | {"subject": ""},
    GERMAN | {"subject": "x" * 501},
    GERMAN | {"text": "x" * 70_000},
    GERMAN | {"html": None},
    GERMAN | {"more": 1},
    GERMAN | {"text": "a\0b"},
]


def test_nonsense_is_refused(admin: Person) -> None:
    for body in NONSENSE:
        assert admin.put("/admin/templates/welcome", body).status_code == 422, body
    with admin.instance.app.app_context(), begin(write=False), acting_for(UUID(admin.me["organisationId"])):
        assert db.session.scalars(select(MailTemplate)).all() == []

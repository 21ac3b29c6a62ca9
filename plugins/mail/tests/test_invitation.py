"""The mail that invites: whom, where to, and what it takes to join."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

from core.testing import Instance, Person


def mail(instance: Instance) -> EmailMessage:
    """The one that invites."""
    read = [
        message_from_bytes(path.read_bytes(), policy=SMTP)
        for path in (instance.home / "var" / "mail").glob("*.eml")
    ]
    (found,) = [message for message in read if "invites you" in str(message["Subject"])]
    return found


def invite(ann: Person, name: str = "Acme") -> None:
    assert ann.post("/orgs", {"name": name, "slug": "acme"}).status_code == 201
    answer = ann.post("/orgs/acme/invitations", {"email": "bob@example.com", "role": "viewer"})
    assert answer.status_code == 201, answer.text
    ann.instance.drain()


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_whoever_gets_the_mail_joins_by_it(instance: Instance) -> None:
    instance.plugins("mail")
    invite(instance.person("ann@example.com"))
    message = mail(instance)
    assert message["To"] == "bob@example.com"
    assert message["Subject"] == "Ann invites you to Acme"
    token = re.search(r"^\s+(jst_inv_\S+)\s*$", text_of(message), re.MULTILINE)
    assert token is not None

    joined = instance.person("bob@example.com").post(f"/invitations/{token[1]}/accept")

    assert (joined.status_code, joined.json) == (200, {**(joined.json or {}), "role": "viewer"})


def test_the_link_leads_to_the_configured_site_whatever_the_request_says(instance: Instance) -> None:
    instance.plugins(mail={"site_url": "https://jobs.example.org/"})
    ann = instance.person("ann@example.com")
    ann.post("/orgs", {"name": "Acme", "slug": "acme"})
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    ann.post("/orgs/acme/invitations", {"email": "bob@example.com"}, headers=evil)
    instance.drain()

    message = mail(instance)

    assert re.search(r"https://jobs\.example\.org/invitations/jst_inv_\S{43}\s", text_of(message))
    assert "evil.example" not in message.as_string()


def test_without_a_front_end_no_link_leads_to_a_page_that_is_not_there(instance: Instance) -> None:
    instance.plugins("mail").environ["PUBLIC_URL"] = "https://jobs.example.org"
    invite(instance.person("ann@example.com"))
    assert "jobs.example.org/invitations" not in mail(instance).as_string()
    assert re.search(r"^\s+jst_inv_\S+\s*$", text_of(mail(instance)), re.MULTILINE)


def test_names_are_text_in_the_mail(instance: Instance) -> None:
    instance.plugins("mail")
    invite(instance.person("ann@example.com"), name="<b>Acme</b> & {{ site }}")
    html = mail(instance).get_body(("html",))
    assert html is not None
    assert "&lt;b&gt;Acme&lt;/b&gt; &amp; {{ site }}" in html.get_content()


def test_one_that_was_withdrawn_before_it_left_is_not_sent(instance: Instance) -> None:
    instance.plugins("mail")
    ann = instance.person("ann@example.com")
    ann.post("/orgs", {"name": "Acme", "slug": "acme"})
    made = ann.post("/orgs/acme/invitations", {"email": "bob@example.com"}).json or {}
    assert ann.delete(f"/orgs/acme/invitations/{made['id']}").status_code == 204
    assert instance.drain().failed == 0
    assert "invites you" not in " ".join(
        path.read_text() for path in (instance.home / "var" / "mail").glob("*.eml")
    )


def test_whoever_gets_an_account_from_an_admin_hears_of_it(instance: Instance) -> None:
    instance.plugins("mail")
    admin = instance.person("root@example.com", role="superadmin")
    for email, more in (("bob@example.com", {}), ("cid@example.com", {"password": "correct horse battery"})):
        assert admin.post("/users", {"email": email, **more}).status_code == 201
    instance.drain()

    sent = [path.read_text() for path in (instance.home / "var" / "mail").glob("*.eml")]

    made = sorted(text for text in sent if "An account at Jobstead is yours" in text)
    assert len(made) == 2
    assert sum("forgot password" in text for text in made) == 1
    assert not any("correct horse" in text for text in sent)

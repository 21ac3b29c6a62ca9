"""Mails about what others did: to the right person, and saying what."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from core.testing import Instance, Person


@pytest.fixture
def root(instance: Instance) -> Person:
    return instance.plugins("mail").person("root@example.com", role="superadmin")


def mails(instance: Instance, about: str) -> dict[str, str]:
    """The texts of the mails with this in their subject, by recipient."""
    instance.drain()
    folder = instance.home / "var" / "mail"
    read = [message_from_bytes(path.read_bytes(), policy=SMTP) for path in sorted(folder.glob("*.eml"))]
    return {str(mail["To"]): text_of(mail) for mail in read if about in str(mail["Subject"])}


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


def test_the_old_address_hears_that_an_admin_gave_another_one(instance: Instance, root: Person) -> None:
    ann = instance.person("ann@example.com")
    answer = root.put(f"/users/{ann.id}", {"email": "anna@example.net", "verified": True})
    assert answer.status_code == 200

    told = mails(instance, "address was changed")

    assert set(told) == {"ann@example.com"}
    assert "somebody who runs Jobstead gave your account there another address" in told["ann@example.com"]
    # the old one may have been a slip, and belong to a stranger
    assert "anna@example.net" not in told["ann@example.com"]
    assert "127.0.0.1" not in told["ann@example.com"]


def test_whoever_is_suspended_let_in_and_deleted_hears_of_it(instance: Instance, root: Person) -> None:
    ann, bob = instance.person("ann@example.com"), instance.person("bob@example.com")
    assert root.post(f"/users/{ann.id}/suspend", {"reason": "for us alone"}).status_code == 200
    assert set(told := mails(instance, "account was suspended")) == {ann.email}
    assert "for us alone" not in told[ann.email]

    assert root.post(f"/users/{ann.id}/suspend", {"suspended": False}).status_code == 200
    assert set(mails(instance, "account was reinstated")) == {ann.email}

    assert root.delete(f"/users/{ann.id}").status_code == 204
    told = mails(instance, "account was deleted")
    assert set(told) == {ann.email}
    assert "everything of it goes for good" in told[ann.email]
    assert bob.email not in told


def test_other_roles_are_told(instance: Instance, root: Person) -> None:
    ann = instance.person("ann@example.com")
    assert root.put(f"/users/{ann.id}/role", {"role": "admin"}).status_code == 200

    told = mails(instance, "Your roles at Jobstead")
    assert set(told) == {ann.email}
    assert "Your roles are now: admin." in told[ann.email]


def test_every_owner_hears_that_an_organisation_ends_and_that_it_stays(instance: Instance) -> None:
    instance.plugins("mail")
    ann, bob, cid = (instance.person(f"{name}@example.com") for name in ("ann", "bob", "cid"))
    other = instance.person("eve@example.com")
    assert other.post("/orgs", {"name": "Evil", "slug": "evil"}).status_code == 201
    assert ann.post("/orgs", {"name": "Acme", "slug": "acme"}).status_code == 201
    for who, role in ((bob, "admin"), (cid, "viewer")):
        ann.post("/orgs/acme/invitations", {"email": who.email, "role": role})
        invited = mails(instance, "invites you")[who.email]
        token = next(word for word in invited.split() if "jst_inv_" in word)
        assert who.post(f"/invitations/{token}/accept").status_code == 200
    assert ann.put(f"/orgs/acme/members/{bob.id}", {"role": "owner"}).status_code == 200

    assert ann.delete("/orgs/acme").status_code == 202
    told = mails(instance, "Acme will be deleted")
    assert set(told) == {ann.email, bob.email}
    assert "each of its owners can call that off" in told[bob.email]

    assert bob.post("/orgs/acme/restore").status_code == 200
    assert set(mails(instance, "Acme stays")) == {ann.email, bob.email}

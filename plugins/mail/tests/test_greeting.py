"""Who is greeted by name: whoever showed that the address is theirs, and no stranger's words go elsewhere."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import SMTP

from core.testing import Instance

WORDS = "You have won"
PASSWORD = "correct horse battery"


def mails(instance: Instance, to: str) -> dict[str, str]:
    """Whole mails that went to this address, by their subject."""
    instance.drain()
    raw = [path.read_bytes() for path in sorted((instance.home / "var" / "mail").glob("*.eml"))]
    read = [message_from_bytes(each, policy=SMTP) for each in raw]
    return {
        str(mail["Subject"]): " ".join(str(part.get_content()) for part in mail.iter_parts())
        for mail in read
        if mail["To"] == to
    }


def ask(instance: Instance, path: str, **body: str) -> None:
    answer = instance.app.test_client().post(f"/api/v1/auth/{path}", json=body)
    assert answer.status_code == 202, answer.text


def test_a_stranger_writes_no_words_to_an_address_that_is_not_theirs(instance: Instance) -> None:
    instance.plugins("mail")
    root = instance.person("root@example.com", role="superadmin")
    account = {"email": "victim@example.com", "password": PASSWORD, "name": WORDS}
    ask(instance, "register", **account)
    ask(instance, "register", **account)
    ask(instance, "forgot-password", email="victim@example.com")
    found = (root.get("/users?email=victim@example.com").json or {})["items"]
    assert root.post(f"/users/{found[0]['id']}/suspend").status_code == 200

    told = mails(instance, "victim@example.com")

    assert {"Your Jobstead code", "Your Jobstead account was suspended"} <= set(told)
    assert len(told) >= 3
    for subject, mail in told.items():
        assert WORDS not in subject + mail
        assert "Hello," in mail


def test_nor_does_whoever_has_an_account_by_moving_it(instance: Instance) -> None:
    instance.plugins("mail")
    eve = instance.person("eve@example.com", password=PASSWORD)
    assert eve.put("/auth/profile", {"name": WORDS}).status_code == 200
    body = {"newEmail": "victim@example.com", "currentPassword": PASSWORD}
    assert eve.post("/auth/change-email", body).status_code == 202

    (mail,) = mails(instance, "victim@example.com").values()

    assert "make this the address of your account" in mail
    assert WORDS not in mail


def test_whose_address_is_confirmed_is_greeted(instance: Instance) -> None:
    instance.plugins("mail")
    instance.person("ann@example.com")
    ask(instance, "forgot-password", email="ann@example.com")
    assert "Hello Ann," in mails(instance, "ann@example.com")["Your Jobstead code for a new password"]

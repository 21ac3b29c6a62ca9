"""From a fact or another plugin's wish to a mail: sent once, retried or given up, its code kept to itself."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import inspect

from core.api import Invalid, begin, db, emit, select, unscoped, utcnow, uuid7
from core.testing import EmailChanged, Instance, SecurityAlert, find_by_email
from plugins.mail.api import send
from plugins.mail.models import MailMessage

from .conftest import Mailbox

ANN = {"email": "ann@example.com", "password": "correct horse battery", "name": "Ann"}
NOTICE = {"title": "Ready", "body": "It is ready.", "link": None}


def register(instance: Instance) -> None:
    answer = instance.app.test_client().post("/api/v1/auth/register", json=ANN)
    assert answer.status_code == 202, answer.text


def files(instance: Instance) -> list[Path]:
    return sorted((instance.home / "var" / "mail").glob("*.eml"))


def read(path: Path) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), policy=SMTP)


def subjects(instance: Instance) -> list[str]:
    return sorted(str(read(path)["Subject"]) for path in files(instance))


def code_in(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    found = re.search(r"^\s+(\d{6})\s*$", body.get_content(), re.MULTILINE)
    assert found is not None
    return found[1]


def records(instance: Instance) -> list[MailMessage]:
    with instance.app.app_context(), begin(write=False):
        return list(db.session.scalars(select(MailMessage).order_by(MailMessage.created_at)))


def everything_stored(instance: Instance) -> str:
    """All rows of all tables, as text."""
    database = instance.app.extensions["jobstead.db"]
    with instance.app.app_context(), unscoped("look everywhere"), database.engine.connect() as connection:
        tables = MailMessage.metadata.sorted_tables
        there = set(inspect(connection).get_table_names())
        return "\n".join(
            str(tuple(row))
            for table in tables
            if table.name in there
            for row in connection.execute(select(table))
        )


def wish(instance: Instance, **changes: Any) -> None:
    """What another plugin does to have a mail sent."""
    wanted = {"to": "ann@example.com", "template": "notice", "context": NOTICE, "key": "ready:1"}
    with instance.app.app_context(), begin():
        send(**wanted | changes)


def later(instance: Instance, **distance: int) -> None:
    """Let happen what is due by then."""
    with time_machine.travel(utcnow() + timedelta(**distance)):
        instance.drain()


def test_a_registration_is_completed_with_the_code_in_the_file(instance: Instance) -> None:
    instance.plugins("mail")
    register(instance)
    instance.drain()
    (path,) = files(instance)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    message = read(path)
    assert message["To"] == "ann@example.com"
    assert message["Message-ID"].strip("<>").partition("@")[0] == path.stem
    verify = {"email": "ann@example.com", "code": code_in(message)}
    assert instance.app.test_client().post("/api/v1/auth/verify-otp", json=verify).status_code == 200
    instance.drain()
    assert subjects(instance) == ["Welcome to Jobstead", "Your Jobstead code"]


def test_the_code_is_nowhere_but_in_the_mail(instance: Instance, capfd: pytest.CaptureFixture[str]) -> None:
    instance.plugins("mail")
    register(instance)
    instance.drain()
    (path,) = files(instance)
    code = code_in(read(path))
    said = "".join(capfd.readouterr())
    assert path.name in said
    assert code not in said
    assert code not in everything_stored(instance)


def test_an_owner_hears_that_somebody_registered_again(instance: Instance) -> None:
    instance.plugins("mail")
    instance.person("ann@example.com")
    register(instance)
    instance.drain()
    assert "You already have an account at Jobstead" in subjects(instance)


def test_a_new_password_is_set_with_the_code_in_the_mail_and_told(instance: Instance) -> None:
    instance.plugins("mail")
    instance.person("ann@example.com")
    instance.person("bob@example.com")
    client = instance.app.test_client()
    client.post("/api/v1/auth/forgot-password", json={"email": "ann@example.com"})
    client.post("/api/v1/auth/forgot-password", json={"email": "nobody@example.com"})
    instance.drain()
    mails = [read(path) for path in files(instance)]
    (mail,) = [mail for mail in mails if mail["Subject"] == "Your Jobstead code for a new password"]
    assert mail["To"] == "ann@example.com"
    assert code_in(mail) not in everything_stored(instance)
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    (token,) = re.findall(r"http://127\.0\.0\.1:5000/reset-password\?token=(\S+)", text)
    assert token not in everything_stored(instance)
    assert f"token={token}" in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    new = {"email": "ann@example.com", "code": code_in(mail), "newPassword": "another good one"}
    assert client.put("/api/v1/auth/reset-password", json=new).status_code == 200
    instance.drain()
    told = [read(path) for path in files(instance)]
    (mail,) = [mail for mail in told if mail["Subject"] == "Your Jobstead password was changed"]
    assert mail["To"] == "ann@example.com"
    assert "127.0.0.1" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_a_copied_sign_in_is_told(instance: Instance) -> None:
    instance.plugins("mail")
    instance.person("ann@example.com")
    with instance.app.app_context(), begin():
        user = find_by_email("ann@example.com")
        assert user is not None
        emit(
            SecurityAlert(
                user_id=user.id, email=user.email, kind="refresh_reused", session_id=uuid7(), ip="::1"
            )
        )
    instance.drain()
    assert "Look after your Jobstead account" in subjects(instance)


def test_the_address_that_was_left_is_told(instance: Instance) -> None:
    instance.plugins("mail")
    instance.person("anna@example.net")
    with instance.app.app_context(), begin():
        user = find_by_email("anna@example.net")
        assert user is not None
        emit(EmailChanged(user_id=user.id, old="ann@example.com", new=user.email, ip="192.0.2.7"))
    instance.drain()
    mails = [read(path) for path in files(instance)]
    (mail,) = [mail for mail in mails if mail["Subject"] == "Your Jobstead address was changed"]
    assert mail["To"] == "ann@example.com"
    assert "anna@example.net" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_a_temporary_refusal_is_tried_again_with_the_same_message_id(
    instance: Instance, serve: Callable[..., Mailbox]
) -> None:
    server = serve()
    server.rcpt.append("451 4.7.1 greylisted")
    instance.plugins(mail={"smtp": {"host": "127.0.0.1", "port": server.port, "security": "none"}})
    register(instance)
    instance.drain()
    assert server.taken == []
    (record,) = records(instance)
    assert record.sent_at is None
    assert "451" in str(record.reason)
    later(instance, minutes=1)
    later(instance, hours=2)
    assert [taken["Message-ID"] for taken in server.taken] == [f"<{record.id}@localhost>"]
    (record,) = records(instance)
    assert (record.attempts, record.sent_at is not None) == (2, True)


def test_a_lasting_refusal_is_not_tried_again(instance: Instance, serve: Callable[..., Mailbox]) -> None:
    server = serve()
    server.rcpt.append("550 5.1.1 no such mailbox")
    instance.plugins(mail={"smtp": {"host": "127.0.0.1", "port": server.port, "security": "none"}})
    register(instance)
    instance.drain()
    for hours in (1, 5, 12):
        later(instance, hours=hours)
    assert server.taken == []
    (record,) = records(instance)
    assert record.attempts == 1
    assert "550" in str(record.reason)


def test_a_wish_is_sent_once_however_often_it_is_made(instance: Instance) -> None:
    instance.plugins("mail")
    wish(instance)
    wish(instance)
    instance.drain()
    (path,) = files(instance)
    path.unlink()
    wish(instance)
    instance.drain()
    assert files(instance) == []
    wish(instance, key="ready:2")
    wish(instance, to="bob@example.com")
    instance.drain()
    assert len(files(instance)) == 2


def test_a_wish_of_a_rolled_back_transaction_is_none(instance: Instance) -> None:
    instance.plugins("mail")
    with suppress(ZeroDivisionError), instance.app.app_context(), begin():
        send(to="ann@example.com", template="notice", context=NOTICE, key="ready:1")
        raise ZeroDivisionError
    instance.drain()
    assert files(instance) == []


def test_a_wish_that_cannot_be_is_refused_where_it_is_made(instance: Instance) -> None:
    instance.plugins("mail")
    with pytest.raises(Invalid) as refused:
        wish(instance, to="ann@example.com\r\nBcc: eve@example.com")
    assert refused.value.errors is not None
    assert "to" in refused.value.errors
    with pytest.raises(LookupError):
        wish(instance, template="nothing")


def test_a_header_in_a_title_is_refused_for_good(instance: Instance) -> None:
    instance.plugins("mail")
    wish(instance, context=NOTICE | {"title": "Ready\r\nBcc: eve@example.com"})
    instance.drain()
    later(instance, hours=2)
    assert files(instance) == []
    (record,) = records(instance)
    assert record.attempts == 1


def test_old_records_are_forgotten(instance: Instance) -> None:
    instance.plugins("mail")
    wish(instance)
    instance.drain()
    from plugins.mail.jobs import prune

    with instance.app.app_context():
        assert prune() == {"forgotten": 0}
        with time_machine.travel(utcnow() + timedelta(days=31)):
            assert prune() == {"forgotten": 1}
    assert records(instance) == []

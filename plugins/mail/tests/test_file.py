"""The file transport: whole files, for the owner's eyes, one for each mail."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from plugins.mail.message import compose
from plugins.mail.providers.file import FileTransport
from plugins.mail.render import Content
from plugins.mail.transport import Deferred, Outgoing


def mail(key: UUID, subject: str = "Hello") -> Outgoing:
    content = Content(subject, "Hello\n", "<p>Hello</p>")
    return compose(content, to="ann@example.com", sender="jobs@example.org", key=key, now=datetime.now(UTC))


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    key = uuid4()
    written = Path(FileTransport(folder).deliver(mail(key)))
    assert written == folder / f"{key}.eml"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_second_attempt_replaces_the_first(tmp_path: Path) -> None:
    transport = FileTransport(tmp_path)
    key = uuid4()
    for subject in ("First", "Second"):
        transport.deliver(mail(key, subject))
    (written,) = tmp_path.iterdir()
    assert message_from_bytes(written.read_bytes())["Subject"] == "Second"


def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "mail", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.write_text("untouched")
    key = uuid4()
    (folder / f"{key}.eml").symlink_to(elsewhere)
    FileTransport(folder).deliver(mail(key))
    assert elsewhere.read_text() == "untouched"


def test_a_folder_that_cannot_be_is_deferred(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    transport = FileTransport(tmp_path / "file" / "mail")
    with pytest.raises(Deferred):
        transport.deliver(mail(uuid4()))
    with pytest.raises(Deferred):
        transport.check()


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    key = uuid4()
    (tmp_path / f"{key}.eml").mkdir()  # what no file can replace
    with pytest.raises(Deferred):
        FileTransport(tmp_path).deliver(mail(key))
    assert [path.name for path in tmp_path.iterdir()] == [f"{key}.eml"]

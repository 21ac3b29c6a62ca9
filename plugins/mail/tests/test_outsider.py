"""A transport of somebody else's plugin, through the hook that the bundled ones use."""

from __future__ import annotations

from core.api import begin, call_hook
from core.testing import Instance
from plugins.mail.api import send
from plugins.mail.failover import transport

MANIFEST = """
name = "pigeon"
version = "1.0"
api = ">=1,<2"
summary = "Carries mails on foot."
requires = ["mail"]
"""
PLUGIN = """
from core.api import hookimpl
from plugins.mail.api import Forged, Refused, Tiding


class Pigeon:
    name = "pigeon"

    def __init__(self, folder):
        self.folder = folder

    def deliver(self, mail):
        if mail.recipient == "overseas@example.com":
            raise Refused("too far")
        if mail.recipient == "secret@example.com":
            raise RuntimeError(mail.message.as_string())
        (self.folder / str(mail.key)).write_text(mail.recipient)
        return "the roof"

    def check(self):
        pass


class Loft:
    name = "pigeon"

    def read(self, headers, body, now):
        if headers.get("X-Ring") != "gold":
            raise Forged("another's pigeon")
        return [Tiding(id=body.decode(), status="bounced", recipient="far@example.com", permanent=True)]


@hookimpl
def mail_inbound():
    return [Loft()]


@hookimpl
def mail_transports():
    from core.api import data_dir
    return [Pigeon(data_dir())]
"""


def with_pigeon(instance: Instance) -> Instance:
    folder = instance.home / "more" / "pigeon"
    folder.mkdir(parents=True)
    (folder / "plugin.toml").write_text(MANIFEST)
    (folder / "__init__.py").write_text(PLUGIN)
    instance.path.append(folder.parent)
    return instance.plugins("pigeon", mail={"transport": "pigeon"})


def wish(instance: Instance, to: str) -> None:
    with instance.app.app_context(), begin():
        send(to=to, template="welcome", context={"name": "Ann"}, key="hello")


def test_it_serves_like_a_bundled_one(instance: Instance) -> None:
    with_pigeon(instance)
    wish(instance, "ann@example.com")
    instance.drain()
    carried = [path.read_text() for path in (instance.home / "var").iterdir() if len(path.name) == 36]
    assert carried == ["ann@example.com"]
    assert not (instance.home / "var" / "mail").exists()


def test_bundled_ones_are_offered_through_the_same_hook(instance: Instance) -> None:
    with_pigeon(instance)
    with instance.app.app_context():
        offered = {plugin: [each.name for each in found] for plugin, found in call_hook("mail_transports")}
        assert offered == {"mail": ["file"], "pigeon": ["pigeon"]}
        assert transport("file").name == "file"


def test_its_faults_are_not_quoted(instance: Instance, capfd) -> None:  # type: ignore[no-untyped-def]
    with_pigeon(instance)
    wish(instance, "secret@example.com")
    instance.drain()
    said = "".join(capfd.readouterr())
    assert "RuntimeError" in said
    assert "your account is ready" not in said


def test_what_it_tells_is_heard_like_a_vendors(instance: Instance) -> None:
    with_pigeon(instance)
    admin = instance.person("root@example.com", role="admin")
    client = instance.app.test_client()
    path = "/api/v1/hooks/inbound/mail/pigeon"
    assert client.post(path, data=b"1", headers={"X-Ring": "tin"}).status_code == 401
    assert client.post(path, data=b"1", headers={"X-Ring": "gold"}).status_code == 204
    items = (admin.get("/admin/mail/suppressions").json or {})["items"]
    assert [(item["address"], item["provider"]) for item in items] == [("far@example.com", "pigeon")]

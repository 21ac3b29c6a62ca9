"""Mails go where they should, lead where the operator says, and say nothing a stranger put in."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from core.testing import Databases, Instance
from tests.attack.scene import BUNDLED, instance_of
from tests.identity.world import PASSWORD, World

SITE = "https://jobs.example.org"
EVIL = "evil.example"
POISON = {
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Server": EVIL,
    "X-Forwarded-Prefix": "/evil",
    "X-Host": EVIL,
    "X-Original-URL": f"https://{EVIL}/",
    "X-Rewrite-URL": f"https://{EVIL}/",
    "X-HTTP-Host-Override": EVIL,
    "Forwarded": f"host={EVIL};proto=http",
    "Origin": f"https://{EVIL}",
    "Referer": f"https://{EVIL}/page",
    "X-Real-IP": EVIL,
    "Accept-Language": f"<a href='https://{EVIL}'>",
    "User-Agent": f"https://{EVIL}/",
}
_numbers = itertools.count()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[Instance]:
    with instance_of(
        tmp_path_factory.mktemp("mails"),
        databases,
        *BUNDLED,
        FRONTEND_URL=SITE,
        JOBSTEAD_SERVER__PUBLIC_URL=SITE,
    ) as made:
        yield made


@pytest.fixture(scope="module")
def world(house: Instance) -> World:
    return World(house.app)


def mails(house: Instance, to: str) -> list[EmailMessage]:
    """What an address got."""
    house.drain()
    folder = house.home / "var" / "mail"
    read = [message_from_bytes(path.read_bytes(), policy=SMTP) for path in sorted(Path(folder).glob("*.eml"))]
    return [message for message in read if str(message["To"]).lower() == to.lower()]


def words(message: EmailMessage) -> str:
    """All that a reader sees, and all headers."""
    parts = [str(part.get_content()) for part in message.walk() if not part.is_multipart()]
    return "\n".join([*(f"{name}: {value}" for name, value in message.items()), *parts])


def links(message: EmailMessage) -> set[str]:
    return set(re.findall(r"https?://[^\s\"'<>)]+", words(message)))


@pytest.mark.parametrize(
    "host", ["jobs.example.org", EVIL, f"{EVIL}:80", f"jobs.example.org@{EVIL}", f"{EVIL}/x?"]
)
def test_no_header_decides_where_a_mail_leads(house: Instance, world: World, host: str) -> None:
    email = f"poisoned-{next(_numbers)}@example.org"
    base = {"headers": {**POISON, "Host": host}}
    world.post("/auth/register", {"email": email, "password": PASSWORD}, **base)
    world.post("/auth/resend-otp", {"email": email}, **base)
    world.verify(email, world.code(email))
    world.post("/auth/forgot-password", {"email": email}, **base)
    world.post("/auth/register", {"email": email, "password": PASSWORD}, **base)
    ann = world.signed_in(email)
    new = f"new-{email}"
    body = {"newEmail": new, "currentPassword": PASSWORD}
    ann.call("POST", "/auth/change-email", json=body, headers=dict(base["headers"]))
    slug = f"poisoned-{next(_numbers)}"
    ann.call("POST", "/orgs", json={"name": "Acme", "slug": slug}, headers=dict(base["headers"]))
    guest = f"guest-{email}"
    ann.call("POST", f"/orgs/{slug}/invitations", json={"email": guest}, headers=dict(base["headers"]))
    body = {"currentPassword": PASSWORD, "newPassword": "another long secret"}
    ann.call("PUT", "/auth/change-password", json=body, headers=dict(base["headers"]))
    sent = [message for to in (email, new, guest) for message in mails(house, to)]
    assert len(sent) >= 7
    for message in sent:
        assert EVIL not in words(message)
        assert {urlsplit(link).netloc for link in links(message)} <= {urlsplit(SITE).netloc}, links(message)
    assert any("/invitations/" in link for message in mails(house, guest) for link in links(message))


NAMES = (
    "Ann\r\nBcc: everybody@evil.example",
    "Ann\nSubject: won",
    "Ann\rX",
    "Ann\0",
    "Ann\u2028Bcc: x@evil.example",
    "Ann\u0085Bcc: x@evil.example",
    "Ann\x1b[31m",
    "\u202eevil",
)


@pytest.mark.parametrize("name", NAMES)
def test_no_name_adds_a_line(house: Instance, world: World, name: str) -> None:
    ann = world.person(f"lines-{next(_numbers)}@example.org")
    refused = [
        world.register(f"lines-{next(_numbers)}@example.org", name=name),
        ann.call("PUT", "/auth/profile", json={"name": name}),
        ann.call("PUT", f"/users/{world.user_id(ann.email)}", json={"name": name}),
        ann.call("POST", "/orgs", json={"name": name}),
        ann.call("PATCH", f"/orgs/{ann.me()['organisations'][0]['slug']}", json={"name": name}),
        ann.call(
            "PATCH", f"/orgs/{ann.me()['organisations'][0]['slug']}", json={"branding": {"footer": name}}
        ),
    ]
    assert [answer.status_code for answer in refused] == [422] * len(refused)


@pytest.mark.parametrize(
    "name",
    [
        "<b>Ann</b>",
        "<img src=x onerror=alert(1)>",
        '"><script>x</script>',
        "{{ 7*7 }}",
        "{% raw %}",
        "=?utf-8?q?x?=",
    ],
)
def test_a_name_is_text_in_a_mail(house: Instance, world: World, name: str) -> None:
    email = f"markup-{next(_numbers)}@example.org"
    ann = world.person(email)
    assert ann.call("PUT", "/auth/profile", json={"name": name}).status_code == 200
    slug, guest = f"markup-{next(_numbers)}", f"guest-{email}"
    ann.call("POST", "/orgs", json={"name": f"{name} Ltd", "slug": slug})
    ann.call("POST", f"/orgs/{slug}/invitations", json={"email": guest})
    (message,) = mails(house, guest)
    page = message.get_body(("html",))
    assert page is not None
    shown = str(page.get_content())
    for live in ("<script", "<img src=x", "<b>Ann"):
        assert live not in shown
    assert "49" not in str(message["Subject"])


@pytest.mark.parametrize(
    "name", ["You won, see https://evil.example/claim", "www.evil.example", "Go to evil.example/claim now"]
)
def test_a_stranger_does_not_write_in_our_name(house: Instance, world: World, name: str) -> None:
    """Whoever registers with an address that is not theirs decides no word of what is mailed there."""
    email = f"spammed-{next(_numbers)}@example.org"
    answer = world.register(email, name=name)
    assert answer.status_code in (202, 422)
    world.post("/auth/resend-otp", {"email": email})
    for message in mails(house, email):
        assert "evil.example" not in words(message)


def test_what_a_known_address_gets_says_nothing_of_the_stranger(house: Instance, world: World) -> None:
    email = f"known-{next(_numbers)}@example.org"
    world.person(email)
    world.register(email, name="Evil Name")
    sent = mails(house, email)
    assert sent
    assert all("Evil Name" not in words(message) for message in sent)


def test_every_change_is_told_to_whom_it_was_taken_from(house: Instance, world: World) -> None:
    email = f"changed-{next(_numbers)}@example.org"
    ann, new = world.person(email), f"new-{email}"
    ann.call("POST", "/auth/change-email", json={"newEmail": new, "currentPassword": PASSWORD})
    ann.call("POST", "/auth/change-email/confirm", json={"newEmail": new, "code": world.code(new)})
    before = len(mails(house, email))
    assert any(new in words(message) for message in mails(house, email))
    body = {"currentPassword": PASSWORD, "newPassword": "another long secret"}
    assert ann.call("PUT", "/auth/change-password", json=body).status_code == 200
    assert len(mails(house, email)) == before
    assert any("password" in str(message["Subject"]).lower() for message in mails(house, new))


def test_nobody_is_mailed_a_code_they_did_not_earn(house: Instance, world: World) -> None:
    """The code to a new address goes there alone; the invitation's token to who is invited alone."""
    email = f"alone-{next(_numbers)}@example.org"
    ann, new = world.person(email), f"new-{email}"
    ann.call("POST", "/auth/change-email", json={"newEmail": new, "currentPassword": PASSWORD})
    code = world.code(new)
    assert any(code in words(message) for message in mails(house, new))
    assert not any(code in words(message) for message in mails(house, email))


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "//evil.example/%2e%2e",
        "/\\evil.example",
        "/%5cevil.example",
        "///evil.example/..",
        "/https://evil.example",
        "/api/v1//auth//me",
        "/docs/",
        "/api/v1/orgs/",
        "/static/..//evil.example",
        "/.//evil.example",
    ],
)
def test_no_redirect_leads_away(house: Instance, path: str) -> None:
    to = f"next=https://{EVIL}&redirect=//{EVIL}&return_to=https:{EVIL}&url=//{EVIL}&callback=//{EVIL}"
    for query in ("", to):
        # the path as a server hands it over: a client would read a leading // as another host
        environ = {"PATH_INFO": path, "QUERY_STRING": query}
        answer = house.app.test_client().get("/", headers=POISON, environ_overrides=environ)
        place = answer.headers.get("Location", "")
        assert EVIL not in urlsplit(place).netloc, place
        assert not place.startswith(("//", "/\\"))
        assert answer.status_code < 500


@pytest.mark.parametrize(
    "path", ["/api/v1//auth/me", "/api/v1/auth//sessions", "/static//docs.css", "/.well-known//jwks.json"]
)
def test_no_redirect_believes_the_host(house: Instance, path: str) -> None:
    """A cache in front of us would give it to everybody."""
    answer = house.app.test_client().get(path, headers={"Host": EVIL, **POISON})
    assert EVIL not in answer.headers.get("Location", "")
    assert EVIL not in answer.text


def test_no_operation_redirects_away(house: Instance) -> None:
    """Whatever parameter somebody names."""
    from tests.attack.operations import operations

    names = (
        "next",
        "redirect",
        "redirect_uri",
        "redirectUri",
        "return_to",
        "returnTo",
        "url",
        "continue",
        "state",
        "target",
    )
    client, seen = house.app.test_client(), 0
    for op in operations(house.app):
        if op.method != "GET":
            continue
        url = op.url(**{name: "x" for name, _ in op.places})
        for value in (
            f"https://{EVIL}/",
            f"//{EVIL}/",
            f"/\\{EVIL}",
            f"https:{EVIL}",
            f"/%09/{EVIL}",
            "javascript:alert(1)",
        ):
            query: dict[str, Any] = dict.fromkeys(names, value)
            answer = client.get(url, query_string=query)
            place = answer.headers.get("Location", "")
            assert EVIL not in urlsplit(place).netloc, (op, place)
            assert not place.startswith(("//", "/\\", "javascript:")), (op, place)
            seen += 1
    assert seen > 100

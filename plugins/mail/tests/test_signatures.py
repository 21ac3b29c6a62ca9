"""What vendors tell is believed for its signature alone: on these bytes, now, by a known key."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from core.testing import Databases, Instance, Person

from .telling import (
    KEYS,
    PERMANENT,
    SECRETS,
    STRANGER,
    ecdsa,
    fresh,
    listening,
    of_resend,
    of_sendgrid,
    post,
    suppressed,
    svix,
)


@pytest.fixture(scope="module")
def admin(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """One instance for all tests here, which look at addresses of their own."""
    made = listening(tmp_path_factory.mktemp("signatures"), databases)
    yield made.person("root@example.com", role="admin")
    made.close()


def test_a_signature_holds_for_these_bytes_now_and_by_a_known_key(admin: Person) -> None:
    to = fresh()
    body = of_resend("bounced", to, **PERMANENT)
    good = svix(body, "msg_1")
    other = {"svix-signature": svix(body, "msg_2")["svix-signature"]}
    refused = {
        "none": {},
        "changed body": svix(body + b" ", "msg_1"),
        "reordered": svix(json.dumps(json.loads(body), sort_keys=True, indent=1).encode(), "msg_1"),
        "foreign secret": svix(body, "msg_1", secret=b"guessed"),
        "old": svix(body, "msg_1", ago=301),
        "ahead": svix(body, "msg_1", ago=-310),
        "of another id": good | other,
        "no version": good | {"svix-signature": good["svix-signature"].removeprefix("v1,")},
        "another version": good | {"svix-signature": good["svix-signature"].replace("v1,", "v2,")},
        "not base64": good | {"svix-signature": "v1,ä!"},
        "no time": good | {"svix-timestamp": ""},
        "odd time": good | {"svix-timestamp": "١٢٣"},
        "endless time": good | {"svix-timestamp": "9" * 400},
        "no id": good | {"svix-id": ""},
        "sendgrid's": ecdsa(body),
    }
    for name, headers in refused.items():
        answer = post(admin, "resend", body, headers)
        assert (answer.status_code, (answer.json or {}).get("code")) == (401, "bad_signature"), name
    assert suppressed(admin, to) is None
    several = good | {"svix-signature": f"v1,AAAA {good['svix-signature']} v1a,BBBB"}
    assert post(admin, "resend", body, several).status_code == 204
    assert suppressed(admin, to) == "bounce"
    named = {name.replace("svix", "webhook"): v for name, v in svix(body, "m", secret=SECRETS[1]).items()}
    assert post(admin, "resend", body, named).status_code == 204


def test_sendgrids_signature_likewise(admin: Person) -> None:
    to = fresh()
    body = of_sendgrid({"event": "bounce", "email": to})
    good = ecdsa(body)
    signature, timestamp = (f"X-Twilio-Email-Event-Webhook-{name}" for name in ("Signature", "Timestamp"))
    refused = {
        "none": {},
        "changed body": ecdsa(body + b" "),
        "foreign key": ecdsa(body, key=STRANGER),
        "old": ecdsa(body, ago=86_500),
        "ahead": ecdsa(body, ago=-310),
        "another time": good | {timestamp: str(int(good[timestamp]) - 1)},
        "not base64": good | {signature: "ä!"},
        "empty": good | {signature: ""},
        "resend's": svix(body, "msg_1"),
    }
    for name, headers in refused.items():
        assert post(admin, "sendgrid", body, headers).status_code == 401, name
    assert suppressed(admin, to) is None
    assert post(admin, "sendgrid", body, ecdsa(body, key=KEYS[1], ago=3600)).status_code == 204
    assert suppressed(admin, to) == "bounce"


def test_only_vendors_that_are_set_up_are_heard(admin: Person, instance: Instance) -> None:
    body = of_resend("delivered", fresh())
    assert post(admin, "pigeon", body, svix(body, "msg_1")).status_code == 404
    assert admin.get("/hooks/inbound/mail/resend").status_code == 405
    instance.plugins("mail")
    silent = instance.person("root@example.com")
    assert post(silent, "resend", body, svix(body, "msg_1")).status_code == 404

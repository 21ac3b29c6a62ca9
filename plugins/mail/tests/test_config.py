"""Settings: what is refused, and what follows from what is left out."""

from __future__ import annotations

from typing import Any

import pytest

from core.api import ValidationError
from plugins.mail.config import ConfigSchema, sender, transport_name, transport_names


def test_nothing_set_means_files() -> None:
    config = ConfigSchema().load({})
    assert transport_name(config) == "file"
    assert sender(config) == "Jobstead <jobstead@localhost>"


def test_a_host_means_smtp_and_a_user_may_be_the_sender() -> None:
    smtp = {"host": "smtp.example.org", "user": "jobs@example.org", "password": "x"}
    config = ConfigSchema().load({"smtp": smtp})
    assert transport_name(config) == "smtp"
    assert sender(config) == "jobs@example.org"
    assert sender(ConfigSchema().load({"smtp": smtp, "from": "Us <us@example.org>"})) == "Us <us@example.org>"


@pytest.mark.parametrize(
    ("given", "meant"), [("true", "tls"), (True, "tls"), ("false", "starttls"), ("TLS", "tls")]
)
def test_the_documents_way_to_say_tls_is_understood(given: Any, meant: str) -> None:
    assert ConfigSchema().load({"smtp": {"security": given}})["smtp"]["security"] == meant


@pytest.mark.parametrize(
    "settings",
    [
        {"transport": "smtp"},
        {"from": "nobody"},
        {"from": "a@example.org\r\nBcc: b@example.org"},
        {"smtp": {"host": "mx.example.org", "security": "none", "user": "u", "password": "p"}},
        {"smtp": {"host": "mx.example.org", "user": "u"}},
        {"smtp": {"security": "ssl3"}},
        {"smtp": {"port": 0}},
        {"smtp": {"hots": "mx.example.org"}},
        {"site_url": "javascript:alert(1)"},
        {"transport": "resend", "from": "a@example.org"},
        {"transports": ["smtp", "sendgrid"], "from": "a@example.org", "sendgrid": {"api_key": "k"}},
        {"transport": "resend", "resend": {"api_key": "k"}},
        {"transport": "file", "transports": ["file"]},
        {"transports": ["file", "file"]},
        {"transports": [""]},
        {"resend": {"webhook_secret": "whsec_no base64!"}},
        {"resend": {"webhook_secret": "whsec_"}},
        {"resend": {"base_url": "ftp://api.resend.com"}},
        {"sendgrid": {"webhook_key": "AAAA"}},
        {"sendgrid": {"webhook_key": ""}},
    ],
)
def test_what_cannot_work_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ConfigSchema().load(settings)


def test_vendors_are_chosen_by_what_is_set_up_and_several_by_name_alone() -> None:
    vendors = {"resend": {"api_key": "r"}, "sendgrid": {"api_key": "s"}}
    assert transport_names(ConfigSchema().load(vendors)) == ["file"]  # nobody to be from
    config = ConfigSchema().load(vendors | {"from": "jobs@example.org"})
    assert transport_names(config) == ["resend"]
    order = ["sendgrid", "resend", "file"]
    assert (
        transport_names(ConfigSchema().load(vendors | {"from": "j@example.org", "transports": order}))
        == order
    )

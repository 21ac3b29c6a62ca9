"""The mails there are: what each is for, which variables it has, and made-up values to show it with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SITE_VARIABLES = ("site", "site_url")
"""What every template has beside its own: the instance's name, and where it is (or nothing)."""


@dataclass(frozen=True)
class Kind:
    """One mail. ``sample`` names its variables; no value in it was ever anybody's.

    ``security``: it guards an account or an organisation, so it goes out although its reader complained
    about mails, and never offers to unsubscribe.
    """

    key: str
    summary: str
    sample: Mapping[str, object]
    security: bool = False

    @property
    def variables(self) -> tuple[str, ...]:
        """The names a template of this kind may use."""
        return (*self.sample, *SITE_VARIABLES)


_KINDS = (
    Kind("account_created", "An admin made an account for somebody", {"name": "Ann", "has_password": False}),
    Kind("account_exists", "Somebody registered an address that has an account", {"name": "Ann"}),
    Kind(
        "account_notice",
        "Somebody who runs the instance did something to an account",
        {"name": "Ann", "kind": "deleted", "until": "2030-01-31", "roles": "admin"},
        security=True,
    ),
    Kind(
        "email_changed",
        "Told to the address that was left; where an admin did it, without name, new address and ip",
        {"name": "Ann", "new": "ann@example.net", "ip": "192.0.2.7", "by_admin": False},
        security=True,
    ),
    Kind(
        "invitation",
        "Somebody is asked to join an organisation",
        {
            "inviter": "Ann",
            "organisation": "Acme",
            "role": "member",
            "token": "jst_inv_sample",
            "link": "https://example.org/invitations/jst_inv_sample",
        },
    ),
    Kind(
        "notice",
        "What other plugins have to say",
        {"title": "Your export is ready", "body": "You find it under Exports.", "link": None},
    ),
    Kind(
        "organisation_notice",
        "Told to owners: their organisation will be deleted, or stays",
        {"name": "Ann", "organisation": "Acme", "kind": "deletion_scheduled", "until": "2030-01-31"},
        security=True,
    ),
    Kind(
        "otp",
        "A code to go on with",
        {"name": "Ann", "purpose": "verify_email", "code": "123456"},
        security=True,
    ),
    Kind(
        "password_changed", "The password is another one", {"name": "Ann", "ip": "192.0.2.7"}, security=True
    ),
    Kind(
        "password_reset",
        "A code and a link to set a new password",
        {"name": "Ann", "purpose": "reset", "code": "123456", "link": "https://example.org/sample"},
        security=True,
    ),
    Kind(
        "security_alert",
        "Something the owner of an account should look at",
        {"name": "Ann", "kind": "refresh_reused", "ip": "192.0.2.7"},
        security=True,
    ),
    Kind("welcome", "An address was confirmed", {"name": "Ann"}),
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.key: kind for kind in _KINDS})


def kind_of(template: str) -> Kind:
    """The kind called ``template``. Raises ``LookupError``."""
    try:
        return KINDS[template]
    except KeyError:
        raise LookupError(f"there is no mail template {template!r}; there are {', '.join(KINDS)}") from None

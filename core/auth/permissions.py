"""The permissions of accounts and organisations, and the roles that hold them."""

from __future__ import annotations

from core.access import Permissions

ACCOUNT_READ = "core.account.read"
ACCOUNT_WRITE = "core.account.write"

_ADMIN = ("admin",)
_EVERYBODY = ("user",)
_MEMBERS = ("org:owner", "org:admin", "org:member", "org:viewer")
_KEEPERS = ("org:owner", "org:admin")

CORE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (ACCOUNT_READ, "See one's own account.", _EVERYBODY),
    (ACCOUNT_WRITE, "Change one's own account, log out.", _EVERYBODY),
    ("core.user.read", "See all people of the instance.", _ADMIN),
    ("core.user.write", "Add and change people.", _ADMIN),
    ("core.user.delete", "Delete people.", ()),
    ("core.role.read", "See roles and permissions.", _ADMIN),
    ("core.role.assign", "Give and take roles of the instance.", ()),
    ("core.role.write", "Make, change and delete roles of the instance.", ()),
    ("core.organisation.list", "See one's organisations.", _EVERYBODY),
    ("core.organisation.create", "Create an organisation.", _EVERYBODY),
    ("core.organisation.read", "See the organisation.", _MEMBERS),
    ("core.organisation.write", "Change the organisation.", _KEEPERS),
    ("core.organisation.delete", "Delete the organisation and bring it back.", ("org:owner",)),
    ("core.organisation.transfer", "Make somebody else an owner.", ("org:owner",)),
    ("core.invitation.accept", "Join an organisation one is invited to.", _EVERYBODY),
    ("core.member.read", "See who belongs to the organisation.", ("org:owner", "org:admin", "org:member")),
    ("core.member.write", "Invite, change and remove members.", _KEEPERS),
)


def declare(registry: Permissions) -> None:
    """Put core's permissions into ``registry``. Without roles they are a superadmin's alone."""
    for name, summary, roles in CORE:
        registry.add(name, plugin="core", summary=summary, roles=roles)

"""Hooks that the mail plugin offers to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.api import hookspec

if TYPE_CHECKING:
    from .transport import Transport


@hookspec
def mail_transports() -> list[Transport]:  # type: ignore[empty-body]
    """Ways to hand mails over.

    When: each time a mail is sent or the plugin's health is asked, so settings may be read here.
    Result: objects in the shape of ``plugins.mail.api.Transport``. The operator picks one by its
    ``name`` in ``[plugins.mail] transport``; of two with one name the first in plugin order serves.
    A raise leaves that plugin's transports out; mails that need one wait and are tried again.
    """

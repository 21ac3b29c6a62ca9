"""Hooks that the mail plugin offers to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.api import hookspec

if TYPE_CHECKING:
    from .tidings import Reporter
    from .transport import Transport


@hookspec
def mail_transports() -> list[Transport]:  # type: ignore[empty-body]
    """Ways to hand mails over.

    When: each time a mail is sent or the plugin's health is asked, so settings may be read here.
    Result: objects in the shape of ``plugins.mail.api.Transport``. The operator picks by their
    ``name`` in ``[plugins.mail] transport`` or ``transports``; of two with one name the first in plugin
    order serves.
    A raise leaves that plugin's transports out; mails that need one wait and are tried again.
    """


@hookspec
def mail_inbound() -> list[Reporter]:  # type: ignore[empty-body]
    """Who reads what a vendor tells of mails it took: delivered, bounced, complained of.

    When: each time somebody posts to ``/api/v1/hooks/inbound/mail/<name>``, which everybody may.
    Result: objects in the shape of ``plugins.mail.api.Reporter``, one for each vendor whose signatures can
    be checked; for one that is not set up, none. They alone decide what is genuine.
    A raise leaves that plugin's out: the vendor gets 404 and tells again.
    """

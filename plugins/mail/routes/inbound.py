"""``/hooks/inbound/mail``: what vendors tell, believed for its signature alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from flask import request

from core.api import Blueprint, body_limit, public
from plugins.mail import inbound

blp = Blueprint("mail_inbound", url_prefix="/hooks/inbound/mail")


@blp.post("/<provider>")
@public
@body_limit(inbound.MOST_BYTES)
@blp.response(204)
def receive(provider: str) -> None:
    """Bounces, complaints and deliveries. 401 where the signature does not fit; twice counts once."""
    inbound.receive(provider, cast(Mapping[str, str], request.headers), request.get_data(cache=False))

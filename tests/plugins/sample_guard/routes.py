"""The second step, over HTTP."""

from __future__ import annotations

from core.api import (
    Blueprint,
    Schema,
    Unauthorized,
    fields,
    finish_sign_in,
    public,
    require_second_step,
    signed_in,
    ticket_holder,
)

blp = Blueprint("guard", url_prefix="/auth/guard")


class KnockIn(Schema):
    ticket = fields.String(required=True)
    knocks = fields.Integer(required=True)


@blp.post("")
@public
@blp.arguments(KnockIn)
@blp.response(200, signed_in())
def knock(data):
    """Knock."""
    holder = ticket_holder(data["ticket"])
    if data["knocks"] != 3:
        raise Unauthorized("Wrong.", code="wrong_knock")
    require_second_step(holder, plugin="sample_guard")
    return finish_sign_in(data["ticket"], amr="knock")


@blp.post("/hasty")
@public
@blp.arguments(KnockIn)
@blp.response(200, signed_in())
def hasty(data):
    """Forget to count the try."""
    return finish_sign_in(data["ticket"], amr="knock")

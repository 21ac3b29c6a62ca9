"""``/auth/<provider>``: out to a provider and back, for everybody; ``link`` for whoever is signed in."""

from __future__ import annotations

from typing import Any

from flask import Response, after_this_request

from core.api import Blueprint, confirm_fresh, public, require

from . import attempts, journey
from .schemas import CallbackIn, LinkIn, LinkOut, StartIn

blp = Blueprint("sso", url_prefix="/auth")


def _serve(rule: str, name: str) -> None:
    """The three routes of the providers at ``rule``; ``slug`` tells those of ``oidc`` apart."""

    @blp.get(rule, endpoint=f"start_{name}")
    @public
    @blp.arguments(StartIn(), location="query")
    @blp.response(303)
    def start(data: dict[str, Any], slug: str | None = None) -> Response:
        """Go and sign in at the provider: a link for browsers.

        They come back to `next` signed in by cookies; with `codeChallenge` with a `code` in its query
        for `POST /auth/token-exchange`. 422 for a `next` that leads elsewhere.
        """
        return journey.set_out(
            journey.found(_path(name, slug)),
            target=data.get("next"),
            challenge=data.get("code_challenge"),
        )

    @blp.get(f"{rule}/callback", endpoint=f"callback_{name}")
    @public
    @blp.arguments(CallbackIn(), location="query")
    @blp.response(303)
    def callback(data: dict[str, Any], slug: str | None = None) -> Response:
        """Come back from the provider, which sends browsers here; 400 `invalid_state` where they did not set
        out here. All other trouble is told to the page they land at, by `error` in its query."""
        return journey.come_back(journey.found(_path(name, slug)), data)

    @blp.post(f"{rule}/link", endpoint=f"link_{name}")
    @require("sso.identity.write")
    @blp.arguments(LinkIn(), required=False)
    @blp.response(200, LinkOut())
    def link(data: dict[str, Any], slug: str | None = None) -> dict[str, str]:
        """Link an account at the provider: open the answer's URL in this browser, and come back to `next`.

        403 `fresh_login_required` for whoever signed in a while ago.
        """
        provider = journey.found(_path(name, slug))
        confirm_fresh()
        url, attempt = journey.set_out_to_link(provider, target=data.get("next"))

        def keep(answer: Response) -> Response:
            attempts.keep(attempt, answer)
            return answer

        after_this_request(keep)
        return {"authorization_url": url}


def _path(name: str, slug: str | None) -> str:
    return name if slug is None else f"{name}/{slug}"


for _rule, _name in (("/google", "google"), ("/linkedin", "linkedin"), ("/oidc/<slug>", "oidc")):
    _serve(_rule, _name)

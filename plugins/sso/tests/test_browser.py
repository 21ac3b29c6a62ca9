"""A plain link in a real browser: to a provider on another site and back, signed in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.testing import Instance
from tests.support.browser import needs_chromium, open_page, served

from .conftest import Somebody
from .idp import Idp

pytestmark = [needs_chromium, pytest.mark.once]
ME = "fetch('/api/v1/auth/me').then(answer => answer.json())"
ABROAD = "127.0.0.2"  # another site than the provider's


def test_a_link_signs_in(boot: Callable[..., Instance], idp: Idp, somebody: Somebody) -> None:
    app = boot().app
    idp.next(claims=somebody.claims())
    with served(app, ABROAD) as ours, open_page("127.0.0.1", "localhost", ABROAD) as page:
        corp = app.extensions["jobstead.settings"]["sso"]["oidc"]["corp"]
        corp["redirect_uri"] = f"{ours}/api/v1/auth/oidc/corp/callback"
        page.goto(f"{ours}/")
        assert page.evaluate(ME)["status"] == 401
        page.evaluate("document.body.innerHTML = '<a href=\"/api/v1/auth/oidc/corp?next=/docs\">in</a>'")
        page.click("a")
        page.wait_for_url(f"{ours}/docs")
        assert page.evaluate(ME)["email"] == somebody.email
        kept = {cookie["name"] for cookie in page.context.cookies()}
        assert kept == {"__Host-jobstead_access", "__Host-jobstead_refresh", "__Host-jobstead_csrf"}
        assert [each["query"]["redirect_uri"] for each in idp.seen("authorize")] == [corp["redirect_uri"]]

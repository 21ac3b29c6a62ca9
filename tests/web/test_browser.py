"""The API's page in a real browser: it draws the operations, and asks nobody but this server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import needs_chromium, open_page, served
from tests.web.conftest import Shelf

pytestmark = needs_chromium


@pytest.fixture
def address(shelf_app: Shelf) -> Iterator[str]:
    with served(shelf_app.app) as address:
        yield address


@pytest.fixture
def page() -> Iterator[Page]:
    with open_page("127.0.0.1") as page:
        yield page


def test_the_docs_draw_the_operations_and_ask_nobody_else(address: str, page: Page) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.add_init_script(
        "addEventListener('securitypolicyviolation',"
        " event => console.error('CSP: ' + event.violatedDirective + ' ' + event.blockedURI))"
    )
    page.goto(f"{address}/docs")
    operation = page.locator(".opblock", has=page.locator("a[href='#/books/webtest.books.create']"))
    expect(operation).to_be_visible(timeout=30_000)
    expect(operation).to_contain_text("Put a book on the shelf.")
    operation.locator("button.opblock-summary-control").click()
    expect(operation.locator(".responses-inner")).to_be_visible()

    health = page.locator(".opblock", has=page.locator("a[href='#/health/core.health.health']"))
    health.locator("button.opblock-summary-control").click()
    health.locator("button.try-out__btn").click()
    health.locator("button.execute").click()
    expect(health.locator(".live-responses-table .response-col_status").last).to_contain_text("200")

    page.goto(address)
    expect(page.get_by_role("heading", name="Jobstead")).to_be_visible()
    outside = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert outside == []
    assert complaints == []

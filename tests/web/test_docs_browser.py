"""/docs in a real browser: the whole API is there, and can be tried."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.pictures import photograph, unique
from tests.service import Service
from tests.web.browser import SECONDS
from tests.web.contract import Contract


@contextlib.contextmanager
def _tab(browser: Browser, **context: Any) -> Iterator[Page]:
    """A tab in which no script goes wrong."""
    opened = browser.new_context(reduced_motion="reduce", **context)
    page = opened.new_page()
    page.set_default_timeout(SECONDS * 1000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    try:
        yield page
    finally:
        opened.close()
    assert faults == []


def test_the_page_shows_each_operation_and_uploads_a_picture(
    browser: Browser, server: Service, contract: Contract, tmp_path: Path
) -> None:
    picture = tmp_path / "rocket.jpg"
    picture.write_bytes(unique(photograph("rocket")))
    with _tab(browser) as page:
        page.goto(f"{server.url}/docs")
        # Each of the schema's webhooks is drawn as an operation too.
        operations = len(contract.operations) + len(contract.schema["webhooks"])
        expect(page.locator(".opblock")).to_have_count(operations)
        upload = page.locator("#operations-pictures-upload_picture")
        upload.locator(".opblock-summary-control").click()
        upload.get_by_role("button", name="Try it out").click()
        # What may be left out is left out, as some options exclude each other.
        for name in ("url", "preset", "widths", "width", "trim"):
            expect(upload.get_by_placeholder(name, exact=True)).to_have_value("")
        upload.locator("input[type=file]").set_input_files(picture)
        upload.get_by_role("button", name="Execute").click()
        answered = upload.locator(".live-responses-table tbody .response-col_status")
        expect(answered).to_contain_text("202")


def test_on_a_phone_what_is_wide_scrolls_in_its_place(browser: Browser, server: Service) -> None:
    with _tab(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(f"{server.url}/docs")
        upload = page.locator("#operations-pictures-upload_picture")
        upload.locator(".opblock-summary-control").click()
        expect(upload.locator(".responses-table")).to_be_visible()
        for wide in (
            page.locator(".renderedMarkdown table").first,
            upload.locator(".opblock-body"),
        ):
            assert wide.evaluate("(wide) => wide.scrollWidth > wide.clientWidth")
        assert page.locator("html").evaluate("(html) => html.scrollWidth") == 360


def test_a_schema_that_does_not_come_is_said_and_is_no_fault(
    browser: Browser, server: Service
) -> None:
    with _tab(browser) as page:
        # As for those who leave before it is there.
        page.route("**/openapi.json", lambda route: route.abort())
        page.goto(f"{server.url}/docs")
        expect(page.get_by_text("The server does not answer")).to_be_visible()

"""/docs in a real browser: the whole API is there, and can be tried."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.pictures import snapshot
from tests.service import Service
from tests.web.browser import SECONDS
from tests.web.contract import Contract


@contextlib.contextmanager
def _tab(browser: Browser) -> Iterator[Page]:
    """A tab in which no script goes wrong."""
    opened = browser.new_context(reduced_motion="reduce")
    page = opened.new_page()
    page.set_default_timeout(SECONDS * 1000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    try:
        yield page
    finally:
        opened.close()
    assert faults == []


@pytest.fixture(scope="module")
def docs(browser: Browser, server: Service) -> Iterator[Page]:
    """The page with its upload unfolded: Swagger UI takes seconds of CPU to show a schema."""
    with _tab(browser) as page:
        page.goto(f"{server.url}/docs")
        _upload(page).locator(".opblock-summary-control").click()
        yield page


def _upload(page: Page) -> Locator:
    """The operation of an upload."""
    return page.locator("#operations-pictures-upload_picture")


def test_the_page_shows_each_operation_and_uploads_a_picture(
    docs: Page, contract: Contract, tmp_path: Path
) -> None:
    picture = tmp_path / "rocket.jpg"
    picture.write_bytes(snapshot())
    # Each of the schema's webhooks is drawn as an operation too.
    operations = len(contract.operations) + len(contract.schema["webhooks"])
    expect(docs.locator(".opblock")).to_have_count(operations)
    upload = _upload(docs)
    upload.get_by_role("button", name="Try it out").click()
    # What may be left out is left out, as some options exclude each other.
    for name in ("url", "preset", "widths", "width", "trim"):
        expect(upload.get_by_placeholder(name, exact=True)).to_have_value("")
    upload.locator("input[type=file]").set_input_files(picture)
    upload.get_by_role("button", name="Execute").click()
    answered = upload.locator(".live-responses-table tbody .response-col_status")
    expect(answered).to_contain_text("202")


def test_on_a_phone_what_is_wide_scrolls_in_its_place(docs: Page) -> None:
    docs.set_viewport_size({"width": 360, "height": 740})
    upload = _upload(docs)
    expect(upload.locator(".responses-table").last).to_be_visible()
    for wide in (docs.locator(".renderedMarkdown table").first, upload.locator(".opblock-body")):
        assert wide.evaluate("(wide) => wide.scrollWidth > wide.clientWidth")
    assert docs.locator("html").evaluate("(html) => html.scrollWidth") == 360


def test_a_schema_that_does_not_come_is_said_and_is_no_fault(
    browser: Browser, server: Service
) -> None:
    with _tab(browser) as page:
        # As for those who leave before it is there.
        page.route("**/openapi.json", lambda route: route.abort())
        page.goto(f"{server.url}/docs")
        expect(page.get_by_text("The server does not answer")).to_be_visible()

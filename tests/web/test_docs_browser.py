"""/docs in a real browser: the whole API is there, and can be tried."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.pictures import photograph, unique
from tests.service import Service
from tests.web.browser import SECONDS
from tests.web.contract import Contract


def test_the_page_shows_each_operation_and_uploads_a_picture(
    browser: Browser, server: Service, contract: Contract, tmp_path: Path
) -> None:
    picture = tmp_path / "rocket.jpg"
    picture.write_bytes(unique(photograph("rocket")))
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(SECONDS * 1000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    try:
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
    finally:
        context.close()
    assert faults == []

"""A real browser on the page: the system's Chromium, driven by Playwright."""

from __future__ import annotations

import contextlib
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

SECONDS = 30
"""How long a step may take."""

expect.set_options(timeout=SECONDS * 1000)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser of its own, or the test is skipped where the machine has none."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        missing = "there is no Chromium: `apt-get install chromium` brings one"
        warnings.warn(f"{missing}; the page is not tried in a browser", stacklevel=2)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        # Tests run as root in containers, where its own sandbox cannot be set up.
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """One tab, and all that went wrong in it."""

    def __init__(self, browser: Browser, url: str, **context: Any) -> None:
        self.context = browser.new_context(**{"locale": "en-GB", **context})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(SECONDS * 1000)
        self.faults: list[str] = []
        self.asked: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(url)
        expect(self.page.locator("body")).to_be_visible()

    def choose(self, *files: Path) -> None:
        """Choose files as with the button."""
        self.page.set_input_files("#files", [str(file) for file in files])

    def row(self, name: str) -> Locator:
        return self.page.locator(".row", has=self.page.get_by_text(name, exact=True))

    def over(self, count: int) -> None:
        """Wait until so many pictures have ended."""
        expect(self.page.locator(".row[data-state=done], .row[data-state=failed]")).to_have_count(
            count
        )

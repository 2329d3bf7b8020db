"""A real browser on the page: the system's Chromium, driven by Playwright."""

from __future__ import annotations

import base64
import contextlib
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

SECONDS = 30
"""How long a step may take."""

UNUSED = (
    # Two pages of the address bar, which each window loads: half of the CPU that a visit takes.
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup"),
    # A process for the next page.
    "SpareRendererForSitePerProcess",
    # Those that Playwright disables: of several lists Chromium takes the last alone.
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *("HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding"),
    *("ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "AimEnabled"),
    *("OptimizationHints", "NetworkTimeServiceQuerying", "PreconnectToSearch"),
)
"""Features of Chromium that are disabled."""

OPTIONS = [
    "--no-sandbox",  # tests run as root in containers, where it cannot be set up
    "--disable-dev-shm-usage",
    f"--disable-features={','.join(UNUSED)}",
]

_DROP = """(body, [kind, files]) => {
    const transfer = new DataTransfer();
    for (const [name, base64] of files) {
        const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
        transfer.items.add(new File([bytes], name));
    }
    const options = { bubbles: true, cancelable: true };
    if (kind === "paste") {
        const event = new ClipboardEvent(kind, { ...options, clipboardData: transfer });
        body.dispatchEvent(event);
        return;
    }
    for (const step of ["dragenter", "dragover", "drop"]) {
        body.dispatchEvent(new DragEvent(step, { ...options, dataTransfer: transfer }));
    }
}"""

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
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """One tab, and all that went wrong in it."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        routes: Mapping[str, Callable[[Route], None]] | None = None,
        scripts: Sequence[str] = (),
        **context: Any,
    ) -> None:
        """
        Args:
            routes: what answers in place of the server, by patterns of addresses.
            scripts: run before those of the page.
            context: more of Playwright's for the browser's context.
        """
        # What moves is drawn sixty times a second.
        still = {"locale": "en-GB", "reduced_motion": "reduce"}
        self.context = browser.new_context(**{**still, **context})
        for pattern, answer in (routes or {}).items():
            self.context.route(pattern, answer)
        for script in scripts:
            self.context.add_init_script(script)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(SECONDS * 1000)
        self.faults: list[str] = []
        self.asked: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.sockets: list[str] = []
        self.page.on("websocket", lambda socket: self.sockets.append(socket.url))
        self.page.goto(url)
        expect(self.page.locator("main")).to_be_visible()

    def close(self) -> None:
        """Leave, and see that no script went wrong."""
        self.context.close()
        assert self.faults == []

    def choose(self, *files: Path) -> None:
        """Choose files as with the button."""
        self.page.set_input_files("#files", [str(file) for file in files])

    def dropped(self, *files: tuple[str, bytes], kind: str = "drop") -> None:
        """Drop or `paste` files, by name and content, which need not be on the disk."""
        told = [[name, base64.b64encode(data).decode()] for name, data in files]
        self.page.locator("body").evaluate(_DROP, [kind, told])

    def row(self, name: str) -> Locator:
        return self.page.locator(".row", has=self.page.get_by_text(name, exact=True))

    def over(self, count: int) -> None:
        """Wait until so many pictures have ended."""
        expect(self.page.locator(".row[data-state=done], .row[data-state=failed]")).to_have_count(
            count
        )

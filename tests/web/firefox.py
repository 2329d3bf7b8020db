"""The machine's Firefox, driven by WebDriver BiDi: Playwright drives only one of its own."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import shutil
import subprocess
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.service import until

NAMES = ("firefox-esr", "firefox")

SECONDS = 60.0
"""How long it may take to start, and a step may."""

SETTINGS = """
user_pref("browser.download.folderList", 2);
user_pref("browser.download.dir", "{downloads}");
user_pref("browser.download.useDownloadDir", true);
user_pref("browser.download.always_ask_before_handling_new_types", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("intl.accept_languages", "en");
user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", 1);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 1);
"""
"""Downloads without a question, and nothing from any machine but this: all else is to go by a proxy
that is not there."""


@contextlib.contextmanager
def firefox(folder: Path) -> Iterator[Firefox]:
    """A Firefox with one tab, or the test is skipped where the machine has none.

    Args:
        folder: for its profile and its downloads.
    """
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        missing = "there is no Firefox: `apt-get install firefox-esr` brings one"
        warnings.warn(f"{missing}; the page is not tried in it", stacklevel=2)
        pytest.skip(missing)
    profile, downloads = folder / "profile", folder / "downloads"
    profile.mkdir()
    downloads.mkdir()
    (profile / "user.js").write_text(SETTINGS.format(downloads=downloads))
    process = subprocess.Popen(
        [program, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port=0"],
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "MOZ_HEADLESS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    said: list[str] = []
    assert process.stderr is not None
    reader = threading.Thread(target=said.extend, args=(process.stderr,), daemon=True)
    reader.start()
    try:
        listening = until(
            lambda: re.search(r"BiDi listening on (ws://\S+)", "".join(said)), SECONDS, "Firefox"
        )
        assert listening is not None
        with connect(f"{listening[1]}/session", max_size=None) as socket:
            yield Firefox(socket, downloads)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


class Firefox:
    """One tab, and all that went wrong in it."""

    def __init__(self, socket: ClientConnection, downloads: Path) -> None:
        self.downloads = downloads
        self.faults: list[str] = []
        self._socket = socket
        self._numbers = itertools.count(1)
        self._ask("session.new", capabilities={})
        self._ask("session.subscribe", events=["log.entryAdded"])
        (tab,) = self._ask("browsingContext.getTree")["contexts"]
        self._tab = tab["context"]

    def go(self, url: str) -> None:
        """Load a page."""
        self._ask("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def choose(self, selector: str, *files: Path) -> None:
        """Choose files for an input."""
        located = self._ask(
            "browsingContext.locateNodes",
            context=self._tab,
            locator={"type": "css", "value": selector},
        )
        element = {"sharedId": located["nodes"][0]["sharedId"]}
        paths = [str(file) for file in files]
        self._ask("input.setFiles", context=self._tab, element=element, files=paths)

    def evaluate(self, expression: str) -> Any:
        """The value of a script, beside those of the page: a number, a text or none."""
        told = self._ask(
            "script.evaluate",
            expression=expression,
            target={"context": self._tab, "sandbox": "tests"},
            awaitPromise=True,
        )
        assert told["type"] == "success", told
        return told["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Wait until a script is true."""
        until(lambda: self.evaluate(f"Boolean({expression})"), SECONDS, expression)

    def _ask(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv(timeout=SECONDS))
            if told.get("method") == "log.entryAdded" and told["params"]["type"] == "javascript":
                self.faults.append(told["params"]["text"])
            if told.get("id") == number:
                assert told["type"] == "success", told
                return told["result"]

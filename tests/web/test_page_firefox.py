"""The page in Firefox, where the machine has one."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.pictures import small, unique
from tests.service import Service, until
from tests.web.firefox import firefox


def test_from_choosing_to_saving(server: Service, tmp_path: Path) -> None:
    pictures = [tmp_path / "rocket.jpg", tmp_path / "coffee.jpg"]
    for path in pictures:
        path.write_bytes(unique(small(path.stem)))
    with firefox(tmp_path) as browser:
        browser.go(server.url)
        browser.choose("#files", *pictures)
        browser.wait_for("document.querySelectorAll('[data-state=done]').length === 2")
        # The socket told it: nothing was asked for.
        asked = "performance.getEntriesByType('resource').map((each) => each.name).join(' ')"
        assert "/status/" not in browser.evaluate(asked)
        assert "/upload" in browser.evaluate(asked)
        browser.wait_for("document.querySelectorAll('.row.drawn').length === 2")
        assert "%" in browser.evaluate("document.querySelector('#total').textContent")
        browser.evaluate("document.querySelector('#all').click()")
        archive = browser.downloads / "pictures.zip"
        until(lambda: archive.exists() and zipfile.is_zipfile(archive), what="the archive")
        with zipfile.ZipFile(archive) as opened:
            assert opened.testzip() is None
            assert sorted(opened.namelist()) == ["coffee.webp", "rocket.webp"]
        browser.evaluate("document.querySelector('.thumb').click()")
        browser.wait_for("document.querySelector('.zoomed')?.textContent.includes('%')")
        assert browser.evaluate("document.querySelector('#compare').open") is True
        browser.evaluate("document.querySelector('#compare').close()")
        browser.wait_for("!document.querySelector('#compare').open")
        assert browser.faults == []

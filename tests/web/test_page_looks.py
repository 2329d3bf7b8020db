"""Each state of the page, in light and dark, on a desk and on a phone: held to WCAG 2.2 AA by
axe-core, and kept as pictures to look at where a folder is named."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

import pytest
from PIL import Image
from playwright.sync_api import Browser, Route, expect

from tests.pictures import opened, photograph, small, unique
from tests.service import Client, Service
from tests.web.browser import Visit

FOLDER = "PAGE_SCREENSHOTS"
"""The variable of the environment that names a folder in which the pictures stay."""

SIZES = {1440: 900, 390: 844}
"""Heights of the windows by their widths."""

THEMES: Final = ("light", "dark")

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules of axe that a theme can break, and a language not. They take half of its time."""


@pytest.fixture(scope="module")
def folder() -> Path | None:
    """Where the pictures of the states are to be, if that is asked for."""
    if FOLDER not in os.environ:
        return None
    found = Path(os.environ[FOLDER])
    found.mkdir(parents=True, exist_ok=True)
    return found


@pytest.fixture
def visit(browser: Browser, server: Service) -> Iterator[Visit]:
    visit = Visit(browser, server.url, scripts=[AXE])
    yield visit
    visit.close()


@pytest.fixture
def photographs(tmp_path: Path) -> list[Path]:
    """One of each kind of name."""
    long = "a very long name of a photograph that somebody gave it once upon a time.jpg"
    found = [tmp_path / name for name in ("rocket.jpg", "coffee.jpg", long)]
    kinds = (_wide(), small("coffee"), small("chelsea"))
    for path, data in zip(found, kinds, strict=True):
        path.write_bytes(unique(data))
    return found


def _wide() -> bytes:
    """A picture that is wider than a phone, with few pixels."""
    buffer = io.BytesIO()
    opened(photograph("coffee")).convert("RGB").crop((0, 120, 420, 280)).save(buffer, "JPEG")
    return buffer.getvalue()


def _look(
    visit: Visit,
    folder: Path | None,
    state: str,
    themes: Sequence[Literal["light", "dark"]] = THEMES,
    *,
    colours: bool = True,
) -> None:
    """Keep the pictures of a state, and see that none of its looks is against the rules.

    Args:
        colours: whether its colours are not those of another state.
    """
    page, wrong = visit.page, []
    for theme in themes:
        rules: dict[str, object] = {"runOnly": RULES}
        if not colours:
            rules["rules"] = {name: {"enabled": False} for name in COLOURS}
        elif theme != themes[0]:
            rules = {"runOnly": COLOURS}
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        for width, height in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            name = f"{state}-{width}-{theme}"
            if folder:
                page.screenshot(path=folder / f"{name}.png")
            wide = page.locator("html").evaluate("(html) => html.scrollWidth")
            assert wide <= width, name
            found = page.locator("html").evaluate(
                "(html, rules) => axe.run(document, { ...rules, resultTypes: ['violations'] })",
                rules,
            )
            wrong += [f"{name}: {each['id']}: {_where(each)}" for each in found["violations"]]
    assert wrong == []


def _where(violation: Mapping[str, list[Mapping[str, str]]]) -> str:
    return "; ".join(node["html"][:200] for node in violation["nodes"])


def test_empty(visit: Visit, folder: Path | None) -> None:
    _look(visit, folder, "empty")
    visit.page.get_by_role("button", name="Settings").click()
    expect(visit.page.locator("#settings")).to_be_in_viewport()
    _look(visit, folder, "settings")


def test_working(
    visit: Visit, server: Service, client: Client, folder: Path | None, photographs: list[Path]
) -> None:
    decoders = server.freeze(3)
    try:
        visit.choose(*photographs[:2])
        expect(visit.page.locator("[data-state=converting]")).to_have_count(2)
        for _ in range(4):
            client.upload(unique(photograph("rocket")))
        visit.choose(photographs[2])
        expect(visit.page.locator("#list")).to_contain_text("before it")
        _look(visit, folder, "working")
    finally:
        for decoder in decoders:
            decoder.resume()


def test_done_and_compared(visit: Visit, folder: Path | None, photographs: list[Path]) -> None:
    page = visit.page
    scan = photographs[0].with_name("scan.tif")
    scan.write_bytes(unique(small("coffee", "TIFF")))
    page.get_by_role("radio", name="Same").check()
    visit.choose(scan)
    visit.over(1)
    page.get_by_role("radio", name="WebP").check()
    visit.choose(*photographs)
    visit.over(4)
    expect(page.locator(".row.drawn")).to_have_count(4)
    _look(visit, folder, "done")
    page.locator(".row .thumb").nth(1).click()
    expect(page.locator(".zoomed")).not_to_have_text("")
    _look(visit, folder, "compare")
    page.locator(".own summary").click()
    _look(visit, folder, "compare-settings")


@pytest.mark.parametrize("locale", ["de", "fr", "ja", "rtl"])
def test_in_other_languages(
    browser: Browser, server: Service, folder: Path | None, photographs: list[Path], locale: str
) -> None:
    def mirrored(route: Route) -> None:
        route.fulfill(body=json.dumps({**route.fetch().json(), "direction": "rtl"}))

    routes = {"**/words/en.json": mirrored} if locale == "rtl" else {}
    visit = Visit(browser, server.url, routes=routes, scripts=[AXE], locale=locale)
    broken = photographs[0].with_name("broken.jpg")
    broken.write_bytes(unique(photograph("rocket")[:150]))
    visit.choose(photographs[0], broken)
    visit.over(2)
    expect(visit.page.locator(".row.drawn")).to_have_count(1)
    _look(visit, folder, f"done-{locale}", themes=("light",), colours=False)
    visit.page.locator(".row .thumb").first.click()
    visit.page.locator(".own summary").click()
    expect(visit.page.locator(".zoomed")).not_to_have_text("")
    _look(visit, folder, f"compare-{locale}", themes=("dark",), colours=False)
    visit.close()


def test_brought_back(
    visit: Visit, server: Service, folder: Path | None, photographs: list[Path]
) -> None:
    other = visit.context.new_page()
    other.goto(server.url)
    other.set_input_files("#files", [str(path) for path in photographs])
    expect(other.locator(".row[data-state=done]")).to_have_count(3)
    other.close()
    visit.page.reload()
    expect(visit.page.get_by_role("button", name="Bring back 3 pictures")).to_be_visible()
    _look(visit, folder, "brought-back", themes=("light",))


def test_errors(visit: Visit, folder: Path | None, tmp_path: Path) -> None:
    text, huge, torn = tmp_path / "notes.txt", tmp_path / "huge.png", tmp_path / "torn.jpg"
    text.write_bytes(b"no picture at all")
    Image.new("1", (9000, 9000)).save(huge)
    torn.write_bytes(unique(photograph("rocket")[:150]))
    visit.choose(text, huge, torn)
    visit.over(3)
    _look(visit, folder, "errors")


def test_offline(visit: Visit, folder: Path | None, photographs: list[Path]) -> None:
    visit.context.set_offline(True)
    visit.choose(photographs[0])
    expect(visit.page.locator("#notice")).to_contain_text("Connection lost")
    _look(visit, folder, "offline")


@pytest.mark.parametrize(
    ("status", "shown"), [(401, "This server asks for an API key"), (503, "The server is busy")]
)
def test_refused(
    visit: Visit, folder: Path | None, photographs: list[Path], status: int, shown: str
) -> None:
    body, headers = '{"error": "refused", "message": ""}', {"Retry-After": "60"}
    visit.page.route(
        "**/upload", lambda route: route.fulfill(status=status, body=body, headers=headers)
    )
    visit.choose(photographs[0])
    expect(visit.page.get_by_text(shown)).to_be_visible()
    _look(visit, folder, {401: "key", 503: "busy"}[status])

"""Five hundred pictures on the page at once."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Request, expect

from tests.service import Service
from tests.web.browser import Visit

COUNT = 500

IN_VIEW = 60
"""Rows for which a thumbnail may be made while the list is at its top: those on the screen, and a
few below it."""

MEMORY = 20e6
"""Bytes of JavaScript's heap that all of them may take: a picture's row and its facts, and no
pixels."""

TASKS = """
globalThis.longTasks = [];
globalThis.shifts = [];
const watch = (type, told) => new PerformanceObserver((list) => list.getEntries().forEach(told))
    .observe({ type, buffered: true });
watch("longtask", ({ duration }) => longTasks.push(duration));
watch("layout-shift", ({ value, hadRecentInput }) => hadRecentInput || shifts.push(value));
"""

PAINT = """() => ({
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    bytes: ["resource", "navigation"].flatMap((type) => performance.getEntriesByType(type))
        .reduce((sum, entry) => sum + entry.transferSize, 0),
    shift: shifts.reduce((sum, value) => sum + value, 0),
})"""


def _picture(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 255, (24, 24, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def visit(browser: Browser, server: Service) -> Iterator[Visit]:
    visit = Visit(browser, f"{server.url}/?format=png&effort=fast", scripts=[TASKS])
    yield visit
    visit.close()


def _heap(devtools: CDPSession) -> float:
    devtools.send("HeapProfiler.collectGarbage")
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "JSHeapUsedSize"))


def test_a_visit_is_painted_once_and_shifts_nothing(visit: Visit) -> None:
    expect(visit.page.locator("#limits")).not_to_have_text("")
    told = visit.page.locator("body").evaluate(PAINT)
    print(
        f"first paint after {told['paint']:.0f} ms; {told['bytes']:.0f} bytes on the wire; layout "
        f"shift {told['shift']:.4f}"
    )
    assert told["shift"] < 0.01
    assert told["bytes"] < 50_000


@pytest.mark.timeout(300)  # it is the service that needs most of it
def test_five_hundred_pictures_do_not_hold_the_page_up(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    devtools = visit.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    sent: list[int] = []
    open_now: set[Request] = set()

    def begun(request: Request) -> None:
        open_now.add(request)
        sent.append(len(open_now))

    def ended(request: Request) -> None:
        open_now.discard(request)

    page.on("request", begun)
    page.on("requestfinished", ended)
    files = []
    for number in range(COUNT):
        files.append(tmp_path / f"{number:03}.png")
        files[-1].write_bytes(_picture(number))
    before = _heap(devtools)
    visit.choose(*files)
    expect(page.locator(".row")).to_have_count(COUNT)
    # What a person does meanwhile is answered.
    page.get_by_role("radio", name="Small", exact=True).check()
    page.mouse.move(400, 500)
    page.mouse.wheel(0, 600)
    page.mouse.wheel(0, -600)
    expect(page.locator("#counts")).to_have_text(f"{COUNT} done", timeout=120_000)
    assert page.locator(".row.drawn").count() <= IN_VIEW
    assert max(sent) <= 6
    assert len(visit.sockets) == 1
    assert [url for url in visit.asked if "/status/" in url] == []
    grown = _heap(devtools) - before
    assert grown < MEMORY
    last = visit.row(f"{COUNT - 1:03}.png")
    last.scroll_into_view_if_needed()
    expect(last).to_have_class(re.compile("drawn"))
    tasks = page.locator("body").evaluate("() => longTasks")
    longest = max(tasks, default=0)
    print(
        f"{COUNT} pictures: {len(tasks)} tasks of more than 50 ms, the longest {longest:.0f} ms; "
        f"{grown / 1e6:.1f} MB of JavaScript"
    )

"""Many pictures on the page at once."""

from __future__ import annotations

import io
import json
import os
import re
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Request, expect

from tests.pictures import unique
from tests.service import Service
from tests.web.browser import Visit

FIGURES = "PAGE_FIGURES"
"""The variable of the environment by which the longest tasks are printed: a trace of them takes
seconds of CPU."""

COUNT = 500 if FIGURES in os.environ else 150
"""The fewer are as well more than twice those in view, and more than are dropped with entries of a
file system; what the service takes to convert the others says nothing of the page."""

IN_VIEW = 60
"""Rows for which a thumbnail may be made while the list is at its top: those on the screen, and a
few below it."""

MEMORY = 40_000 * COUNT
"""Bytes of JavaScript's heap that all of them may take: a picture's row and its facts, and no
pixels."""

SHIFTS = """
globalThis.shifts = [];
new PerformanceObserver((list) => {
    shifts.push(...list.getEntries().filter((entry) => !entry.hadRecentInput));
}).observe({ type: "layout-shift", buffered: true });
"""

LOADS = 5

PAINT = """() => ({
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    bytes: ["resource", "navigation"].flatMap((type) => performance.getEntriesByType(type))
        .reduce((sum, entry) => sum + entry.transferSize, 0),
    shift: shifts.reduce((sum, { value }) => sum + value, 0),
})"""


class Task(NamedTuple):
    """One of the browser, in ms."""

    wall: float
    cpu: float


def _picture() -> bytes:
    pixels = np.random.default_rng(1).integers(0, 255, (24, 24, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def visit(browser: Browser, server: Service) -> Iterator[Visit]:
    url = f"{server.url}/?format=png&effort=fast"
    visit = Visit(browser, url, reduced_motion="no-preference")
    yield visit
    visit.close()


def _heap(devtools: CDPSession) -> float:
    devtools.send("HeapProfiler.collectGarbage")
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "JSHeapUsedSize"))


def test_a_visit_shifts_nothing_and_loads_little(browser: Browser, server: Service) -> None:
    told = []
    for _ in range(LOADS):
        visit = Visit(browser, server.url, scripts=[SHIFTS])  # with a cache of its own
        expect(visit.page.locator("#limits")).not_to_have_text("")
        told.append(visit.page.locator("body").evaluate(PAINT))
        visit.close()
    paints = sorted(each["paint"] for each in told)
    print(
        f"first paint of {LOADS} visits after {paints[0]:.0f} to {paints[-1]:.0f} ms, half of them "
        f"by {statistics.median(paints):.0f}; {told[0]['bytes']:.0f} bytes on the wire; layout "
        f"shift {told[0]['shift']:.4f}"
    )
    for each in told:
        assert each["shift"] < 0.01
        assert each["bytes"] < 50_000


def _tasks(trace: bytes) -> list[Task]:
    """Those of the page's own thread."""
    events = json.loads(trace)["traceEvents"]
    threads = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    return [
        Task(event["dur"] / 1000, event.get("tdur", 0) / 1000)
        for event in events
        if event["name"] == "ThreadControllerImpl::RunTask"
        and event["ph"] == "X"
        and (event["pid"], event["tid"]) in threads
    ]


def _longest(tasks: list[Task]) -> str:
    """The longest in words."""
    first, second, *_ = sorted((task.wall for task in tasks), reverse=True)
    cpu = max(task.cpu for task in tasks)
    return f"the longest task {first:.0f} ms and the next {second:.0f}, the most CPU {cpu:.0f} ms"


def _choice(browser: Browser, files: list[Path]) -> list[Task]:
    """The tasks of a choice by which nothing happens: what the browser takes for itself."""
    page = browser.new_page()
    try:
        page.set_content("<input type=file multiple>")
        browser.start_tracing(page=page, categories=["toplevel"])
        page.set_input_files("input", [str(file) for file in files])
        return _tasks(browser.stop_tracing())
    finally:
        page.close()


@pytest.mark.timeout(300)  # it is the service that needs most of it
def test_many_pictures_do_not_hold_the_page_up(
    visit: Visit, browser: Browser, tmp_path: Path
) -> None:
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
    files, picture = [], _picture()
    for number in range(COUNT):
        files.append(tmp_path / f"{number:03}.png")
        files[-1].write_bytes(unique(picture))
    traced = FIGURES in os.environ
    if traced:
        print(f"a page that does nothing with {COUNT} files: {_longest(_choice(browser, files))}")
    before = _heap(devtools)
    if traced:
        browser.start_tracing(page=page, categories=["toplevel"])
    visit.choose(*files)
    expect(page.locator(".row")).to_have_count(COUNT)
    # What a person does meanwhile is answered.
    page.get_by_role("radio", name="Small", exact=True).check()
    page.mouse.move(400, 500)
    page.mouse.wheel(0, 600)
    page.mouse.wheel(0, -600)
    expect(page.locator("#counts")).to_have_text(f"{COUNT} done", timeout=120_000)
    if traced:
        print(f"{COUNT} pictures: {_longest(_tasks(browser.stop_tracing()))}")
    assert page.locator(".row.drawn").count() <= IN_VIEW
    assert max(sent) <= 6
    assert len(visit.sockets) == 1
    assert [url for url in visit.asked if "/status/" in url] == []
    grown = _heap(devtools) - before
    assert grown < MEMORY
    last = visit.row(f"{COUNT - 1:03}.png")
    last.scroll_into_view_if_needed()
    expect(last).to_have_class(re.compile("drawn"))
    print(f"{COUNT} pictures: {grown / 1e6:.1f} MB of JavaScript")

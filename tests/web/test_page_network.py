"""The page in a real browser, and what lies between it and the server."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

from bench.launch import ROOT, free_port
from tests.pictures import md5, opened, photograph, small, unique
from tests.proxy import proxied
from tests.service import Client, Service, service
from tests.web.browser import Visit
from tests.web.keys import KEY, KEYS

LOSE = """() => new Promise((resolve) => {
    const opening = indexedDB.open("/");
    opening.onsuccess = () => {
        const store = opening.result.transaction("pictures", "readwrite").objectStore("pictures");
        store.getAll().onsuccess = ({ target: { result } }) => {
            for (const item of result) store.put({ ...item, file: null });
            store.transaction.oncomplete = () => resolve(result.length);
        };
    };
})"""
"""Takes the files of the pictures that the page has kept; how many there are."""


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Two photographs."""
    found = []
    for name in ("rocket", "coffee"):
        found.append(tmp_path / f"{name}.jpg")
        found[-1].write_bytes(unique(small(name)))
    return found


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server that asks for a key, and takes small pictures only."""
    limits = {"LIMITS__MAX_PIXELS": 1_000_000, "UPLOAD__MAX_UPLOAD_SIZE": "400KB"}
    with service(tmp_path_factory.mktemp("strict"), AUTH__API_KEYS=KEYS, **limits) as running:
        yield running


@pytest.fixture
def keyed(browser: Browser, strict: Service) -> Iterator[Visit]:
    """The page of `strict`, with its key."""
    visit = Visit(browser, f"{strict.url}/?q=80")
    visit.page.get_by_label("This server asks for an API key").fill(KEY)
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("#keys")).to_be_hidden()
    yield visit
    visit.close()


def _asked(visit: Visit, path: str) -> list[str]:
    return [url for url in visit.asked if f"/{path}" in url]


def test_one_socket_tells_how_all_pictures_go(visit: Visit, pictures: list[Path]) -> None:
    visit.choose(*pictures)
    visit.over(2)
    assert _asked(visit, "status") == []
    assert len(visit.sockets) == 1
    visit.dropped(("again.jpg", unique(small("rocket"))))
    visit.over(3)
    assert _asked(visit, "status") == []


def test_the_example_of_an_event_source_hears_all_and_is_closed_at_the_end(
    visit: Visit, server: Service, client: Client
) -> None:
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    example = text.partition("```js\n")[2].partition("```")[0]
    assert "new EventSource(" in example
    data = unique(photograph("rocket"))
    client.upload(data, "webp")
    example = example.replace("511130d2072cc744a1fa5015bc23557a", md5(data))
    shown = visit.page.evaluate(
        """(example) => new Promise((resolve) => {
            const shown = [];
            const show = (step) => shown.push(step);
            const source = new Function("show", `${example}; return source;`)(show);
            source.addEventListener("end", () => resolve([shown, source.readyState]));
        })""",
        example,
    )
    steps, state = shown
    assert (steps[-1]["md5"], steps[-1]["status"]) == (md5(data), "done")
    assert state == 2  # closed


def test_the_place_in_the_queue_is_shown_and_then_that_it_is_converted(
    browser: Browser, server: Service, client: Client, pictures: list[Path]
) -> None:
    visit = Visit(browser, server.url)
    decoders = server.freeze(3)
    try:
        for _ in range(6):
            client.upload(unique(small("rocket")))
        visit.choose(pictures[0])
        expect(visit.row("rocket.jpg")).to_contain_text("before it")
    finally:
        for decoder in decoders:
            decoder.resume()
    visit.over(1)
    assert _asked(visit, "status") == []
    visit.close()


def test_with_a_key_the_socket_is_let_in_and_an_archive_too(
    keyed: Visit, pictures: list[Path]
) -> None:
    keyed.choose(*pictures)
    keyed.over(2)
    expect(keyed.page.locator("#counts")).to_have_text("2 done")
    assert _asked(keyed, "status") == []
    with keyed.page.expect_download() as download:
        keyed.page.get_by_role("button", name="Download all").click()
    assert download.value.suggested_filename == "pictures.zip"


def test_a_proxy_that_lets_no_socket_through_is_asked_instead_below_its_path(
    browser: Browser, server: Service, pictures: list[Path]
) -> None:
    with proxied(server.url, "/tools/pictures") as url:
        visit = Visit(browser, f"{url}/")
        visit.choose(*pictures)
        visit.over(2)
        expect(visit.page.locator("#counts")).to_have_text("2 done")
        assert visit.sockets == [f"{url.replace('http', 'ws')}/ws"]
        assert _asked(visit, "status")
        with visit.page.expect_download() as download:
            visit.page.get_by_role("button", name="Download all").click()
        assert download.value.suggested_filename == "pictures.zip"
        assert [url for url in visit.asked if "/tools/pictures/" not in url] == [
            url for url in visit.asked if url.startswith(("blob:", "data:"))
        ]
        visit.close()


def test_a_server_that_is_stopped_and_started_in_the_middle_loses_nothing(
    browser: Browser, pictures: list[Path], tmp_path: Path
) -> None:
    folder, port = tmp_path / "server", free_port()
    folder.mkdir()
    with _started(folder, port) as server:
        visit = Visit(browser, server.url)
        server.freeze(2)
        visit.choose(*pictures)
        expect(visit.page.locator(".row[data-state=converting]")).to_have_count(2)
        # As a machine that loses its power: its pictures are in hand.
        server.destroy()
    notice = visit.page.locator("#notice")
    expect(notice).to_contain_text("Connection lost, trying again in")
    with _started(folder, port):
        visit.over(2)
        expect(notice).to_be_hidden()
        expect(visit.page.locator("#counts")).to_have_text("2 done")
        assert len(visit.sockets) >= 2
        visit.close()


@contextlib.contextmanager
def _started(folder: Path, port: int) -> Iterator[Service]:
    """A whole server at a port, which may have been there before."""
    server = Service(folder, port, UPLOAD__MAX_CONCURRENT_TASKS=2)
    try:
        yield server.ready()
    finally:
        server.destroy()


class _LostOnce:
    """Loses what is asked for first, and lets the rest through."""

    def __init__(self) -> None:
        self.lost = False

    def __call__(self, route: Route) -> None:
        if self.lost:
            route.continue_()
        else:
            self.lost = True
            route.fulfill(status=200, body="{", content_type="application/json")


def test_words_that_are_lost_on_their_way_are_asked_for_again(
    browser: Browser, server: Service
) -> None:
    visit = Visit(browser, server.url, routes={"**/words/en.json": _LostOnce()})
    expect(visit.page.get_by_role("button", name="Choose pictures")).to_be_visible()
    visit.close()


def test_an_answer_that_breaks_off_is_asked_for_again(
    browser: Browser, server: Service, pictures: list[Path]
) -> None:
    with proxied(server.url, "/pictures") as url:  # which lets no socket through
        visit = Visit(browser, f"{url}/", routes={"**/status/*": _LostOnce()})
        visit.choose(pictures[0])
        visit.over(1)
        expect(visit.page.locator("#counts")).to_have_text("1 done")
        visit.close()


def test_two_tabs_have_a_batch_each_and_the_same_picture_in_both_stays(
    visit: Visit, client: Client, server: Service, pictures: list[Path]
) -> None:
    other = visit.context.new_page()
    other.goto(server.url)
    shared, own = pictures
    decoders = server.freeze(3)
    try:
        for _ in range(4):  # so that it waits
            client.upload(unique(small("rocket")))
        visit.choose(shared)
        expect(visit.row(shared.name)).to_have_attribute("data-state", "queued")
        other.set_input_files("#files", [str(shared), str(own)])
        expect(_states(other, "queued")).to_have_count(2)
        with visit.page.expect_response(lambda answer: answer.request.method == "DELETE"):
            visit.page.get_by_role("button", name="Cancel rocket.jpg").click()
    finally:
        for decoder in decoders:
            decoder.resume()
    expect(_states(other, "done")).to_have_count(2)
    visit.page.reload()
    expect(visit.page.locator("#drop")).to_be_visible()
    other.reload()
    expect(_states(other, "done")).to_have_count(2)
    expect(visit.page.locator(".row")).to_have_count(0)


def _states(page: Page, state: str) -> Locator:
    return page.locator(f".row[data-state={state}]")


def test_after_a_reload_the_original_is_there_to_compare_and_to_convert_anew(
    visit: Visit, pictures: list[Path]
) -> None:
    page = visit.page
    visit.choose(pictures[0])
    visit.over(1)
    page.reload()
    visit.over(1)
    page.locator(".row .thumb").click()
    expect(page.locator(".corner.left")).to_have_text(re.compile(r"Before · \d+ kB"))
    expect(page.get_by_role("img", name="Before")).to_have_js_property("naturalWidth", 320)
    page.locator(".own summary").click()
    page.locator(".own").get_by_role("radio", name="AVIF").check()
    expect(page.locator(".corner.right")).to_contain_text(re.compile("AVIF · .*%"))


def test_after_a_reload_the_pictures_have_their_order_and_not_that_of_their_uploads(
    visit: Visit, pictures: list[Path]
) -> None:
    held: list[Route] = []
    visit.page.route("**/upload", lambda route: route.continue_() if held else held.append(route))
    visit.choose(*pictures)
    visit.over(1)
    held[0].continue_()
    visit.over(2)
    visit.page.reload()
    visit.over(2)
    names = visit.page.locator(".row .name")
    expect(names).to_have_text([path.name for path in pictures])


def test_an_original_that_the_browser_did_not_keep_is_missed_after_a_reload_and_said(
    visit: Visit, pictures: list[Path]
) -> None:
    page = visit.page
    visit.choose(pictures[0])
    visit.over(1)
    assert page.locator("body").evaluate(LOSE) == 1
    page.reload()
    visit.over(1)
    page.locator(".row .thumb").click()
    expect(page.locator(".corner.left")).to_have_text("The original is not at hand after a reload")
    expect(page.locator(".corner.right")).to_contain_text("WebP")
    expect(page.locator(".zoomed")).to_have_text("100%")


def test_a_new_tab_brings_back_the_pictures_of_a_closed_one(
    visit: Visit, server: Service, pictures: list[Path]
) -> None:
    visit.choose(pictures[0])
    visit.over(1)
    other = visit.context.new_page()
    other.goto(server.url)
    other.set_input_files("#files", str(pictures[1]))
    expect(_states(other, "done")).to_have_count(1)
    visit.page.close()
    third = visit.context.new_page()
    third.goto(server.url)
    # The other tab is still there, and its picture stays its own.
    third.get_by_role("button", name="Bring back 1 picture", exact=True).click()
    expect(_states(third, "done")).to_have_count(1)
    expect(third.locator(".row")).to_contain_text("rocket.jpg")
    third.reload()
    expect(_states(third, "done")).to_have_count(1)
    third.get_by_role("button", name="Clear the list").click()
    other.reload()
    expect(_states(other, "done")).to_have_count(1)
    expect(other.locator(".row")).to_contain_text("coffee.jpg")
    expect(other.locator("#earlier")).to_be_hidden()


def test_a_file_that_changes_before_it_is_sent_holds_no_other_up(
    visit: Visit, pictures: list[Path]
) -> None:
    changed, other = pictures
    visit.context.set_offline(True)
    visit.choose(changed, other)
    expect(visit.page.locator("#notice")).to_contain_text("Connection lost")
    changed.write_bytes(unique(small("rocket")))
    os.utime(changed, (0, 0))
    visit.context.set_offline(False)
    visit.over(2)
    expect(visit.row("rocket.jpg")).to_contain_text("moved or changed since it was chosen")
    expect(visit.page.locator("#counts")).to_have_text("1 done · 1 failed")


def test_pasted_files_are_taken(visit: Visit) -> None:
    visit.dropped(("pasted.jpg", unique(small("rocket"))), kind="paste")
    visit.over(1)
    expect(visit.row("pasted.jpg")).to_contain_text("%")


def test_what_has_too_many_pixels_or_bytes_can_be_tried_smaller(
    keyed: Visit, tmp_path: Path
) -> None:
    wide, heavy = tmp_path / "wide.png", tmp_path / "heavy.jpg"
    wide.write_bytes(unique(_enlarged(1200, 1000, "PNG")))
    heavy.write_bytes(unique(_enlarged(990, 990, "JPEG")))
    assert heavy.stat().st_size > 400_000
    keyed.choose(wide, heavy)
    keyed.over(2)
    expect(keyed.row("heavy.jpg")).to_contain_text("at most 400 kB")
    for name in ("heavy.jpg", "wide.png"):
        keyed.row(name).get_by_role("button", name="Try smaller").click()
        expect(keyed.row(name)).to_have_attribute("data-state", "done")
        expect(keyed.row(name)).to_contain_text("−")


def _enlarged(width: int, height: int, format: str) -> bytes:
    """A photograph with so much noise that it is heavy."""
    small = opened(photograph("coffee")).convert("RGB").resize((width, height))
    noise = np.random.default_rng(1).integers(0, 40, (height, width, 3))
    pixels = np.clip(np.asarray(small) + noise, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, quality=95)
    return buffer.getvalue()


def test_what_is_too_wide_for_its_format_can_be_tried_smaller(visit: Visit, tmp_path: Path) -> None:
    banner = tmp_path / "banner.png"
    Image.new("RGB", (20_000, 8), (90, 120, 40)).save(banner)
    visit.choose(banner)
    visit.over(1)
    row = visit.row("banner.png")
    expect(row).to_contain_text("too many pixels a side; this format holds 16,383")
    row.get_by_role("button", name="Try smaller").click()
    expect(row).to_contain_text("16383 × 7")


def test_what_cannot_become_small_enough_can_be_tried_smaller(
    visit: Visit, server: Service, tmp_path: Path
) -> None:
    page = visit.page
    page.goto(f"{server.url}/?effort=fast&kb=1")
    visit.choose(_noise(tmp_path / "noise.png"))
    visit.over(1)
    row = visit.row("noise.png")
    expect(row).to_contain_text("cannot become that small")
    row.get_by_role("button", name="Try smaller").click()
    expect(row).to_have_attribute("data-state", "done")


def _noise(path: Path) -> Path:
    """A picture that stays noise, and heavy, at a tenth of its width and height."""
    small = np.random.default_rng().integers(0, 255, (80, 80, 3), dtype=np.uint8)
    Image.fromarray(small.repeat(10, 0).repeat(10, 1)).save(path)
    return path


def test_what_has_failed_is_converted_again_with_other_settings(
    visit: Visit, server: Service, tmp_path: Path
) -> None:
    page = visit.page
    page.goto(f"{server.url}/?effort=fast&kb=1")
    visit.choose(_noise(tmp_path / "noise.png"))
    visit.over(1)
    expect(visit.row("noise.png")).to_contain_text("cannot become that small")
    page.get_by_label("Kilobytes").fill("")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Convert again with these settings").click()
    expect(visit.row("noise.png")).to_have_attribute("data-state", "done")


def test_a_result_that_stayed_the_original_says_so(
    visit: Visit, server: Service, tmp_path: Path
) -> None:
    visit.page.goto(f"{server.url}/?format=png&effort=small")
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    Image.new("RGB", (8, 8), (90, 120, 40)).save(first)
    visit.choose(first)
    visit.over(1)
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Download first.png").click()
    download.value.save_as(second)
    visit.choose(second)
    visit.over(2)
    expect(visit.row("second.png")).to_contain_text("kept: no smaller")


def test_the_smallest_format_is_chosen_by_the_server_and_told(
    visit: Visit, client: Client, server: Service, pictures: list[Path], tmp_path: Path
) -> None:
    page = visit.page
    graphic = tmp_path / "graphic.png"
    Image.new("RGB", (300, 200), (90, 120, 40)).save(graphic)
    page.get_by_role("radio", name="Smallest").check()
    expect(page).to_have_url(re.compile("format=auto"))
    visit.choose(pictures[0], graphic)
    visit.over(2)
    (chosen,) = {
        job["format"]
        for job in client.wait(md5(pictures[0].read_bytes()))
        if "formats" in job["options"]
    }
    expect(visit.row("rocket.jpg")).to_contain_text(
        {"jpg": "JPEG", "webp": "WebP"}.get(chosen, chosen.upper())
    )
    expect(visit.row("graphic.png")).to_contain_text("WebP")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert sorted(archive.namelist()) == ["graphic.webp", f"rocket.{chosen}"]
    decoders = server.freeze(3)
    try:
        for _ in range(4):
            client.upload(unique(small("rocket")))
        visit.choose(pictures[1])
        expect(visit.row("coffee.jpg")).to_have_attribute("data-state", "queued")
        with page.expect_response(lambda answer: answer.request.method == "DELETE") as answer:
            page.get_by_role("button", name="Cancel coffee.jpg").click()
        assert [job["status"] for job in answer.value.json()] == ["withdrawn"]
    finally:
        for decoder in decoders:
            decoder.resume()


def test_a_result_that_is_deleted_by_now_is_said_and_can_be_converted_again(
    visit: Visit, client: Client, server: Service, pictures: list[Path]
) -> None:
    page = visit.page
    visit.choose(pictures[0])
    visit.over(1)
    (path,) = (
        path for path in server.stored("results") if md5(pictures[0].read_bytes()) in path.name
    )
    path.unlink()
    page.get_by_role("button", name="Download all").click()
    expect(page.locator("#notice")).to_contain_text("deleted by now")
    page.get_by_role("button", name="Download rocket.jpg").click()
    expect(visit.row("rocket.jpg")).to_contain_text("deleted by now")
    page.get_by_role("button", name="Try rocket.jpg again").click()
    expect(visit.row("rocket.jpg")).to_have_attribute("data-state", "done")


def test_the_handle_and_the_zoom_follow_fingers(
    browser: Browser, server: Service, tmp_path: Path
) -> None:
    (tmp_path / "rocket.jpg").write_bytes(unique(photograph("rocket")))  # wider than the screen
    visit = Visit(
        browser, f"{server.url}/?q=80", viewport={"width": 390, "height": 844}, has_touch=True
    )
    page = visit.page
    visit.choose(tmp_path / "rocket.jpg")
    visit.over(1)
    page.locator(".row .thumb").tap()
    handle = page.get_by_role("slider", name="Border between before and after")
    zoomed = page.locator(".zoomed")
    expect(zoomed).not_to_have_text("")
    fingers = visit.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[int, int]) -> None:
        told = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        fingers.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": told})

    touch("Start", (195, 400))
    touch("Move", (250, 410))
    touch("Move", (312, 420))
    touch("End")
    expect(handle).to_have_attribute("aria-valuenow", "80")
    before = int(zoomed.inner_text().rstrip("%"))
    touch("Start", (150, 300), (240, 300))
    touch("Move", (100, 300), (290, 300))
    touch("Move", (60, 300), (330, 300))
    touch("End")
    assert int(zoomed.inner_text().rstrip("%")) >= 2 * before
    expect(handle).to_have_attribute("aria-valuenow", "80")
    visit.close()


def test_a_language_from_right_to_left_mirrors_the_page(
    browser: Browser, server: Service, pictures: list[Path]
) -> None:
    def mirrored(route: Route) -> None:
        words = route.fetch().json()
        route.fulfill(body=json.dumps({**words, "direction": "rtl"}))

    visit = Visit(browser, server.url, routes={"**/words/en.json": mirrored})
    page = visit.page
    visit.choose(pictures[0])
    visit.over(1)

    def left(selector: str) -> float:
        box = page.locator(selector).first.bounding_box()
        assert box is not None
        assert box["x"] >= 0, selector
        assert box["x"] + box["width"] <= 1280, selector
        return box["x"]

    assert left("#settings") < left("#pictures")
    assert left(".actions") < left(".figures") < left(".what") < left(".thumb")
    page.locator(".row .thumb").click()
    # Before is where it is, as the picture does not turn round.
    assert left(".corner.left") < left(".corner.right")
    assert left(".bar .icon >> nth=1") < left(".bar .name")
    visit.close()

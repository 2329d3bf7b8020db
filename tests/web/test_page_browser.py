"""The page in a real browser: from dropping to downloading."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Route, expect

from tests.pictures import md5, photograph, small, unique
from tests.service import Client, Service, service
from tests.web.alone import web
from tests.web.browser import Visit
from tests.web.keys import KEY, KEYS


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with another one in it."""
    folder = tmp_path / "holiday"
    (folder / "beach").mkdir(parents=True)
    (folder / "rocket.jpg").write_bytes(unique(small("rocket")))
    (folder / "beach" / "rocket.jpg").write_bytes(unique(small("rocket")))
    (folder / "beach" / "coffee.tif").write_bytes(unique(small("coffee", "TIFF")))
    (folder / "notes.txt").write_bytes(b"no picture")
    (folder / ".hidden.jpg").write_bytes(unique(photograph("rocket")))
    return folder


def test_a_picture_that_is_cancelled_while_it_waits_is_withdrawn(
    browser: Browser, redis_url: str, tmp_path: Path
) -> None:
    data = unique(photograph("rocket"))
    (tmp_path / "rocket.jpg").write_bytes(data)
    (tmp_path / "server").mkdir()
    with web(tmp_path / "server", redis_url) as running:
        visit = Visit(browser, running.url)
        visit.choose(tmp_path / "rocket.jpg")
        expect(visit.row("rocket.jpg")).to_have_attribute("data-state", "queued")
        assert [job["status"] for job in running.client.status(md5(data))] == ["queued"]
        with visit.page.expect_response(lambda answer: answer.request.method == "DELETE"):
            visit.page.get_by_role("button", name="Cancel rocket.jpg").click()
        assert running.client.status(md5(data)) == []
        visit.close()


def test_a_folder_comes_back_as_a_zip_with_its_folders(
    visit: Visit, pictures: Path, tmp_path: Path
) -> None:
    page = visit.page
    page.set_input_files("#folders", str(pictures))
    visit.over(3)
    expect(page.locator("#counts")).to_have_text("3 done")
    expect(page.locator("#total .saved")).to_have_text(re.compile("−\\d+%"))
    page.get_by_label("Names of files").fill("{name}-{width}.{ext}")
    page.keyboard.press("Tab")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all").click()
    download.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert sorted(archive.namelist()) == [
            "holiday/beach/coffee-300.webp",
            "holiday/beach/rocket-320.webp",
            "holiday/rocket-320.webp",
        ]
        for name in archive.namelist():
            assert Image.open(io.BytesIO(archive.read(name))).format == "WEBP"


def test_twelve_photographs_in_nested_folders_are_dropped_and_come_back_as_a_zip(
    visit: Visit, client: Client, server: Service, tmp_path: Path
) -> None:
    page = visit.page
    page.goto(f"{server.url}/?format=jpg&q=60&width=200")
    top = tmp_path / "photographs.jpg"  # a folder all the same
    sent = {}
    for number in range(12):
        folder = top / ("" if number < 4 else "a" if number < 8 else "a/b")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{number}.jpg"
        path.write_bytes(unique(photograph("rocket")))
        sent[str(path.relative_to(tmp_path))] = md5(path.read_bytes())
    (top / "notes.txt").write_bytes(b"no picture")
    mouse = visit.context.new_cdp_session(page)
    held = {"items": [], "files": [str(top)], "dragOperationsMask": 1}
    decoders = server.freeze(3)
    try:
        for step in ("dragEnter", "dragOver", "drop"):
            if step == "drop":
                expect(page.get_by_text("Let go to add them")).to_be_visible()
            told = {"type": step, "x": 300, "y": 300, "data": held}
            mouse.send("Input.dispatchDragEvent", told)
        expect(page.locator(".row")).to_have_count(12)
        # What a row shows is what goes on with it: bars only where something moves.
        expect(page.locator("[data-state=converting] > progress:visible")).to_have_count(3)
        expect(page.locator("[data-state=queued]").last).to_contain_text("before it")
        expect(page.locator("[data-state=queued] > progress:visible")).to_have_count(0)
        expect(page.locator("#progress")).to_have_js_property("value", 0.5)
    finally:
        for decoder in decoders:
            decoder.resume()
    visit.over(12)
    expect(page.locator("#counts")).to_have_text("12 done")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert set(archive.namelist()) == set(sent)
        for name, picture in sent.items():
            result = client.download(picture, format="jpg", q=60, width=200)
            assert archive.read(name) == result.content, name


def test_from_choosing_to_downloading_by_keyboard_alone(visit: Visit, pictures: Path) -> None:
    page = visit.page
    # From now on: a chooser that opens as the listener comes may be missed.
    page.on("filechooser", lambda chooser: chooser.set_files(pictures / "rocket.jpg"))

    def tab_to(name: str) -> None:
        button = page.get_by_role("button", name=name, exact=True)
        for _ in range(40):
            page.keyboard.press("Tab")
            if button.evaluate("(button) => button === document.activeElement"):
                return
        raise AssertionError(f"{name} is not reached")

    tab_to("Choose pictures")
    page.keyboard.press("Enter")
    visit.over(1)
    tab_to("Download rocket.jpg")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "rocket.webp"


def test_settings_are_in_the_address_and_remembered(
    visit: Visit, browser: Browser, server: Service, pictures: Path, tmp_path: Path
) -> None:
    page = visit.page
    page.goto(f"{server.url}/?format=avif&q=70&width=80&effort=nonsense")
    assert page.get_by_role("radio", name="AVIF").is_checked()
    visit.choose(pictures / "rocket.jpg")
    visit.over(1)
    expect(visit.row("rocket.jpg")).to_contain_text("AVIF · 80 × 54")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download rocket.jpg").click()
    assert download.value.suggested_filename == "rocket.avif"
    page.get_by_role("button", name="Mail").click()
    expect(page).to_have_url(re.compile("format=jpg.*q=75"))
    page.goto(server.url)
    assert page.get_by_role("radio", name="JPEG", exact=True).is_checked()


def test_the_server_finds_the_quality_where_no_number_is_set(
    visit: Visit, client: Client, pictures: Path
) -> None:
    data = (pictures / "rocket.jpg").read_bytes()
    visit.choose(pictures / "rocket.jpg")
    visit.over(1)
    assert [job["options"] for job in client.status(md5(data))] == [{"q": "auto"}]
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Download rocket.jpg").click()
    assert Image.open(download.value.path()).format == "WEBP"


def _copied(visit: Visit) -> str:
    """The command that the page copies."""
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.page.get_by_role("button", name="Copy as curl").click()
    expect(visit.page.get_by_role("button", name="Copied")).to_be_visible()
    return str(visit.page.locator("body").evaluate("() => navigator.clipboard.readText()"))


def test_the_command_that_is_copied_converts_as_the_page_does(
    visit: Visit, client: Client, server: Service, pictures: Path
) -> None:
    picture = pictures / "picture.jpg"
    (pictures / "rocket.jpg").rename(picture)
    visit.page.goto(f"{server.url}/?format=avif&q=70&width=80&keep=date,icc&effort=fast&kb=90")
    command = _copied(visit)
    visit.choose(picture)
    visit.over(1)
    done = client.status(md5(picture.read_bytes()))
    answer = subprocess.run(
        ["bash", "-c", f"{command} --silent"], cwd=pictures, capture_output=True, check=True
    )
    told = json.loads(answer.stdout)
    assert [job["options"] for job in done] == [told["options"]]
    assert client.status(told["md5"]) == done


def test_a_size_limit_in_the_settings_is_kept(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "rocket.jpg").write_bytes(unique(photograph("rocket")))
    page = visit.page
    page.get_by_label("Kilobytes").fill("9")
    page.keyboard.press("Tab")
    expect(page).to_have_url(re.compile("kb=9"))
    visit.choose(tmp_path / "rocket.jpg")
    visit.over(1)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download rocket.jpg").click()
    assert 7_500 < download.value.path().stat().st_size <= 9_000


def test_what_is_wrong_with_a_file_is_said_beside_it(visit: Visit, tmp_path: Path) -> None:
    big, text, huge = tmp_path / "big.jpg", tmp_path / "notes.txt", tmp_path / "huge.png"
    evil = tmp_path / "<img src=x onerror=alert(1)>.jpg"
    big.write_bytes(os.urandom(11_000_000))
    text.write_bytes(b"no picture at all")
    Image.new("1", (9000, 9000)).save(huge)
    evil.write_bytes(unique(photograph("rocket")[:150]))
    visit.choose(big, text, huge, evil)
    visit.over(4)
    expect(visit.row("big.jpg")).to_contain_text("11 MB; at most 10 MB")
    expect(visit.row("notes.txt")).to_contain_text("not a picture")
    expect(visit.row("huge.png")).to_contain_text("81 megapixels; at most 50")
    expect(visit.row(evil.name)).to_contain_text("damaged, or cannot be read")
    expect(visit.page.locator("#counts")).to_have_text("0 done · 4 failed")
    assert visit.page.locator(".row img").count() == 0


def test_same_of_what_cannot_be_written_is_another_format_and_says_so(
    visit: Visit, server: Service, tmp_path: Path
) -> None:
    opaque, clear = tmp_path / "scan.tif", tmp_path / "clear.tif"
    opaque.write_bytes(unique(small("coffee", "TIFF")))
    Image.new("RGBA", (60, 40), (200, 30, 60, 90)).save(clear)
    visit.page.goto(f"{server.url}/?format=same")
    visit.choose(opaque, clear)
    visit.over(2)
    expect(visit.row("scan.tif")).to_contain_text("as JPEG")
    expect(visit.row("clear.tif")).to_contain_text("as PNG")


def test_compare_by_keyboard_alone(visit: Visit, pictures: Path) -> None:
    page = visit.page
    visit.choose(pictures / "rocket.jpg", pictures / "beach" / "rocket.jpg")
    visit.over(2)
    opener = page.locator(".row .actions button").first
    opener.focus()
    page.keyboard.press("Enter")
    handle = page.get_by_role("slider", name="Border between before and after")
    expect(handle).to_be_focused()
    expect(handle).to_have_attribute("aria-valuenow", "50")
    expect(page.locator(".zoomed")).to_have_text(re.compile("\\d+%"))
    page.keyboard.press("ArrowRight")
    expect(handle).to_have_attribute("aria-valuenow", "52")
    page.keyboard.press("1")
    expect(page.locator(".zoomed")).to_have_text("100%")
    page.keyboard.press("+")
    expect(page.locator(".zoomed")).to_have_text("125%")
    expect(page.locator(".grid")).to_be_hidden()
    for _ in range(12):
        page.keyboard.press("+")
    expect(page.locator(".grid")).to_be_visible()
    view = page.locator(".view")
    place = view.bounding_box()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowLeft")
    moved = view.bounding_box()
    assert place is not None
    assert moved is not None
    assert moved["y"] > place["y"]
    assert moved["x"] > place["x"]
    page.keyboard.press("Alt+ArrowRight")
    expect(handle).to_have_attribute("aria-valuenow", "50")
    page.keyboard.press("Escape")
    expect(page.locator("#compare")).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_thumbnail_is_for_the_mouse_alone_and_the_focus_comes_back_to_its_button(
    visit: Visit, pictures: Path
) -> None:
    page = visit.page
    visit.choose(pictures / "rocket.jpg")
    visit.over(1)
    page.locator(".row .thumb").click()
    page.locator(".own summary").click()
    page.locator(".own").get_by_label("Width").fill("50")
    page.keyboard.press("Tab")
    # Converted again, the row has other buttons than those there were.
    expect(page.locator(".row")).to_contain_text("50 × 33")
    page.keyboard.press("Escape")
    # The only one of that name that is not hidden.
    opener = page.get_by_role("button", name="Compare rocket.jpg")
    expect(opener).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Clear the list")).to_be_focused()


def test_the_handle_moves_by_mouse_and_converts_nothing(visit: Visit, pictures: Path) -> None:
    page = visit.page
    visit.choose(pictures / "rocket.jpg")
    visit.over(1)
    page.locator(".row .thumb").click()
    expect(page.locator(".corner.right")).to_contain_text("WebP")
    handle = page.locator(".handle")
    box = handle.bounding_box()
    assert box is not None
    assert box["width"] >= 44
    count = len(visit.asked)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.up()
    assert int(handle.get_attribute("aria-valuenow") or 0) > 60
    page.keyboard.press("+")
    view = page.locator(".view")
    before = view.bounding_box()
    page.mouse.move(300, 300)
    page.mouse.down()
    page.mouse.move(320, 330)
    page.mouse.move(340, 360)
    page.mouse.up()
    after = view.bounding_box()
    assert before is not None
    assert after is not None
    assert (after["x"] - before["x"], after["y"] - before["y"]) == (40, 60)
    assert [url for url in visit.asked[count:] if "upload" in url] == []


def test_another_quality_there_converts_that_one_picture_again(
    visit: Visit, pictures: Path
) -> None:
    page = visit.page
    visit.choose(pictures / "rocket.jpg", pictures / "beach" / "rocket.jpg")
    visit.over(2)
    page.locator(".row .thumb").first.click()
    before = page.locator(".corner.right").inner_text()
    page.locator(".own summary").click()
    page.locator(".own").get_by_role("checkbox", name="Auto").uncheck()
    expect(page.locator(".corner.right")).to_contain_text(re.compile("WebP · .*%"))
    expect(page.locator(".corner.right")).not_to_have_text(before)
    uploads = [url for url in visit.asked if url.endswith("/upload")]
    assert len(uploads) == 3
    page.locator(".own").get_by_label("Width").fill("50")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.locator(".row").first).to_contain_text("50 × 33")
    expect(page.locator(".row").last).to_contain_text("320 × 214")


def test_a_reload_finds_the_batch_again(visit: Visit, pictures: Path) -> None:
    page = visit.page
    visit.choose(pictures / "rocket.jpg")
    visit.over(1)
    page.reload()
    visit.over(1)
    expect(visit.row("rocket.jpg")).to_contain_text("%")


COPY = """async (count) => {
    const [{ name }] = await indexedDB.databases();
    const database = await new Promise((resolve) => {
        indexedDB.open(name).onsuccess = ({ target }) => resolve(target.result);
    });
    const store = database.transaction("pictures", "readwrite").objectStore("pictures");
    let kept;
    store.getAll().onsuccess = ({ target: { result } }) => {
        kept = result.length;
        for (let n = 0; n < count; n += 1) store.put({ ...result[0], id: `${result[0].id}-${n}` });
    };
    await new Promise((resolve) => { store.transaction.oncomplete = resolve; });
    database.close();
    return kept;
}"""
"""Puts copies of the first picture that the page has kept beside it; returns how many it had."""


def test_what_is_cleared_does_not_come_back(visit: Visit, pictures: Path) -> None:
    page = visit.page
    visit.choose(pictures / "rocket.jpg")
    visit.over(1)
    page.evaluate(COPY, 200)
    page.reload()
    visit.over(201)
    # In the same moment, before the database answers.
    with page.expect_navigation():
        page.evaluate("document.querySelector('#clear').click(), location.reload()")
    assert page.evaluate(COPY, 0) == 0
    expect(page.locator(".row")).to_have_count(0)


def test_a_lost_connection_comes_back_by_itself(visit: Visit, pictures: Path) -> None:
    page = visit.page
    visit.context.set_offline(True)
    visit.choose(pictures / "rocket.jpg")
    expect(page.locator("#notice")).to_contain_text("Connection lost, trying again in")
    visit.context.set_offline(False)
    visit.over(1)
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#counts")).to_have_text("1 done")


def test_a_busy_server_is_waited_for_as_long_as_it_says(
    browser: Browser, pictures: Path, tmp_path: Path
) -> None:
    with service(tmp_path / "server", LIMITS__RATE="1/second") as server:
        visit = Visit(browser, server.url)
        visit.choose(pictures / "rocket.jpg", pictures / "beach" / "rocket.jpg")
        expect(visit.page.locator("#notice")).to_contain_text("The server is busy")
        visit.over(2)
        expect(visit.page.locator("#counts")).to_have_text("2 done")
        visit.close()


def test_a_proxy_whose_server_is_away_is_waited_for_and_never_for_more_than_an_hour(
    browser: Browser, server: Service, pictures: Path
) -> None:
    answers = iter([(502, "1"), (504, "1"), (503, "31536000")])

    def answer(route: Route) -> None:
        status, seconds = next(answers)
        route.fulfill(status=status, body="<html>", headers={"Retry-After": seconds})

    visit = Visit(browser, server.url, routes={"**/upload": answer})
    visit.choose(pictures / "rocket.jpg")
    notice = visit.page.locator("#notice")
    expect(notice).to_contain_text(re.compile(r"trying again in 3,(600|5\d\d) s"))
    visit.close()


def test_what_is_too_large_for_a_proxy_is_said_so(
    browser: Browser, server: Service, pictures: Path
) -> None:
    routes = {"**/upload": lambda route: route.fulfill(status=413, body="<html>")}
    visit = Visit(browser, server.url, routes=routes)
    visit.choose(pictures / "rocket.jpg")
    visit.over(1)
    expect(visit.row("rocket.jpg").locator(".detail")).to_have_text(
        "too large for a proxy on the way"
    )
    visit.close()


def test_what_took_too_long_is_said_so(browser: Browser, server: Service, pictures: Path) -> None:
    told = {"error": "interrupted", "message": "the conversion took longer than 60 s"}
    routes = {"**/upload": lambda route: route.fulfill(status=500, json=told)}
    visit = Visit(browser, server.url, routes=routes)
    visit.choose(pictures / "rocket.jpg")
    visit.over(1)
    expect(visit.row("rocket.jpg").locator(".detail")).to_have_text("interrupted, or took too long")
    visit.close()


def test_a_key_is_asked_for_where_the_server_asks_for_one(
    browser: Browser, pictures: Path, tmp_path: Path
) -> None:
    with service(tmp_path / "server", AUTH__API_KEYS=KEYS) as server:
        visit = Visit(browser, server.url)
        page = visit.page
        field = page.get_by_label("This server asks for an API key")
        field.fill("wrong")
        page.keyboard.press("Enter")
        expect(page.locator("#key_wrong")).to_have_text("The server does not know this key.")
        field.fill(KEY)
        page.keyboard.press("Enter")
        expect(field).to_be_hidden()
        visit.choose(pictures / "rocket.jpg")
        visit.over(1)
        for name in ("Download rocket.jpg", "Download all"):
            with page.expect_download():
                page.get_by_role("button", name=name).click()
        assert 'X-API-Key: $API_KEY"' in _copied(visit)
        visit.close()


def test_it_speaks_the_language_of_the_browser(browser: Browser, server: Service) -> None:
    visit = Visit(browser, server.url, locale="de-AT")
    expect(visit.page.get_by_role("button", name="Bilder wählen")).to_be_visible()
    visit.page.get_by_label("Sprache").select_option("en")
    expect(visit.page.get_by_role("button", name="Choose pictures")).to_be_visible()
    visit.close()


def test_on_a_phone_nothing_is_wider_than_the_screen(
    browser: Browser, server: Service, tmp_path: Path
) -> None:
    picture = tmp_path / f"{'holiday-' * 30}.jpg"
    picture.write_bytes(unique(photograph("rocket")))  # which is wider
    visit = Visit(
        browser, f"{server.url}/?q=80", viewport={"width": 390, "height": 844}, has_touch=True
    )
    page = visit.page
    visit.choose(picture)
    visit.over(1)
    page.get_by_role("button", name="Settings").tap()
    expect(page.get_by_role("radio", name="WebP")).to_be_focused()
    page.get_by_role("button", name="Close").tap()
    expect(page.get_by_role("button", name="Settings")).to_be_focused()
    page.locator(".row .thumb").tap()
    expect(page.locator(".zoomed")).to_have_text(re.compile("\\d+%"))
    # Not evaluated in the page, whose policy forbids that.
    for selector in (".row", "#drop", "#compare .bar", "#compare .corner.right"):
        box = page.locator(selector).first.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390, selector
    visit.close()


def test_on_a_narrow_phone_no_figure_lies_below_a_button(
    browser: Browser, server: Service, tmp_path: Path
) -> None:
    (tmp_path / "coffee.png").write_bytes(unique(photograph("coffee")))
    phone = {"width": 360, "height": 740}
    visit = Visit(browser, f"{server.url}/?q=80&effort=fast", locale="de", viewport=phone)
    visit.choose(tmp_path / "coffee.png")
    visit.over(1)
    figures = visit.page.locator(".row .figures")
    assert figures.evaluate("(figures) => figures.scrollWidth <= figures.clientWidth")
    visit.close()


_READ_OUT = """() => new MutationObserver(([{ target }]) => {
    if (target.ariaBusy !== "true") console.log(target.textContent);
}).observe(document.getElementById("counts"), { childList: true })"""


def test_a_screen_reader_hears_the_beginning_and_the_end_and_not_each_picture(
    visit: Visit,
) -> None:
    heard: list[str] = []
    visit.page.on("console", lambda message: heard.append(message.text))
    visit.page.locator("body").evaluate(_READ_OUT)
    visit.dropped(*((f"{n}.jpg", unique(small("rocket"))) for n in range(6)))
    visit.over(6)
    expect(visit.page.locator("#counts")).to_have_attribute("aria-busy", "false")
    assert heard[0].startswith("0 done")
    assert heard[-1] == "6 done"
    assert all(said.startswith("0 done") for said in heard[:-1])


_NO_ANSWER = "IDBFactory.prototype.open = () => ({})"
"""A database that another tab holds up."""


def test_the_key_lets_pictures_through_where_the_database_never_answers(
    browser: Browser, pictures: Path, tmp_path: Path, redis_url: str
) -> None:
    with web(tmp_path / "server", redis_url, AUTH__API_KEYS=KEYS) as server:
        visit = Visit(browser, server.url, scripts=[_NO_ANSWER])
        visit.choose(pictures / "rocket.jpg")
        visit.page.get_by_label("This server asks for an API key").fill(KEY)
        visit.page.keyboard.press("Enter")
        expect(visit.row("rocket.jpg").locator(".detail")).to_have_text("waiting")
        visit.close()


def test_a_name_from_right_to_left_begins_beside_its_thumbnail(visit: Visit) -> None:
    visit.dropped(("\u05e9\u05dc\u05d5\u05dd.jpg", unique(small("rocket"))))
    expect(visit.page.locator(".row .name")).to_have_css("text-align", "left")


def test_dropped_files_are_taken_wherever_they_fall(visit: Visit) -> None:
    page = visit.page
    visit.dropped(("dropped.jpg", unique(small("rocket"))))
    visit.over(1)
    expect(visit.row("dropped.jpg")).to_contain_text("%")
    expect(page.locator("#over")).to_be_hidden()

"""The API for Python."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from tinyimage_client import (
    AsyncClient,
    BadResult,
    Client,
    ConversionFailed,
    InvalidOption,
    KeyRefused,
    NotAServer,
    Refused,
    SourceChanged,
    Stage,
    Step,
    Unreachable,
)

from client.tests.standin import RESULT, Answer, Request, Standin, standin
from tests.pictures import md5, opened, photograph, unique
from tests.service import Service, until


def test_a_file_is_compressed_and_saved(server: Service, tmp_path: Path) -> None:
    picture = tmp_path / "rocket.jpg"
    picture.write_bytes(unique(photograph("rocket")))
    with Client(server.url) as client:
        steps: list[Step] = []
        result = client.compress(picture, format="webp", q=60, width=300, progress=steps.append)
        saved = result.save(tmp_path / "rocket.webp")
    image = opened(saved.read_bytes())
    assert (image.format, image.width) == ("WEBP", 300)
    assert result.md5 == md5(picture.read_bytes())
    assert result.original_bytes == picture.stat().st_size > result.bytes == len(result.data)
    assert result.saved_percent > 50
    assert result.sent
    stages = list(dict.fromkeys(step.stage for step in steps))
    assert stages[:2] == [Stage.SENDING, Stage.QUEUED]
    assert stages[-1] is Stage.RECEIVING
    assert all(step.total == result.original_bytes for step in steps if step.stage == "sending")


def test_several_pictures_are_under_way_at_a_time_with_asyncio(server: Service) -> None:
    pictures = [unique(photograph(name)) for name in ("chelsea", "rocket", "coffee")]

    async def all_of_them() -> list[str]:
        async with AsyncClient(server.url) as client:
            results = await asyncio.gather(
                *(client.compress(picture, format="same", width=80) for picture in pictures)
            )
        return [result.format for result in results]

    assert asyncio.run(all_of_them()) == ["png", "jpg", "png"]


def test_threads_may_share_a_client(fake: Standin) -> None:
    with Client(fake.url) as client:
        results: list[bytes] = []
        threads = [
            threading.Thread(target=lambda n=n: results.append(client.compress(b"%d" % n).data))
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert results == [RESULT] * 4


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"format": "jpg"},
        {"format": "same", "q": 70},
        {"format": "gif", "q": 70},
        {"format": "jpeg", "q": 55, "keep": ["icc", "copyright"]},
        {"lossless": True},
        {"width": 90, "height": 90, "fit": "cover", "effort": "balanced", "background": "FFF"},
    ],
)
def test_what_the_server_has_is_not_sent_again_and_is_the_same(
    server: Service, asked: dict[str, object]
) -> None:
    picture = unique(photograph("rocket"))
    with Client(server.url) as client:
        other = client.compress(picture, format="webp", width=50)
        first = client.compress(picture, **asked)  # type: ignore[arg-type]
        second = client.compress(picture, **asked)  # type: ignore[arg-type]
    assert (other.sent, first.sent, second.sent) == (True, True, False)
    assert second.data == first.data != other.data
    assert second.format == first.format


@pytest.mark.parametrize("asked", [{}, {"damaged": "show", "fit": "inside", "width": 200}])
def test_a_picture_that_the_server_is_at_is_waited_for(
    server: Service, asked: dict[str, Any]
) -> None:
    picture = unique(photograph("chelsea"))
    (decoder,) = server.freeze(1)
    fields = {name: str(value) for name, value in asked.items()}
    assert server.client().upload(picture, "webp", q="44", **fields).status_code == 202
    steps: list[Step] = []

    def hear(step: Step) -> None:
        steps.append(step)
        decoder.resume()

    with Client(server.url) as client:
        result = client.compress(picture, q=44, progress=hear, **asked)
    assert not result.sent
    assert {step.stage for step in steps} <= {Stage.QUEUED, Stage.CONVERTING}


def test_the_place_in_the_queue_is_told(server: Service) -> None:
    (decoder,) = server.freeze(1)
    in_hand, visitor = unique(photograph("rocket")), server.client()
    visitor.upload(in_hand)
    until(lambda: visitor.status(md5(in_hand))[0]["status"] == "processing")
    steps: list[Step] = []

    def hear(step: Step) -> None:
        steps.append(step)
        if step.place:
            decoder.resume()

    with Client(server.url) as client:
        client.compress(unique(photograph("rocket")), progress=hear)
    assert [step.place for step in steps if step.place] == [1]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"format": "bmp"}, "format should be one of webp, .*same"),
        ({"widht": 300}, "no option 'widht'"),
        ({"width": 0}, "width should be from 1 to 16383"),
        ({"width": "wide"}, "width should be from 1 to 16383"),
        ({"keep": ["icc", "all"]}, "keep should be some of copyright"),
        ({"effort": "much"}, "effort should be one of fast, balanced, small"),
        ({"q": 101}, "q should be from 1 to 100"),
    ],
)
def test_an_option_that_the_server_does_not_know_is_refused_before_anything_is_sent(
    server: Service, options: dict[str, object], says: str
) -> None:
    picture = unique(photograph("rocket"))
    with Client(server.url) as client, pytest.raises(InvalidOption, match=says):
        client.compress(picture, **options)  # type: ignore[arg-type]
    assert server.client().status(md5(picture)) == []


def test_automatic_quality_and_the_largest_size_are_asked_for_where_the_server_knows_them(
    fake: Standin,
) -> None:
    with Client(fake.url) as client:
        client.compress(b"picture", q="auto", max_bytes=20_000)
        assert fake.seen("/upload")[0].fields == {"q": "auto", "max_bytes": "20000"}
        with pytest.raises(InvalidOption, match="no option 'height'"):
            client.compress(b"picture", height=3)
        says = "q should be from 1 to 100 or one of auto, auto:high, auto:low"
        with pytest.raises(InvalidOption, match=says):
            client.compress(b"picture", q="best")


def test_a_server_without_automatic_quality_is_not_asked_for_it(fake: Standin) -> None:
    def hook(request: Request) -> Answer | None:
        if request.path != "/docs/openapi.json":
            return None
        fields = {"quality": {}, "format": {}, "q": {"type": "integer", "maximum": 100}}
        form = {"multipart/form-data": {"schema": {"properties": fields}}}
        paths = {"/upload": {"post": {"requestBody": {"content": form}}}}
        return Answer(body={"components": {"schemas": {}}, "paths": paths})

    fake.hook = hook
    with Client(fake.url) as client:
        client.compress(b"picture", q=40)
        for options in ({"q": "auto"}, {"max_bytes": 20_000}):
            with pytest.raises(InvalidOption, match=next(iter(options))):
                client.compress(b"picture", **options)
    assert len(fake.seen("/upload")) == 1


def test_the_largest_size_is_the_servers_own_option(server: Service) -> None:
    picture = unique(photograph("coffee"))
    with Client(server.url) as client:
        result = client.compress(picture, max_bytes=20_000)
        assert 10_000 < result.bytes <= 20_000
        assert not client.compress(picture, max_bytes="20K").sent
        with pytest.raises(InvalidOption, match="max_bytes should be"):
            client.compress(picture, max_bytes="many")


def test_the_server_chooses_the_format_and_is_sent_a_picture_once(server: Service) -> None:
    picture = unique(photograph("coffee"))
    with Client(server.url) as client:
        for format in ("auto", "AVIF, jpeg,webp"):
            result = client.compress(picture, format=format)
            assert result.sent
            assert result.format in ("avif", "webp")
            again = client.compress(picture, format=format)
            assert (again.data, again.format, again.sent) == (result.data, result.format, False)
        with pytest.raises(InvalidOption, match="format should be"):
            client.compress(picture, format="webp,bmp")


def test_lists_of_words_and_numbers_are_options(server: Service) -> None:
    picture = unique(photograph("coffee"))
    with Client(server.url) as client:
        first = client.compress(picture, format=["avif", "JPEG"], width=60)
        assert first.format in ("avif", "jpg")
        for asked in ({"formats": ("avif", "jpg")}, {"formats": "avif, jpeg"}):
            again = client.compress(picture, width=60, **asked)
            assert (again.data, again.sent) == (first.data, False)
        assert client.compress(picture, formats=["png"], width=60).format == "png"
        plain = client.compress(picture, format=None, width=60, keep=[])
        assert plain.format == "webp"
        assert client.compress(picture, format="webp", width=60).data == plain.data


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"format": "webp", "formats": ["avif", "jpg"]}, "format and formats exclude each other"),
        ({"widths": [100, 200]}, "widths has several results: .* once for each width"),
        ({"url": "http://localhost/1.jpg"}, "url is not an option here"),
        ({"keep": [["icc"]]}, r"keep should be text, a number, .* \(it is \[\['icc'\]\]\)"),
        ({"width": b"100"}, "width should be text, a number, "),
        ({"max_bytes": {"20K": 1}}, "max_bytes should be text, a number, "),
        ({"format": 3.5j}, "format should be text, a number, "),
        ({"q": object()}, "q should be text, a number, "),
        ({"max_bytes": "\udcff"}, "max_bytes should be Unicode"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is(
    fake: Standin, options: dict[str, object], says: str
) -> None:
    with Client(fake.url) as client, pytest.raises(InvalidOption, match=says):
        client.compress(b"picture", **options)  # type: ignore[arg-type]
    assert fake.requests == []


def test_a_preset_has_its_own_format_and_quality(server: Service) -> None:
    picture = unique(photograph("rocket"))
    with Client(server.url) as client:
        result = client.compress(picture, preset="small")
        assert (result.format, opened(result.data).width) == ("png", 50)
        again = client.compress(picture, preset="small")
        assert (again.data, again.format) == (result.data, "png")
        low = client.compress(picture, preset="low", format="jpg")
        assert low.data == client.compress(picture, q=20, format="jpg").data
        # Not the newest of the results with these options, but the one of the default format.
        assert client.compress(picture, preset="low").format == "webp"
        assert client.compress(picture, q=20).format == "webp"


def test_a_picture_that_is_done_is_taken_into_a_batch(server: Service) -> None:
    picture = unique(photograph("rocket"))
    name = f"client-{md5(picture)}"
    with Client(server.url) as client:
        first = client.compress(picture, width=70)
        second = client.compress(picture, width=70, batch=name)
    assert second.data == first.data
    told = server.client().http.get(f"/batch/{name}").json()
    assert [file["md5"] for file in told["files"]] == [md5(picture)]


@pytest.mark.parametrize("option", ["batch", "webhook"])
def test_a_picture_that_is_done_is_sent_where_an_upload_is_told_of(
    fake: Standin, option: str
) -> None:
    def hook(request: Request) -> Answer | None:
        return Answer(404, {}) if request.path == "/docs/openapi.json" else None

    fake.hook = hook
    with Client(fake.url) as client:
        client.compress(b"picture")
        assert not client.compress(b"picture").sent
        assert client.compress(b"picture", **{option: "http://localhost/hook"}).sent  # type: ignore[arg-type]
    first, second = fake.seen("/upload")
    assert (first.fields.get(option), second.fields[option]) == (None, "http://localhost/hook")


def test_a_webhook_that_the_server_does_not_allow_is_refused(server: Service) -> None:
    with Client(server.url) as client, pytest.raises(Refused) as refused:
        client.compress(unique(photograph("rocket")), webhook="https://example.org/hook")
    assert (refused.value.status, refused.value.code) == (403, "not_allowed")
    assert not isinstance(refused.value, KeyRefused)


def test_formats_come_from_the_server(server: Service, fake: Standin) -> None:
    with Client(server.url) as client:
        assert {"webp", "avif", "same", "auto"} <= set(client.formats())
    with Client(fake.url) as client:
        assert client.formats() == ["webp", "jpg", "same"]


def test_a_refused_picture_and_a_broken_one_have_the_servers_reason(server: Service) -> None:
    with Client(server.url) as client:
        with pytest.raises(Refused, match="not a picture") as refused:
            client.compress(b"no picture at all")
        broken = unique(photograph("rocket")[:150])
        with pytest.raises(ConversionFailed, match="cannot be read") as failed:
            client.compress(broken)
    assert (refused.value.status, refused.value.code) == (415, "not_an_image")
    assert failed.value.code == "processing_failed"


def test_a_key_that_is_wrong_is_told_from_other_refusals(fake: Standin) -> None:
    def hook(request: Request) -> Answer | None:
        if request.headers.get("authorization") == "Bearer right":
            return None
        return Answer(401, {"error": "unauthorized", "message": "The API key is unknown"})

    fake.hook = hook
    with Client(fake.url, "right") as client:
        assert client.about().max_upload_size_bytes == 10_000_000
    with Client(fake.url, "wrong") as client, pytest.raises(KeyRefused, match="unknown"):
        client.about()


def test_the_key_reaches_no_other_host(fake: Standin) -> None:
    with standin() as other:

        def hook(request: Request) -> Answer | None:
            name = request.path.rpartition("/")[2]
            if request.path.startswith("/status/") and (job := fake.jobs.get(name)):
                url = f"{other.url}/download/{name}?format=webp"
                done = {"status": "done", "result_bytes": len(RESULT), "download_url": url}
                return Answer(body=[{**job, **done}])
            if request.path.startswith("/download/"):
                where = other.url.replace("127.0.0.1", "localhost")
                return Answer(302, headers={"Location": f"{where}/bucket"})
            return None

        fake.hook = hook
        other.hook = lambda request: Answer(body=RESULT, headers={"Content-Type": "image/webp"})
        with Client(fake.url, "secret") as client:
            assert client.compress(b"picture").data == RESULT
    assert all(request.headers["authorization"] == "Bearer secret" for request in fake.requests)
    assert [request.path for request in other.requests] == ["/bucket"]
    assert "authorization" not in other.requests[0].headers


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(body=RESULT + b"x", headers={"Content-Type": "image/webp"}), "should have"),
        (Answer(body=b"<html>" + RESULT[6:]), "does not begin as a webp"),
        (Answer(body=b"", headers={"Content-Type": "image/webp"}), "should have"),
    ],
)
def test_a_result_that_is_not_whole_is_asked_for_again_and_then_refused(
    fake: Standin, answer: Answer, says: str
) -> None:
    fake.hook = lambda request: answer if request.path.startswith("/download/") else None
    with Client(fake.url) as client, pytest.raises(BadResult, match=says):
        client.compress(b"picture")
    assert len(fake.seen("/download/")) == 3


def test_a_result_whose_connection_is_cut_is_fetched_again(fake: Standin) -> None:
    cuts = iter([True])

    def hook(request: Request) -> Answer | None:
        if request.path.startswith("/download/") and next(cuts, False):
            return Answer(body=RESULT, headers={"Content-Type": "image/webp"}, cut=True)
        return None

    fake.hook = hook
    with Client(fake.url) as client:
        assert client.compress(b"picture").data == RESULT
    assert len(fake.seen("/upload")) == 1


def test_a_file_that_changes_while_it_is_sent_is_refused(fake: Standin, tmp_path: Path) -> None:
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(b"1" * 1000)

    def hear(step: Step) -> None:
        if step.stage is Stage.SENDING:
            picture.write_bytes(b"2" * 1000)

    with Client(fake.url) as client, pytest.raises(SourceChanged, match="while it was sent"):
        client.compress(picture, progress=hear)


def test_a_picture_that_the_server_loses_is_sent_again(fake: Standin) -> None:
    losses = iter([True, True])

    def hook(request: Request) -> Answer | None:
        if request.path.startswith("/status/") and bool(fake.jobs) and next(losses, False):
            fake.jobs.clear()
        return None

    fake.hook = hook
    with Client(fake.url) as client:
        assert client.compress(b"picture").data == RESULT
    assert len(fake.seen("/upload")) == 3


def test_what_is_no_tinyimage_server_is_told_so(fake: Standin) -> None:
    fake.hook = lambda request: Answer(body=b"<html>Hello</html>")
    with Client(fake.url) as client, pytest.raises(NotAServer, match="is not a TinyImage Server"):
        client.about()
    with Client("http://127.0.0.1:1") as client, pytest.raises(Unreachable, match="reached"):
        client.about()


@pytest.mark.parametrize(
    "url", ["localhost:8080", "ftp://host", "http://", "http://key@host", "http://host/?key=1"]
)
def test_an_address_that_cannot_be_one_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address of the server"):
        Client(url)


def test_a_server_below_a_path_is_reached(fake: Standin) -> None:
    fake.hook = lambda request: None if request.path.startswith("/tools") else Answer(500, {})

    def strip(request: Request) -> Answer | None:
        assert request.path.startswith("/tools/pictures/")
        path = request.path.removeprefix("/tools/pictures")
        fake.hook = lambda request: None
        try:
            return fake.answer(
                Request(request.method, path, request.query, request.headers, request.body)
            )
        finally:
            fake.hook = strip

    fake.hook = strip
    with Client(f"{fake.url}/tools/pictures") as client:
        assert client.compress(b"picture").data == RESULT

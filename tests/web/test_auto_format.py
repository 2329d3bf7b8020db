"""`format=auto` and lists of formats, from the upload to the download."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import ClientConnection

from imaging.formats import Format
from tests.imaging.animations import animation
from tests.pictures import as_format, md5, opened, photograph, unique
from tests.service import Client, Service, service
from tests.web.contract import Contract
from tests.web.sockets import answers, message

AUTO = ["webp", "png", "jpg", "avif"]
"""As the settings have it, in the order in which they are told."""
ANY = ("auto", "avif", "webp")


def small(name: str) -> bytes:
    """A photograph of few pixels, with an MD5 of its own."""
    file = io.BytesIO()
    opened(photograph(name)).resize((320, 240)).save(file, "PNG")
    return unique(file.getvalue())


def done(client: Client, picture: bytes) -> dict[str, Any]:
    """The one job of the picture, with its details, once it is done."""
    client.wait(md5(picture))
    (job,) = client.http.get(f"/status/{md5(picture)}", params={"details": "true"}).json()
    assert job["status"] == "done", job
    return dict(job)


def test_the_format_is_open_until_there_is_a_result_which_tells_it(
    client: Client, contract: Contract
) -> None:
    picture = small("coffee")
    answer = client.upload(picture, "auto", filename="cup.png")
    contract.check(answer)
    asked = {"md5": md5(picture), "quality": 80, "options": {"formats": AUTO}}
    assert answer.status_code == 202
    assert answer.json() == {**asked, "message": answer.json()["message"], "format": "auto"}
    job = done(client, picture)
    format = job["format"]
    assert format in ("avif", "webp")
    assert {name: job[name] for name in asked} == asked
    contract.check(client.http.get(f"/status/{md5(picture)}?details=true"))
    assert job["result_bytes"] < job["original_bytes"]
    repeated = client.upload(picture, "auto")
    contract.check(repeated)
    assert (repeated.status_code, repeated.json()["format"]) == (200, format)
    exactly = client.http.get(f"/status/{job['download_url']}")
    contract.check(exactly)
    assert exactly.headers["content-type"] == f"image/{format}"
    assert f'"cup.{format}"' in exactly.headers["content-disposition"]
    assert "immutable" in exactly.headers["cache-control"]
    assert len(exactly.content) == job["result_bytes"]
    for query in (
        {},
        {"format": format},
        {"formats": "auto"},
        {"format": "avif,jpg,png,webp"},
        {"format": format, "formats": "auto", "quality": 80},
    ):
        assert client.download(md5(picture), **query).content == exactly.content, query
    for query in ({"format": "avif,webp"}, {"format": "gif"}, {"formats": "auto", "q": 70}):
        assert client.download(md5(picture), **query).status_code == 404, query
    assert client.http.head(f"/download/{md5(picture)}?formats=auto").status_code == 200


def test_auto_at_a_download_is_still_what_the_client_prefers(client: Client) -> None:
    picture = small("rocket")
    client.upload(picture, "auto")
    format = done(client, picture)["format"]
    for accept, status in ((f"image/{format}", 200), ("image/gif", 404)):
        found = client.http.get(f"/download/{md5(picture)}?format=auto", headers={"Accept": accept})
        assert found.status_code == status
        assert found.headers["vary"] == "Accept"


@pytest.fixture(scope="module")
def repeating(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a server with presets."""
    presets = {"thumb": {"width": 160, "q": "auto"}, "small": {"format": "auto", "quality": 50}}
    with service(tmp_path_factory.mktemp("repeating"), PRESETS=json.dumps(presets)) as started:
        client = started.client()
        with client.http:
            yield client


@pytest.mark.parametrize(
    "fields",
    [
        {"format": "auto", "q": "auto"},
        {"format": "AUTO", "q": "auto:low", "width": "100"},
        {"format": "auto", "quality": "60", "effort": "fast", "damaged": "refuse"},
        {"format": "auto", "q": "70", "effort": "balanced"},
        {"format": "auto", "lossless": "true", "quality": "70"},
        {"format": "auto", "max_bytes": "4K", "background": "fff", "keep": "copyright,icc"},
        {"format": "auto", "preset": "thumb"},
        {"format": "auto", "preset": "small", "width": "100"},
        {"preset": "small"},
        {"format": "jpg,webp,avif", "q": "auto", "height": "100"},
        {"format": "png,webp", "lossless": "true", "quality": "70"},
    ],
    ids=lambda fields: "-".join(fields.values()),
)
def test_who_repeats_the_parameters_of_an_upload_gets_its_result(
    repeating: Client, contract: Contract, fields: dict[str, str]
) -> None:
    picture = small("coffee")
    assert repeating.upload(picture, **fields).status_code == 202
    job = done(repeating, picture)
    made = repeating.http.get(f"/status/{job['download_url']}")
    kind = Format(job["format"]).media_type
    path = f"/download/{md5(picture)}"
    for accept in (kind, f"image/gif, {kind};q=0.1", "*/*"):
        found = repeating.http.get(path, params=fields, headers={"Accept": accept})
        contract.check(found)
        assert (found.status_code, found.content) == (200, made.content), accept
        assert found.headers["content-type"] == kind
    others = {"max_bytes": "5K"} if "max_bytes" in fields else {"width": "101"}
    assert repeating.http.get(path, params={**fields, **others}).status_code == 404
    withdrawn = repeating.http.delete(f"/status/{md5(picture)}", params=fields)
    assert [each["status"] for each in withdrawn.json()] == ["done"]
    if fields.get("format", "").lower() == "auto":
        assert found.headers["vary"] == "Accept"
        none = repeating.http.get(path, params=fields, headers={"Accept": "image/x"})
        assert (none.status_code, none.headers["vary"]) == (404, "Accept")
        head = repeating.http.head(path, params=fields)
        assert (head.headers["etag"], head.headers["vary"]) == (found.headers["etag"], "Accept")
        current = {"If-None-Match": found.headers["etag"]}
        assert repeating.http.get(path, params=fields, headers=current).status_code == 304
        part = repeating.http.get(path, params=fields, headers={"Range": "bytes=0-9"})
        assert (part.status_code, part.content) == (206, made.content[:10])


def test_what_auto_became_is_one_of_those_that_accept_chooses_from(client: Client) -> None:
    picture = small("rocket")
    for fields in ({"format": "auto"}, {"format": "gif"}, {"format": "auto", "width": "90"}):
        client.upload(picture, **fields)
        jobs = client.wait(md5(picture))
    (whole,) = (job for job in jobs if job.get("options") == {"formats": AUTO})
    became = Format(whole["format"]).media_type
    path = f"/download/{md5(picture)}?format=auto"
    for accept, kind in (
        (f"image/gif;q=0.5, {became}", became),
        (f"image/gif, {became};q=0.5", "image/gif"),
        ("*/*", became),
        ("image/*", "image/gif"),  # a browser, which may not know what it became
    ):
        found = client.http.get(path, headers={"Accept": accept})
        assert found.headers["content-type"] == kind
        assert opened(found.content).size == (320, 240)


def test_a_list_whose_formats_do_not_know_an_option_is_found_with_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("few")
    with service(folder, ENGINE__AUTO_FORMATS="png,gif") as started:
        client = started.client()
        picture = small("coffee")
        assert client.upload(picture, "auto", q="auto").status_code == 202
        assert done(client, picture)["quality"] == 80
        assert client.download(md5(picture), format="auto", q="auto").status_code == 200


def test_the_same_as_a_format_of_its_own_is_another_job(client: Client) -> None:
    picture = small("coffee")
    client.upload(picture, "auto")
    format = done(client, picture)["format"]
    plain = client.upload(picture, format)
    assert plain.status_code == 202
    assert "options" not in plain.json()
    jobs = client.wait(md5(picture))
    assert [job["format"] for job in jobs] == [format, format]
    assert "options" not in jobs[0]
    assert client.upload(picture, f"{format},").status_code == 200


def test_one_job_for_a_list_however_it_is_written(client: Client) -> None:
    picture = small("rocket")
    assert client.upload(picture, " WEBP,jpeg , webp").status_code == 202
    job = done(client, picture)
    assert job["options"] == {"formats": ["webp", "jpg"]}
    assert client.upload(picture, "jpg,webp").status_code == 200
    assert client.upload(picture, formats="jpg,webp").status_code == 200
    assert client.upload(picture, formats="jpg,webp", quality="80").status_code == 200
    assert len(client.wait(md5(picture))) == 1


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"format": "webp,bmp"}, "unsupported_format"),
        ({"format": "jpg,gif", "lossless": "true"}, "invalid_option"),
        ({"format": "auto", "formats": "webp"}, "invalid_option"),
        ({"format": "auto", "q": "auto", "lossless": "true"}, "invalid_option"),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    client: Client, contract: Contract, fields: dict[str, str], error: str
) -> None:
    answer = client.upload(small("rocket"), **fields)
    contract.check(answer)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_it_goes_with_all_other_options(client: Client) -> None:
    picture = small("coffee")
    asked = [
        {"q": "auto"},
        {"lossless": "true"},
        {"max_bytes": "4K", "width": "200"},
        {"damaged": "refuse", "background": "ffffff", "keep": "icc,copyright"},
    ]
    for fields in asked:
        assert client.upload(picture, "auto", **fields).status_code == 202, fields
    jobs = client.wait(md5(picture))
    assert [job["status"] for job in jobs] == ["done"] * 4, jobs
    by_q, exact, limited, kept = jobs
    assert (by_q["quality"], exact["quality"], limited["quality"]) == (0, 0, 80)
    assert exact["options"]["formats"] == ["webp", "png", "avif"]
    assert exact["format"] in ("webp", "png", "avif")
    assert kept["format"] in AUTO
    details = client.http.get(f"/status/{md5(picture)}?details=true").json()
    assert abs(details[0]["chosen_look"] - 77) < 5
    for job in details:
        found = client.http.get(f"/status/{job['download_url']}")
        assert len(found.content) == job["result_bytes"]
        assert found.headers["content-type"] == Format(job["format"]).media_type
    assert details[2]["result_bytes"] <= 4000
    for fields in asked:
        assert client.upload(picture, "auto", **fields).status_code == 200, fields


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP"])
def test_what_comes_in_whatever_format_becomes_one_that_is_small(client: Client, kind: str) -> None:
    picture = unique(animation("GIF") if kind == "GIF" else as_format("chelsea", kind))
    client.upload(picture, "auto")
    job = done(client, picture)
    assert job["result_bytes"] < job["original_bytes"]
    result = opened(client.download(md5(picture)).content)
    assert getattr(result, "n_frames", 1) == (4 if kind == "GIF" else 1)


def test_a_picture_that_fails_was_open_to_the_end(client: Client, contract: Contract) -> None:
    broken = unique(photograph("rocket")[:150])
    client.upload(broken, "auto")
    (job,) = client.wait(md5(broken))
    assert (job["status"], job["format"]) == ("failed", "auto")
    contract.check(client.http.get(f"/status/{md5(broken)}?details=true"))


def test_a_socket_tells_the_format_with_the_result(
    ws: ClientConnection, server: Service, contract: Contract
) -> None:
    picture = small("rocket")
    for formats in (["avif", "webp"], "webp,avif"):
        ws.send(message(picture, formats, details=True))
    received = answers(ws, 2)
    for step in received:
        assert step["options"] == {"formats": ["webp", "avif"]}
        kind = "SocketDone" if step["status"] == "done" else "SocketStep"
        contract.validate(step, contract.component(kind))
        # What was done meanwhile is told with its format at once.
        assert step["format"] in (("avif", "webp") if step["status"] == "done" else ANY)
    last = received[-1]
    assert last["format"] in ("webp", "avif")
    assert len([path for path in server.stored("results") if md5(picture) in path.name]) == 1


def test_an_archive_and_a_follower_name_it_as_the_status_does(
    client: Client, ws: ClientConnection
) -> None:
    picture = small("coffee")
    client.upload(picture, "auto", filename="cup.png")
    job = done(client, picture)
    told = {name: job[name] for name in ("md5", "format", "quality", "options")}
    for one in (
        told,
        {**told, "format": "auto"},
        {"md5": job["md5"], "format": AUTO},
        {"md5": job["md5"], "format": "auto", "options": {}},
    ):
        archive = client.http.post("/archive", json={"files": [one]})
        assert archive.status_code == 200, one
        with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
            assert files.namelist() == [f"cup.{job['format']}"]
    ws.send(json.dumps({"follow": job["md5"], "format": "auto"}))
    assert json.loads(ws.recv(timeout=30))["format"] == job["format"]

"""`q=auto` over HTTP, WebSocket and the Tinify API."""

from __future__ import annotations

import base64
import io
import json

import pytest
from websockets.sync.client import connect

from tests.pictures import md5, opened, photograph, unique
from tests.service import Client, Service
from tests.web.contract import Contract


def small(name: str) -> bytes:
    """A photograph of few pixels, with an MD5 of its own."""
    file = io.BytesIO()
    opened(photograph(name)).resize((320, 240)).save(file, "PNG")
    return unique(file.getvalue())


def test_what_was_chosen_is_in_the_details_and_the_result_is_found(client: Client) -> None:
    picture = small("rocket")
    answer = client.upload(picture, "webp", q="auto")
    assert answer.status_code == 202
    assert answer.json()["quality"] == 0
    assert answer.json()["options"] == {"q": "auto"}
    name = md5(picture)
    client.wait(name)
    (job,) = client.http.get(f"/status/{name}", params={"details": "true"}).json()
    assert 1 <= job["chosen_quality"] <= 100
    assert job["chosen_look"] == pytest.approx(77, abs=4)
    file = client.http.get(f"/status/{job['download_url']}")
    assert file.status_code == 200
    assert "immutable" in file.headers["cache-control"]
    for query in ({"q": "auto"}, {"quality": "auto"}, {"q": " AUTO "}):
        found = client.download(name, format="webp", **query)
        assert found.content == file.content
        assert "immutable" in found.headers["cache-control"]
    assert client.download(name, format="webp", q="auto:low").status_code == 404
    assert client.download(name, format="webp", q=80).status_code == 404


def test_the_quality_that_fits_into_a_number_of_bytes_is_in_the_details(client: Client) -> None:
    picture = small("coffee")
    client.upload(picture, "jpg", q="70", max_bytes="6K")
    client.wait(md5(picture))
    answer = client.http.get(f"/status/{md5(picture)}", params={"details": "true"})
    Contract(str(client.http.base_url)).check(answer)
    (job,) = answer.json()
    assert job["result_bytes"] <= 6000
    assert 20 <= job["chosen_quality"] < 70
    assert "chosen_look" not in job


def test_each_look_is_a_result_of_its_own(client: Client) -> None:
    picture = small("coffee")
    sizes = {}
    for q in ("auto:low", "auto", "Auto:High"):
        assert client.upload(picture, "jpg", q=q).status_code == 202
    assert client.upload(picture, "jpg", q="AUTO").status_code in (200, 202)
    jobs = client.wait(md5(picture))
    assert [job["options"]["q"] for job in jobs] == ["auto:low", "auto", "auto:high"]
    for q in ("auto:low", "auto", "auto:high"):
        sizes[q] = len(client.download(md5(picture), format="jpg", q=q).content)
    assert sizes["auto:low"] < sizes["auto"] < sizes["auto:high"]


def test_a_format_without_it_is_as_ever_and_found_by_either_name(client: Client) -> None:
    picture = small("coffee")
    assert "options" not in client.upload(picture, "png", q="auto").json()
    client.wait(md5(picture))
    assert client.upload(picture, "png").status_code == 200
    assert client.download(md5(picture), format="png", q="auto").status_code == 200


def test_the_kept_quality_is_a_number_or_80(client: Client) -> None:
    answer = client.upload(small("coffee"), "jpg", quality="auto").json()
    assert (answer["quality"], answer.get("options")) == (80, None)


@pytest.mark.parametrize("q", ["automatic", "auto:best", "auto:", "0", "101"])
def test_what_q_may_be_is_said(client: Client, q: str) -> None:
    answer = client.upload(small("coffee"), "jpg", q=q)
    assert answer.status_code == 400
    assert "from 1 to 100, or one of auto, auto:high, auto:low" in answer.json()["message"]


def test_lossless_has_nothing_to_choose(client: Client) -> None:
    answer = client.upload(small("coffee"), "webp", q="auto", lossless="true")
    assert answer.status_code == 400
    assert answer.json()["message"] == "q and lossless exclude each other"


def test_an_archive_names_it_as_the_status_does(client: Client) -> None:
    picture = small("coffee")
    client.upload(picture, "jpg", q="auto")
    (job,) = client.wait(md5(picture))
    named = {name: job[name] for name in ("md5", "format", "quality", "options")}
    for files in ([named], [{"md5": job["md5"], "format": "jpg", "q": "auto"}]):
        assert client.http.post("/archive", json={"files": files}).status_code == 200


def test_a_socket_takes_it_too(server: Service) -> None:
    picture = small("rocket")
    message = {
        "filename": "a.png",
        "format": "jpg",
        "q": "auto",
        "details": True,
        "data": base64.b64encode(picture).decode(),
    }
    with connect(server.ws_url, max_size=None) as ws:
        ws.send(json.dumps(message))
        while (answer := json.loads(ws.recv()))["status"] != "done":
            assert answer["status"] in ("queued", "processing")
    assert answer["options"] == {"q": "auto"}
    assert answer["chosen_look"] == pytest.approx(77, abs=4)

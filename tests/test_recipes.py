"""The recipes of CONTRIBUTING.md, each followed to the letter in a copy of the code and then used
over HTTP."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.imaging.samples import corners, distance, photo
from tests.pictures import encoded, md5, opened
from tests.service import Client, Service
from tests.toys import add_endpoint, add_format, add_option, add_storage, copied, toy


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code with a format, an option, an endpoint and a kind of storage more."""
    folder = copied(tmp_path_factory.mktemp("code"))
    add_format(folder)
    add_option(folder)
    add_endpoint(folder)
    add_storage(folder)
    return folder


@pytest.fixture(scope="module")
def extended(code: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server that runs it."""
    server = Service(tmp_path_factory.mktemp("server"), code=code, GREETING__WORD="Moin")
    try:
        yield server.ready()
    finally:
        server.terminate()


@pytest.fixture
def visitor(extended: Service) -> Iterator[Client]:
    client = extended.client()
    with client.http:
        yield client


def _converted(client: Client, data: bytes, **fields: str) -> bytes:
    """What becomes of the picture."""
    assert client.upload(data, **fields).status_code == 202
    (job,) = client.wait(md5(data))
    assert job["status"] == "done", client.status(md5(data))
    response = client.download(md5(data))
    assert response.status_code == 200
    return response.content


def test_a_format_is_a_folder_and_a_line(visitor: Client) -> None:
    picture = corners(64, 48)
    png = encoded(picture, "PNG")
    written = _converted(visitor, png, format="toy")
    assert written == toy(picture)
    response = visitor.download(md5(png), format="toy")
    assert response.headers["content-type"] == "image/x-toy"
    assert response.headers["content-disposition"].endswith('.toy"')
    assert response.content == written
    back = opened(_converted(visitor, toy(corners(60, 44)), format="png", lossless="true"))
    assert back.convert("RGB").tobytes() == corners(60, 44).tobytes()


def test_what_a_format_cannot_do_is_known_at_the_upload(visitor: Client) -> None:
    refused = visitor.upload(encoded(photo(2001, 8), "PNG"), format="toy")
    assert refused.status_code == 400
    assert "toy holds 2000 pixels a side" in refused.json()["message"]
    refused = visitor.upload(b"8BPS\0\1" + bytes(20))
    assert refused.status_code == 415
    assert "TOY" in refused.json()["message"]


def test_what_names_formats_names_a_new_one_too(visitor: Client, code: Path) -> None:
    page = visitor.http.get("/", headers={"Accept": "text/html"}).text
    extensions = re.search('data-ends="([^"]+)"', page)
    assert extensions is not None
    assert {"toy", "toys", "jpeg"} <= set(extensions[1].split("|"))
    schema = visitor.http.get("/docs/openapi.json").json()
    command = schema["paths"]["/output/{id}"]["post"]["requestBody"]["content"]["application/json"]
    types = command["schema"]["properties"]["convert"]["properties"]["type"]["oneOf"][0]["enum"]
    assert "image/x-toy" in types
    script = (
        "from app.web.service.links import filename_of;"
        "from app.web.tinify.commands import parse_commands;"
        "print(filename_of('https://example.org/rocket.toys?secret'));"
        "print(*parse_commands({'convert': {'type': 'image/x-toy'}}).formats)"
    )
    assert _told(code, script) == ["rocket.toys", "toy"]


def test_a_picture_of_a_format_gets_no_larger_in_it(visitor: Client) -> None:
    data = toy(corners(50, 40)) + b"and something behind it"
    assert _converted(visitor, data, format="same") == toy(corners(50, 40))


def test_the_schema_names_the_format_and_the_option(visitor: Client) -> None:
    schema = visitor.http.get("/docs/openapi.json").json()
    components = schema["components"]["schemas"]
    assert "toy" in components["Format"]["enum"]
    assert "| `toy` | 2,000 |" in schema["info"]["description"]
    blur = {"type": "number", "maximum": 9.5, "description": "How far colours run."}
    assert components["Upload"]["properties"]["blur"] == blur
    assert components["LinkUpload"]["properties"]["blur"] == blur
    assert components["ChosenOptions"]["properties"]["blur"] == blur
    asked = [one["name"] for one in schema["paths"]["/download/{md5}"]["get"]["parameters"]]
    assert "blur" in asked


def test_an_option_is_a_row_and_a_step(visitor: Client) -> None:
    picture = photo(160, 120)
    data = encoded(picture, "PNG")
    plain = opened(_converted(visitor, data, format="same", lossless="true"))
    assert distance(plain, picture) == 0
    assert visitor.upload(data, format="same", lossless="true", blur="1.5").status_code == 202
    visitor.wait(md5(data))
    chosen = [job.get("options", {}) for job in visitor.status(md5(data))]
    assert {"lossless": True, "blur": 1.5} in chosen
    # Not the picture as it came, though that is smaller.
    response = visitor.download(md5(data), format="png", lossless="true", blur="1.5")
    assert response.status_code == 200
    blurred = opened(response.content)
    assert _edges(blurred) < 0.7 * _edges(picture)
    assert visitor.download(md5(data), format="png", lossless="true", blur="2.5").status_code == 404
    refused = visitor.upload(data, blur="10")
    assert refused.json()["message"] == "blur should be at most 9.5 (it is '10')"


def test_what_is_stored_of_a_value_with_a_point_belongs_to_its_job(
    visitor: Client, extended: Service, code: Path
) -> None:
    data = encoded(photo(80, 60), "PNG")
    (frozen,) = extended.freeze(1)
    visitor.upload(data, format="webp", blur="0.25")
    (waiting,) = _owners(code, extended, "originals", md5(data))
    frozen.resume()
    visitor.wait(md5(data))
    (done,) = _owners(code, extended, "results", md5(data))
    assert waiting == done == f"{md5(data)}-webp-0-blur_0X2e25"


def test_an_endpoint_is_a_module_and_a_line(visitor: Client) -> None:
    greeting = visitor.http.get("/greeting")
    assert greeting.json() == {"greeting": "Moin"}
    assert visitor.http.head("/greeting").headers["content-length"] == str(len(greeting.content))
    schema = visitor.http.get("/docs/openapi.json").json()
    paths = schema["paths"]["/greeting"]
    assert (paths["get"]["operationId"], paths["head"]["operationId"]) == (
        "get_greeting",
        "head_greeting",
    )
    assert paths["get"]["responses"]["200"]["content"]["application/json"]["example"] == {
        "greeting": "Hello"
    }


def test_a_kind_of_storage_is_a_module_and_a_line(code: Path, tmp_path: Path) -> None:
    data = encoded(photo(160, 120), "PNG")
    file = tmp_path / "pictures.db"
    settings: dict[str, Any] = {"STORAGE__URL": f"toy://{file}", "STORAGE__TOY_TABLE": "pictures"}
    server = Service(tmp_path, code=code, **settings)
    try:
        client = server.ready().client()
        with client.http:
            result = _converted(client, data)
            assert opened(result).size == (160, 120)
            assert client.download(md5(data), format="webp").content == result
            assert client.http.get("/readyz").json() == {"status": "ok"}
            with closing(sqlite3.connect(file)) as database:
                rows = database.execute("SELECT key, data FROM pictures").fetchall()
                kept = {key.partition("/")[0]: value for key, value in rows}
                assert kept == {"originals": data, "results": result, "health": b"ok"}
                with database:
                    database.execute("DELETE FROM pictures WHERE key LIKE 'results/%'")
            assert client.download(md5(data)).status_code == 404
    finally:
        server.terminate()
    assert not (tmp_path / "output").exists()
    assert not [line for line in server.log if "Traceback" in line]


def test_what_a_kind_of_storage_declares_is_in_messages_and_settings(
    code: Path, tmp_path: Path
) -> None:
    def refused(**settings: Any) -> str:
        server = Service(tmp_path, code=code, **settings)
        assert server.wait() == 2
        return "".join(server.log)

    assert "az://CONTAINER/PREFIX, redis:// or toy:///FILE" in refused(STORAGE__URL="toy://")
    assert "storage.toy_chair is not a setting" in refused(STORAGE__TOY_CHAIR="1")
    run = [sys.executable, "-m", "app.run.folders", "web"]
    url = {"TINYIMAGE_STORAGE__URL": "toy:///a", "TINYIMAGE_CONFIG": str(code / "config.yaml")}
    assert subprocess.check_output(run, cwd=code, env={**os.environ, **url}) == b""


def _owners(code: Path, server: Service, prefix: str, md5: str) -> list[str]:
    """The jobs that the stored files of a picture belong to, as the cleanup reads it."""
    output = server.folder / "output"
    stored = [str(f.relative_to(output)) for f in server.stored(prefix) if md5 in f.name]
    script = (
        "import sys; from app.core.picture.paths import owner;"
        "print(*(owner(key).job_id for key in sys.argv[1:]))"
    )
    return _told(code, script, *stored)


def _told(code: Path, script: str, *arguments: str) -> list[str]:
    """The words that a script prints which runs in the copy."""
    run = [sys.executable, "-c", script, *arguments]
    return subprocess.check_output(run, cwd=code, text=True).split()


def _edges(picture: object) -> float:
    """How much neighbouring pixels differ."""
    return float(np.abs(np.diff(np.asarray(picture).astype(float), axis=1)).mean())

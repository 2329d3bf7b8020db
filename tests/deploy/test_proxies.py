"""The reverse proxies of docs/deploy.md, with the configurations that it gives."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from websockets.sync.client import connect

from bench.launch import HOST, ROOT, free_port
from tests.pictures import as_format, large, md5, snapshot, unique
from tests.service import Client, Service, service, until
from tests.web.streams import steps_told

PREFIX = "/tiny"
DOCS = (ROOT / "docs" / "deploy.md").read_text()


def _nginx(folder: Path, text: str) -> list[str]:
    scratch = "".join(
        f"{kind}_temp_path {folder / kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.getuid() == 0 else ""  # else its workers cannot enter the folder
    main = f"{user} daemon off; pid {folder}/pid; error_log stderr; events {{}}"
    config = folder / "nginx.conf"
    config.write_text(f"{main} http {{ access_log off; {scratch} {text} }}")
    return ["nginx", "-e", "stderr", "-c", str(config)]


def _caddy(folder: Path, text: str) -> list[str]:
    config = folder / "Caddyfile"
    config.write_text(f"{{\n admin off\n auto_https off\n}}\n{text}")
    return ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]


def _haproxy(folder: Path, text: str) -> list[str]:
    config = folder / "haproxy.cfg"
    config.write_text(text)
    return ["haproxy", "-db", "-f", str(config)]


PROXIES: dict[str, Callable[[Path, str], list[str]]] = {
    "nginx": _nginx,
    "caddyfile": _caddy,
    "haproxy": _haproxy,
}
"""By the name of their blocks in the docs: the command that runs one, and writes its files."""

PUBLIC = re.compile(r"listen 80;|http://img\.example\.org|bind :80")
"""What a configuration says of its own address."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("server")
    with service(folder, SERVER__PROXIES_COUNT=1, UPLOAD__MAX_UPLOAD_SIZE="10MB") as running:
        yield running


@pytest.fixture(scope="module", params=PROXIES)
def proxy(
    request: pytest.FixtureRequest, server: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of the server behind one of them."""
    (text,) = re.findall(rf"```{request.param}\n(.*?)```", DOCS, re.DOTALL)
    port, folder = free_port(), tmp_path_factory.mktemp(request.param)
    public = {"listen 80;": f"listen {HOST}:{port};", "bind :80": f"bind {HOST}:{port}"}
    text = PUBLIC.sub(lambda found: public.get(found[0], f"http://{HOST}:{port}"), text)
    command = PROXIES[request.param](folder, text.replace(f"{HOST}:8080", server.url[7:]))
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed here")
    with (folder / "log").open("wb") as log:
        home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
        running = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | home)
    try:
        client = Client(f"http://{HOST}:{port}{PREFIX}")
        until(lambda: client.answers() or running.poll() is not None, what=command[0])
        assert running.poll() is None, (folder / "log").read_text()
        yield client.http
    finally:
        running.terminate()
        running.wait(10)


def _upload(proxy: httpx.Client, data: bytes, format: str = "webp") -> httpx.Response:
    files = {"picture": ("cat.jpg", data)}
    return proxy.post("/upload", files=files, data={"format": format})


def test_the_page_is_there_and_all_that_it_names(proxy: httpx.Client) -> None:
    bare = proxy.get(str(proxy.base_url).rstrip("/"))
    assert bare.has_redirect_location
    assert urljoin(str(bare.url), bare.headers["location"]) == str(proxy.base_url)
    page = proxy.get("/", headers={"Accept": "text/html"})
    names = re.findall(r'(?:href|src)="([^"#]+)"', page.text)
    assert len(names) > 10
    for name in names:
        assert proxy.get(urljoin(str(page.url), name)).status_code == 200, name


def test_as_much_is_taken_as_the_server_takes_and_more_refused_in_its_words(
    proxy: httpx.Client,
) -> None:
    small = unique(as_format("rocket", "PNG"))
    whole = small + bytes(10 * 1024**2 - len(small))
    assert _upload(proxy, whole).status_code == 202
    refused = _upload(proxy, whole + b"1")
    proxy.get(f"/status/{md5(whole)}", params={"wait": "30"})  # the next test stops the decoder
    assert (refused.status_code, refused.json()["error"]) == (413, "size_exceeded")


def test_each_step_of_an_event_stream_comes_at_once(proxy: httpx.Client, server: Service) -> None:
    (decoder,), data = server.freeze(1), snapshot()
    try:
        assert _upload(proxy, data).status_code == 202
        told = steps_told(proxy, f"/events/{md5(data)}", [decoder])
    finally:
        decoder.resume()
    assert [each.data.get("status") for each in told[-3:]] == ["processing", "done", None]


def test_a_socket_is_let_through(proxy: httpx.Client) -> None:
    data = snapshot()
    told = _upload(proxy, data).json()
    with connect(f"{proxy.base_url}ws".replace("http", "ws")) as socket:
        follow = {"follow": told["md5"], "format": told["format"], "quality": told["quality"]}
        socket.send(json.dumps(follow))
        while json.loads(socket.recv(timeout=30))["status"] != "done":
            pass


def test_a_result_is_waited_for_and_had_whole_in_part_not_again_and_in_an_archive(
    proxy: httpx.Client,
) -> None:
    data = snapshot()
    _upload(proxy, data)
    status = proxy.get(f"/status/{md5(data)}", params={"details": "true", "wait": "20"})
    (job,) = status.json()
    url = urljoin(str(status.url), job["download_url"])
    whole = proxy.get(url)
    assert len(whole.content) == job["result_bytes"]
    part = proxy.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    again = proxy.get(url, headers={"If-None-Match": whole.headers["etag"]})
    assert again.status_code == 304
    file = {"md5": job["md5"], "format": job["format"], "path": "a/cat.webp"}
    archive = proxy.post("/archive", json={"files": [file]})
    with zipfile.ZipFile(BytesIO(archive.content)) as unpacked:
        assert unpacked.read("a/cat.webp") == whole.content


def test_the_address_that_the_tinify_api_tells_leads_to_the_result(proxy: httpx.Client) -> None:
    made = proxy.post("/shrink", content=large(64, 48, "PNG"), auth=("api", "any"))
    assert made.json()["output"]["url"] == made.headers["location"]
    assert made.headers["location"].startswith(str(proxy.base_url))
    assert proxy.get(made.headers["location"], auth=("api", "any")).status_code == 200

"""Pictures that the server fetches, and results that it stores elsewhere, by the official Python
client of TinyPNG."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import tinify

from tests.pictures import opened
from tests.s3 import BUCKET, KEY_ID, SECRET, S3Server
from tests.service import Service
from tests.web.keys import KEY
from tests.web.wordmark import WIDTH, wordmark


@pytest.fixture(autouse=True)
def _client(tinify_server: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The client, with this server in place of the service."""
    monkeypatch.setattr(tinify.Client, "API_ENDPOINT", tinify_server.url)
    tinify.key = KEY
    yield
    tinify.key = None


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site with a picture and with something else."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "wordmark.png").write_bytes(wordmark())
    (folder / "page.html").write_bytes(b"<p>not a picture</p>")
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def test_a_picture_is_fetched_by_its_address(site: str, tinify_server: Service) -> None:
    source = tinify.from_url(f"{site}/wordmark.png")
    data = source.to_buffer()
    assert 1000 < len(data) < 1500
    assert opened(data).size == (WIDTH, 21)
    result = source.resize(method="fit", width=50, height=20).result()
    assert (result.width, result.height) == (50, 8)
    # What was fetched is kept as any upload, and nowhere else.
    assert tinify_server.stored("fetched") == []
    assert tinify_server.stored("sources")


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("{site}/nothing.png", 400, "Source not found"),
        ("{site}/page.html", 415, "Unsupported media type"),
        ("file://wrong", 400, "Source not found"),
        ("http://169.254.169.254/", 400, "Source not found"),
        ("", 400, "Source not found"),
    ],
)
def test_what_cannot_be_fetched_is_an_error_of_the_client(
    site: str, path: str, status: int, kind: str
) -> None:
    with pytest.raises(tinify.ClientError) as error:
        tinify.from_url(path.format(site=site))
    assert (error.value.status, error.value.kind) == (status, kind)


def _bucket(s3: S3Server, **more: object) -> dict[str, object]:
    return {
        "service": "s3",
        "aws_access_key_id": KEY_ID,
        "aws_secret_access_key": SECRET,
        "region": "us-east-1",
        "endpoint": s3.url,
        "path": f"{BUCKET}/some/where/tinify/{secrets.token_hex(4)}.png",
        **more,
    }


def test_a_result_is_stored_in_a_bucket(session_s3: S3Server, tinify_server: Service) -> None:
    source = tinify.from_buffer(wordmark())
    before = tinify.compression_count
    for made, size in (
        (source, (WIDTH, 21)),
        (source.resize(method="fit", width=50, height=20), (50, 8)),
    ):
        options = _bucket(session_s3)
        stored = made.store(**options)
        path = str(options["path"])
        assert stored.location == f"{session_s3.url}/{path}"
        assert (stored.width, stored.height) == size
        name = path.rpartition("/")[2]
        (file,) = (file for file in session_s3.objects("tinify") if file.name == name)
        assert file.read_bytes() == made.to_buffer()
    # Storing is free; the resize counts each time.
    assert tinify.compression_count == before + 2
    assert SECRET not in "".join(tinify_server.log)


def test_a_bucket_that_refuses_is_an_error_of_the_server(session_s3: S3Server) -> None:
    source = tinify.from_buffer(wordmark())
    with pytest.raises(tinify.ServerError) as error:
        source.store(**_bucket(session_s3, aws_secret_access_key="wrong"))
    assert (error.value.status, error.value.kind) == (500, "Storage failed")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"service": "ftp"}, "store.service"),
        ({"path": "bucket"}, "store.path"),
        ({"endpoint": "http://169.254.169.254"}, "store.endpoint"),
    ],
)
def test_a_place_that_cannot_be_is_refused(
    session_s3: S3Server, more: dict[str, object], says: str
) -> None:
    source = tinify.from_buffer(wordmark())
    with pytest.raises(tinify.ClientError, match=says):
        source.store(**_bucket(session_s3, **more))


def test_without_the_setting_nothing_is_fetched(
    server: Service, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tinify.Client, "API_ENDPOINT", server.url)
    with pytest.raises(tinify.ClientError, match="not fetched") as error:
        tinify.from_url(f"{site}/wordmark.png")
    assert error.value.status == 400

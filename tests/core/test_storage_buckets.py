"""What is the buckets' own: credentials, presigned URLs, and a store that fails."""

from __future__ import annotations

import io
import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from obstore.store import AzureStore, GCSStore, S3Store

from app.core.config.load import load_settings
from app.core.config.storage import open_storage
from app.core.errors import StorageError, StorageFull
from app.core.storage import clouds
from app.core.storage.buckets import BucketStorage
from app.core.storage.errors import as_storage_error
from app.core.storage.interface import Content, Presigner
from tests.s3 import KEY_ID, SECRET, S3Server, s3_server
from tests.storage import Blocking

pytestmark = pytest.mark.usefixtures("no_config")

NAME = "attachment; filename=\"_.webp\"; filename*=UTF-8''%E6%9D%B1.webp"


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[S3Server]:
    """One that a test may end."""
    with s3_server(tmp_path / "s3") as server:
        yield server


def _open(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Blocking[BucketStorage]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    storage = open_storage(load_settings(), None)
    assert isinstance(storage, BucketStorage)
    return Blocking(storage)


def _presigned(opened: Blocking[BucketStorage], method: str, key: str, seconds: int) -> str:
    return opened.run(opened.storage.presign(method, key, seconds))


@pytest.fixture
def storage(session_s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Blocking[BucketStorage]:
    return _open(monkeypatch, **session_s3.settings)


def test_a_presigned_url_gives_the_object_as_it_is_named_for_a_while(
    storage: Blocking[BucketStorage],
) -> None:
    assert isinstance(storage.storage, Presigner)
    storage.put("results/ab/a", b"picture", Content("image/webp", NAME))
    url = _presigned(storage, "GET", "results/ab/a", 300)
    answer = httpx.get(url)
    assert (answer.status_code, answer.content) == (200, b"picture")
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["content-disposition"] == NAME
    assert httpx.get(url, headers={"range": "bytes=1-2"}).content == b"ic"
    assert SECRET not in url
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["300"]
    # It is for this object and for reading alone.
    assert httpx.get(url.replace("ab/a?", "ab/b?")).status_code == 403
    assert httpx.put(url, content=b"x").status_code == 403
    head = httpx.head(_presigned(storage, "HEAD", "results/ab/a", 300))
    assert (head.status_code, head.headers["content-length"]) == (200, "7")


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong-secret", "SignatureDoesNotMatch"),
        ("AWS_ACCESS_KEY_ID", "wrong-secret", "InvalidAccessKeyId"),
        ("TINYIMAGE_STORAGE__URL", "s3://another/some/where", "NoSuchBucket"),
    ],
)
def test_a_bucket_that_cannot_be_used_is_one_line_that_says_why(
    session_s3: S3Server, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, reason: str
) -> None:
    storage = _open(monkeypatch, **{**session_s3.settings, variable: value})
    with pytest.raises(StorageError) as error:
        storage.check()
    line = str(error.value)
    assert "\n" not in line
    assert line.startswith("the storage s3://")
    assert reason in line
    for secret in (SECRET, "wrong-secret", KEY_ID, "Signature="):
        assert secret not in line


def test_an_object_of_a_bucket_that_is_gone_is_no_object_that_is_gone(
    session_s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a job would be failed for good."""
    gone = {**session_s3.settings, "TINYIMAGE_STORAGE__URL": "s3://another"}
    with pytest.raises(StorageError):
        _open(monkeypatch, **gone).get("a")


def test_a_store_that_is_gone_or_hangs_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, session_s3: S3Server
) -> None:
    asks: list[Callable[[Blocking[BucketStorage]], object]] = [
        lambda s: s.put("a", b"x"),
        lambda s: s.put("a", io.BytesIO(b"x")),
        lambda s: s.get("a"),
        lambda s: s.there("a"),
        lambda s: s.delete(["a"]),
        lambda s: s.keys("a"),
        lambda s: s.check(),
    ]
    monkeypatch.setattr(clouds, "READ_SECONDS", 1)
    monkeypatch.setattr(clouds, "RETRY_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for address in ("http://127.0.0.1:1", f"http://127.0.0.1:{silent.getsockname()[1]}"):
            settings = {**session_s3.settings, "TINYIMAGE_STORAGE__ENDPOINT": address}
            storage = _open(monkeypatch, **settings)
            for ask in asks:
                with pytest.raises(StorageError) as error:
                    ask(storage)
                assert (error.value.code, error.value.retry_after) == ("storage_unavailable", 5)


def test_who_is_told_of_a_failure_learns_nothing_of_the_store(
    storage: Blocking[BucketStorage], session_s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {**session_s3.settings, "AWS_SECRET_ACCESS_KEY": "wrong-secret"}
    with pytest.raises(StorageError) as error:
        _open(monkeypatch, **wrong).put("a", b"x")
    assert str(error.value) == "The storage fails: it refuses access"
    # The log has the cause: in one line, with the address and without what is secret.
    cause = str(error.value.__cause__)
    assert session_s3.url in cause
    assert "\n" not in cause
    logging.getLogger(__name__).info(cause)


def test_a_download_whose_store_ends_is_a_failure_and_no_short_file(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = _open(monkeypatch, **s3.settings)
    storage.put("a", bytes(100_000_000))

    async def read() -> int:
        size = 0
        async for part in storage.storage.stream("a", 0, 100_000_000):
            size += len(part)
            s3.stop()
        return size

    with pytest.raises(StorageError):
        storage.run(read())


def test_a_store_without_room_is_full() -> None:
    for body in (
        "Server returned non-2xx status code: 507 : <Error><Code>XMinioStorageFull</Code></Error>",
        "Server returned non-2xx status code: 403 Forbidden: <Error><Code>QuotaExceeded</Code>",
    ):
        assert isinstance(as_storage_error(Exception(body)), StorageFull)


def test_the_environment_says_what_the_settings_do_not(
    session_s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = session_s3.settings
    endpoint = settings.pop("TINYIMAGE_STORAGE__ENDPOINT")
    storage = _open(monkeypatch, **settings, AWS_ENDPOINT_URL=endpoint, AWS_REGION="eu-north-1")
    storage.put("a", b"x")
    assert storage.get("a") == b"x"
    assert "eu-north-1" in _presigned(storage, "GET", "a", 10)


def test_a_bucket_may_stand_in_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = _open(
        monkeypatch,
        AWS_ACCESS_KEY_ID="id",
        AWS_SECRET_ACCESS_KEY=SECRET,
        TINYIMAGE_STORAGE__URL="s3://pictures/p",
        TINYIMAGE_STORAGE__ENDPOINT="https://s3.example.org",
        TINYIMAGE_STORAGE__REGION="fr-par",
        TINYIMAGE_STORAGE__PATH_STYLE="false",
    )
    url = urlsplit(_presigned(storage, "GET", "a/b", 10))
    assert (url.netloc, url.path) == ("pictures.s3.example.org", "/p/a/b")
    monkeypatch.setenv("TINYIMAGE_STORAGE__PATH_STYLE", "true")
    url = urlsplit(_presigned(_open(monkeypatch), "GET", "a/b", 10))
    assert (url.netloc, url.path) == ("s3.example.org", "/pictures/p/a/b")
    assert "fr-par" in url.query


def test_google_and_azure_are_opened_by_their_schemes(monkeypatch: pytest.MonkeyPatch) -> None:
    google = _open(monkeypatch, TINYIMAGE_STORAGE__URL="gs://pictures/a/b")
    assert isinstance(google.storage._store, GCSStore)
    assert (google.storage._store.config["bucket"], google.storage._store.prefix) == (
        "pictures",
        "a/b",
    )
    azure = _open(
        monkeypatch,
        TINYIMAGE_STORAGE__URL="az://pictures/a",
        AZURE_STORAGE_ACCOUNT_NAME="account",
        AZURE_STORAGE_ACCOUNT_KEY="c2VjcmV0",
    )
    assert isinstance(azure.storage._store, AzureStore)
    assert azure.storage._store.config["container_name"] == "pictures"
    url = urlsplit(_presigned(azure, "GET", "b", 10))
    assert url.netloc == "account.blob.core.windows.net"
    assert url.path == "/pictures/a/b"
    s3 = _open(monkeypatch, TINYIMAGE_STORAGE__URL="s3://pictures")
    assert isinstance(s3.storage._store, S3Store)


def test_what_obstore_does_not_take_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(StorageError, match=r"^the storage az://pictures cannot be opened: .+$"):
        _open(monkeypatch, TINYIMAGE_STORAGE__URL="az://pictures")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
    with pytest.raises(StorageError, match=r"^the storage gs://pictures cannot be opened: .+$"):
        _open(monkeypatch, TINYIMAGE_STORAGE__URL="gs://pictures")

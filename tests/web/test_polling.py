"""A client that polls the download gets the file it has asked for, and no other."""

from __future__ import annotations

import shutil

import pytest
import redis

from app.core.picture.conversion import Conversion
from app.core.picture.submission import Submission
from app.core.storage.files import FileStorage
from app.core.storage.interface import Content
from bench.queue import PictureQueue
from imaging.formats import Format
from imaging.options import Options
from tests import rq_keys
from tests.pictures import encoded, md5, opened, snapshot, unique
from tests.service import Client
from tests.storage import Blocking
from tests.web.alone import Web

QUEUED, STARTED, FINISHED, FAILED, GONE = "queued", "started", "finished", "failed", "gone"
"""RQ's names of the states; the last is a finished job whose result was deleted."""

THUMBNAIL = Options(width=50)


class Jobs:
    """Jobs of one picture put as a test wants them, beside a web without workers."""

    def __init__(self, running: Web, connection: redis.Redis) -> None:
        self.http = running.client.http
        self._connection = connection
        self._queue = PictureQueue(connection, max_age_seconds=3600, conversion_timeout=60)
        self._storage = Blocking(FileStorage(running.folder / "output"))
        self._count = 0

    def put(self, conversion: Conversion, state: str, body: bytes) -> None:
        job = self._queue.submit(conversion, Submission("cat.jpg", 7), token="0a")
        assert job is not None
        self._count += 1
        key = rq_keys.job(conversion.job_id)
        self._connection.hset(key, "status", FINISHED if state is GONE else state)
        if state in (FINISHED, FAILED, GONE):
            ended = f"2026-01-01T00:00:{self._count:02}.000000Z"
            self._connection.hset(key, "ended_at", ended)
        if state is FINISHED:
            format = conversion.format or Format.WEBP
            self._storage.put(job.result_key, body, Content(format.media_type, "attachment"))


@pytest.fixture
def jobs(alone: Web, connection: redis.Redis) -> Jobs:
    # The tests' pictures have the same names, and some of them no result.
    shutil.rmtree(alone.folder / "output" / "results", ignore_errors=True)
    return Jobs(alone, connection)


PLAIN, OTHER, JPG, NOTHING = b"plain webp", b"webp of 50 pixels", b"plain jpg", b""

QUERIES = ("", "format=webp", "format=webp&width=50", "width=50", "format=jpg", "quality=0", "q=60")

CASES: dict[str | None, tuple[bytes, ...]] = {
    # The plain job: what each of the queries gets, with a thumbnail that is done.
    QUEUED: (NOTHING, NOTHING, OTHER, OTHER, NOTHING, NOTHING, NOTHING),
    STARTED: (NOTHING, NOTHING, OTHER, OTHER, NOTHING, NOTHING, NOTHING),
    FAILED: (NOTHING, NOTHING, OTHER, OTHER, NOTHING, NOTHING, NOTHING),
    FINISHED: (PLAIN, PLAIN, OTHER, OTHER, NOTHING, PLAIN, NOTHING),
    GONE: (OTHER, OTHER, OTHER, OTHER, NOTHING, OTHER, NOTHING),
    None: (OTHER, OTHER, OTHER, OTHER, NOTHING, OTHER, NOTHING),
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_query_gets_the_file_of_another(jobs: Jobs, method: str) -> None:
    got: dict[str | None, tuple[bytes, ...]] = {}
    for number, state in enumerate(CASES):
        picture = f"{number:032x}"
        if state is not None:
            jobs.put(Conversion(picture, Format.WEBP, 0), state, PLAIN)
        jobs.put(Conversion(picture, Format.WEBP, 0, THUMBNAIL), FINISHED, OTHER)
        got[state] = tuple(_get(jobs, method, picture, query) for query in QUERIES)
    expected = CASES
    if method == "HEAD":  # it tells the length alone
        expected = {
            state: tuple(b"-" * len(body) for body in bodies) for state, bodies in CASES.items()
        }
    assert got == expected


def _get(jobs: Jobs, method: str, picture: str, query: str) -> bytes:
    """What is downloaded; nothing if it is not found."""
    response = jobs.http.request(method, f"/download/{picture}?{query}")
    assert response.status_code in (200, 404)
    if response.status_code == 404:
        return NOTHING
    return b"-" * int(response.headers["content-length"]) if method == "HEAD" else response.content


@pytest.mark.parametrize("state", [QUEUED, STARTED, FAILED, GONE])
def test_a_plain_result_in_another_format_is_found_without_naming_it(
    jobs: Jobs, state: str
) -> None:
    """As ever: the newest of those that are finished, of any format."""
    picture = "0" * 32
    jobs.put(Conversion(picture, Format.JPG, 80), FINISHED, JPG)
    jobs.put(Conversion(picture, Format.WEBP, 0), state, PLAIN)
    jobs.put(Conversion(picture, Format.WEBP, 0, THUMBNAIL), FINISHED, OTHER)
    assert _get(jobs, "GET", picture, "") == JPG
    assert _get(jobs, "GET", picture, "format=jpg") == JPG
    assert _get(jobs, "GET", picture, "quality=80") == JPG
    webp = _get(jobs, "GET", picture, "format=webp")
    assert webp == (OTHER if state is GONE else NOTHING)


def test_a_quality_that_waits_is_not_answered_with_another(jobs: Jobs) -> None:
    picture = "0" * 32
    jobs.put(Conversion(picture, Format.JPG, 70), QUEUED, NOTHING)
    jobs.put(Conversion(picture, Format.JPG, 80), FINISHED, JPG)
    jobs.put(Conversion(picture, Format.JPG, 70, THUMBNAIL), FINISHED, OTHER)
    assert _get(jobs, "GET", picture, "format=jpg&quality=70") == NOTHING
    assert _get(jobs, "GET", picture, "quality=70") == NOTHING
    assert _get(jobs, "GET", picture, "q=70") == NOTHING
    assert _get(jobs, "GET", picture, "format=jpg&quality=70&width=50") == OTHER
    assert _get(jobs, "GET", picture, "format=jpg") == JPG


def test_the_last_that_was_finished_is_the_one_with_options_too(jobs: Jobs) -> None:
    picture = "0" * 32
    jobs.put(Conversion(picture, Format.WEBP, 0, Options(width=60)), FINISHED, b"older")
    jobs.put(Conversion(picture, Format.WEBP, 0, THUMBNAIL), FINISHED, OTHER)
    jobs.put(Conversion(picture, Format.WEBP, 0, Options(width=70)), QUEUED, NOTHING)
    assert _get(jobs, "GET", picture, "") == OTHER


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_same_means_at_the_download_what_it_meant_at_the_upload(client: Client, kind: str) -> None:
    picture = unique(encoded(opened(snapshot()), kind))
    format = {"JPEG": "jpg"}.get(kind, kind.lower())
    assert client.upload(picture, "webp").status_code == 202
    client.wait(md5(picture))
    assert client.download(md5(picture), format="same").status_code == 404
    assert client.upload(picture, "same", width="60").json()["format"] == format
    client.wait(md5(picture))
    thumbnail = client.download(md5(picture), format=" Same ", width=60, quality=80)
    assert (
        thumbnail.headers["content-type"]
        == client.download(md5(picture), format=format, width=60).headers["content-type"]
    )
    assert "immutable" in thumbnail.headers["cache-control"]
    client.upload(picture, "same")
    client.wait(md5(picture))
    whole = client.download(md5(picture), format="same")
    assert whole.content == client.download(md5(picture), format=format).content
    assert whole.content != thumbnail.content
    assert client.http.head(f"/download/{md5(picture)}?format=same").status_code == 200


def test_same_of_a_picture_that_is_not_written_in_its_format_is_not_found(client: Client) -> None:
    picture = unique(encoded(opened(snapshot()), "TIFF"))
    client.upload(picture, "png")
    client.wait(md5(picture))
    assert client.download(md5(picture), format="same").status_code == 404
    assert client.download("0" * 32, format="same").status_code == 404


def test_a_job_from_before_media_types_were_kept_has_no_own_format(jobs: Jobs) -> None:
    picture = "0" * 32
    jobs.put(Conversion(picture, Format.PNG, 0), FINISHED, PLAIN)
    assert _get(jobs, "GET", picture, "format=same") == NOTHING
    assert _get(jobs, "GET", picture, "format=png") == PLAIN

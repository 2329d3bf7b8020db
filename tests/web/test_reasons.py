"""Reasons as clients may read them, and what older jobs lack."""

from __future__ import annotations

import pytest

from app.core.jobs.facts import UNKNOWN_REASON, Facts, reason
from app.core.jobs.job import JobState, PictureJob
from app.core.picture.conversion import Conversion
from app.web.service.details import details_of, downloads_from
from imaging.formats import Format


@pytest.mark.parametrize(
    "text",
    [
        "cannot identify image file <_io.BytesIO object at 0x7f12ab34cd56>",
        "[Errno 2] No such file or directory: 'x'",
        "unable to open /srv/pictures/originals/ab",
        "Traceback (most recent call last):\n  File",
        r"cannot open C:\pictures\a.jpg",
        "",
        None,
    ],
)
def test_nothing_of_the_inside_is_told(text: str | None) -> None:
    assert reason(text) == UNKNOWN_REASON


@pytest.mark.parametrize(
    "text",
    [
        "image/vnd.adobe.photoshop is not supported",
        "20000 × 20000 is 400000000 pixels, more than the 50000000 allowed",
        "the picture cannot be read: pngload_buffer: libspng read error",
        "the picture crashed the decoder 2 times",
    ],
)
def test_a_sentence_stays_as_it_is(text: str) -> None:
    assert reason(text) == text
    assert reason(f"{text}\nmore") == text


@pytest.mark.parametrize(
    ("setting", "path", "start"),
    [
        ("download/", "/status/x", "../download/"),
        ("download/", "/status/x/", "../../download/"),
        ("download/", "/ws", "download/"),
        ("https://cdn.example.org/d/", "/status/x", "https://cdn.example.org/d/"),
        ("/pictures/", "/status/x", "/pictures/"),
    ],
)
def test_an_address_is_relative_to_that_of_the_answer(setting: str, path: str, start: str) -> None:
    assert downloads_from(setting, path) == start


@pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED])
@pytest.mark.parametrize(
    "meta",
    [{}, {"size_in": "many", "measures": [1], "milliseconds": None, "error": 5, "error_code": {}}],
)
def test_what_an_older_job_has_not_is_left_out(state: JobState, meta: dict[str, object]) -> None:
    job = PictureJob(
        Conversion("0" * 32, Format.JPG, 80),
        *("01", state, "cat.jpg", None, None),
        facts=Facts.from_meta(meta),
    )
    expected: dict[str, object] = {"filename": "cat.jpg"}
    if state is JobState.DONE:
        query = "format=jpg&quality=80&lossless=false"
        expected["download_url"] = f"../download/{'0' * 32}?{query}"
    else:
        expected["error"] = {"code": "processing_failed", "message": UNKNOWN_REASON}
    assert details_of(job, None, "../download/") == expected

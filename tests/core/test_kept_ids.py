"""A data folder of an older version goes on under this one: ids, arguments and storage keys of jobs
are what they were. Written down from version 0.1.0, and never to be changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.picture import paths
from app.core.picture.conversion import Conversion, parse_conversion_request
from imaging.options import Effort

MD5 = "0123456789abcdef" * 2
TOKEN = "00ff"

KEPT: list[tuple[dict[str, str], str, dict[str, Any] | None]] = [
    ({}, "webp-0", None),
    ({"format": "png"}, "png-0", None),
    ({"format": "jpg", "quality": "70"}, "jpg-70", None),
    ({"format": "jpg"}, "jpg-80", None),
    ({"format": "avif", "q": "55"}, "avif-55", None),
    ({"format": "gif"}, "gif-0", None),
    ({"lossless": "true"}, "webp-0-lossless_true", {"lossless": True}),
    ({"width": "640"}, "webp-0-width_640", {"width": 640}),
    ({"height": "480"}, "webp-0-height_480", {"height": 480}),
    (
        {"format": "jpg", "width": "640", "height": "480", "fit": "fill"},
        "jpg-80-width_640-height_480-fit_fill",
        {"width": 640, "height": 480, "fit": "fill"},
    ),
    (
        {
            "format": "png",
            **{"width": "9", "height": "9", "fit": "cover", "gravity": "attention"},
            **{"background": "#FFF", "effort": "small", "keep": "icc,date,copyright,location"},
        },
        "png-0-width_9-height_9-fit_cover-gravity_attention-background_ffffff-effort_small-"
        "keep_copyright_location_date_icc",
        {
            **{"width": 9, "height": 9, "fit": "cover", "gravity": "attention"},
            **{"background": "ffffff", "effort": "small"},
            "keep": ["copyright", "location", "date", "icc"],
        },
    ),
    (
        {
            **{"format": "webp", "q": "80", "width": "300", "height": "200", "fit": "contain"},
            **{"background": "0050c8", "effort": "fast", "keep": "date"},
        },
        "webp-80-width_300-height_200-fit_contain-background_0050c8-effort_fast-keep_date",
        {
            **{"width": 300, "height": 200, "fit": "contain"},
            **{"background": "0050c8", "effort": "fast", "keep": ["date"]},
        },
    ),
]
"""What is asked for, the id behind the MD5, and the options in the arguments of the job."""


@pytest.mark.parametrize(("given", "name", "options"), KEPT)
def test_ids_arguments_and_keys_are_what_they_were(
    given: dict[str, str], name: str, options: dict[str, Any] | None
) -> None:
    conversion = parse_conversion_request(given, Effort.BALANCED, 50_000_000).conversion(
        MD5, "image/png"
    )
    job_id = f"{MD5}-{name}"
    assert conversion.job_id == job_id
    format, quality = name.split("-")[:2]
    arguments: dict[str, Any] = {"md5": MD5, "format": format, "quality": int(quality)}
    if options is not None:
        arguments["options"] = options
    assert json.loads(json.dumps(conversion.to_dict())) == arguments
    assert Conversion.from_dict(arguments) == conversion
    original, result = f"originals/01/{job_id}.{TOKEN}", f"results/01/{job_id}.{TOKEN}.{format}"
    assert paths.original(conversion, TOKEN) == original
    assert paths.result(conversion, TOKEN) == result
    assert paths.owner(original) == paths.owner(result) == paths.Owner(job_id, TOKEN)

"""How answers name a conversion."""

from __future__ import annotations

from typing import Any

from app.core.jobs.job import PictureJob


def describe(job: PictureJob) -> dict[str, Any]:
    """The requested conversion: md5, format and quality, and the options if there are any. Where
    the format was left open, it is that of the result, and `auto` until there is one."""
    conversion = job.conversion
    named = {
        "md5": conversion.md5,
        "format": job.named_format,
        "quality": conversion.quality,
    }
    options = conversion.options.to_dict()
    return {**named, "options": options} if options else named

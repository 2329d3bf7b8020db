"""How answers name a conversion, and an upload by its URL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.core.jobs.fetched.links import Link, LinkState
from app.core.jobs.job import PictureJob


def describe_link(link: Link) -> dict[str, Any]:
    """An upload by its URL that has no conversions yet, or never: its id and status."""
    named: dict[str, Any] = {"id": link.id, "status": link.state}
    if link.state is LinkState.FAILED:
        named["error"] = {"code": link.error_code, "message": link.error}
    return named


def srcset_of(jobs: Sequence[PictureJob], downloads: str) -> dict[str, Any]:
    """A picture in several widths, for the attribute `srcset` of a page.

    Args:
        jobs: one of each width, by that.
        downloads: the start of the addresses of downloads.
    """
    images = []
    for job in jobs:
        image = {
            **job.named,
            "width": job.conversion.options.width,
            "status": job.state,
            "url": job.download_url(downloads),
        }
        # Of one of several formats it is known once it is done.
        images.append({**image, "type": job.format.media_type} if job.format else image)
    srcset = ", ".join(f"{image['url']} {image['width']}w" for image in images)
    return {"md5": jobs[0].conversion.md5, "images": images, "srcset": srcset}

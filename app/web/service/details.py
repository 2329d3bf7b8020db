"""The details of a job in answers, for clients that request them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.core.jobs.facts import Facts, reason
from app.core.jobs.job import JobState, PictureJob
from app.core.jobs.times import rfc3339
from app.web.service.conversions import Conversions


def downloads_from(download_url: str, path: str) -> str:
    """The start of the addresses of downloads.

    Args:
        download_url: the setting; relative to the root of the server if it has no host and no
            leading slash.
        path: of the request that is answered.

    Returns:
        a reference relative to the URL of that request: a path prefix is the client's own business,
        as the server is told none.
    """
    if "://" in download_url or download_url.startswith("/"):
        return download_url
    return "../" * (path.count("/") - 1) + download_url


async def add_details(
    told: Sequence[tuple[dict[str, Any], PictureJob]], conversions: Conversions, downloads: str
) -> None:
    """Add the details of each job to what an answer tells of it.

    Args:
        downloads: as `downloads_from` gives it.
    """
    places = await conversions.places([job for _, job in told])
    for (entry, job), place in zip(told, places, strict=True):
        entry.update(details_of(job, place, downloads))


def details_of(job: PictureJob, place: int | None, downloads: str) -> dict[str, Any]:
    """The known details of a job; keys with unknown values are left out.

    Args:
        place: among the waiting jobs.
        downloads: as `downloads_from` gives it.
    """
    facts, done = job.facts, job.state is JobState.DONE
    original, result = facts.measures.original, facts.measures.result if done else None
    known: dict[str, Any] = {
        "filename": job.filename,
        "original_type": facts.media_type,
        "original_bytes": facts.original_bytes,
        "original_width": original and original.width,
        "original_height": original and original.height,
        "place": place,
    }
    if done:
        known |= {
            "result_bytes": facts.result_bytes,
            "result_width": result and result.width,
            "result_height": result and result.height,
            **placeholder_of(job),
            **_saved(facts),
            **_chosen(facts),
            "milliseconds": facts.milliseconds,
            "download_url": job.download_url(downloads),
        }
    if job.finished and job.ended:
        known["finished_at"] = rfc3339(job.ended)
    if job.state is JobState.FAILED:
        known["error"] = {"code": facts.error_code, "message": reason(facts.error)}
    return {name: value for name, value in known.items() if value is not None}


def placeholder_of(job: PictureJob) -> dict[str, str]:
    """What a page shows until the result of a job that is done is there, for clients that asked for
    it: a page needs it before it gets the details."""
    told = job.facts.measures.placeholder if job.state is JobState.DONE else None
    return {"placeholder": told} if told else {}


def _saved(facts: Facts) -> dict[str, float]:
    """Original minus result; below 0 if the result is larger."""
    if facts.original_bytes is None or facts.result_bytes is None:
        return {}
    saved = facts.original_bytes - facts.result_bytes
    return {
        "saved_bytes": saved,
        "saved_percent": round(100 * saved / max(1, facts.original_bytes), 1),
    }


def _chosen(facts: Facts) -> dict[str, float | None]:
    """The quality that `q=auto` or `max_bytes` has chosen, and the look where that is known."""
    chosen = facts.measures.chosen
    return {"chosen_quality": chosen.quality, "chosen_look": chosen.look} if chosen else {}

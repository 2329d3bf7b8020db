"""The steps of a picture that the clients of an event stream are told."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable

from sanic import Request

from app.core.jobs.fetched.links import Link, LinkState
from app.core.jobs.job import PictureJob
from app.core.picture.conversion import picture_of
from app.web.guard.record import record_of
from app.web.http.answers import describe_link
from app.web.http.stream import Step
from app.web.service.details import details_of, downloads_from
from app.web.service.services import Services


class Told:
    """What a client is told of a picture."""

    def __init__(
        self,
        request: Request,
        services: Services,
        md5: str,
        wanted: Callable[[PictureJob], bool],
    ) -> None:
        self._conversions = services.conversions
        self._md5 = md5
        self._wanted = wanted
        self._record = record_of(request)
        self._downloads = downloads_from(services.settings.download.download_url, request.path)
        self._named: dict[str, str] = {}

    async def now(self) -> list[Step]:
        """The steps that its conversions have come to."""
        jobs = await self._conversions.status(self._md5)
        return [self._step(job, None, False) for job in jobs if self._wanted(job)]

    async def steps(self, *, places: bool) -> AsyncGenerator[Step, None]:
        """The steps now, and each further one, until all have ended or the server stops."""
        watched = self._conversions.following.watch(self._md5, self._wanted, places=places)
        async with contextlib.aclosing(watched):
            async for job, place in watched:
                yield self._step(job, place, places and place is not None)

    def _step(self, job: PictureJob, place: int | None, moves: bool) -> Step:
        details = details_of(job, place, self._downloads)
        data = {**self._named, **job.named, "status": job.state, **details}
        state = f"{job.token} {job.state}"
        follows = self._named.get("id", "")
        return Step(job.conversion.job_id, state, job.finished, data, moves, follows)


class LinkTold(Told):
    """What a client is told of an upload by its URL."""

    def __init__(self, request: Request, services: Services, id: str) -> None:
        super().__init__(request, services, "", self._is_mine)
        self._links = services.links
        self._id = id
        self._named = {"id": id}
        self._job_ids: tuple[str, ...] = ()

    async def now(self) -> list[Step]:
        """The step of its fetch, or those that its conversions have come to."""
        link = await self._links.look_up(self._id)
        if link.state is not LinkState.TAKEN:
            return [self._of(link)]
        self._take(link)
        return await super().now()

    async def steps(self, *, places: bool) -> AsyncGenerator[Step, None]:
        """The steps now, and each further one, until all have ended or the server stops."""
        link = await self._links.look_up(self._id)
        if link.state is not LinkState.TAKEN:
            yield self._of(link)
        if link.state is LinkState.FETCHING:
            link = await self._links.fetched(self._id)
        if link.state is LinkState.FETCHING:
            return  # the server stops
        if link.state is LinkState.FAILED:
            yield self._of(link)
            return
        self._take(link)
        conversions = super().steps(places=places)
        async with contextlib.aclosing(conversions):
            async for step in conversions:
                yield step

    def _take(self, link: Link) -> None:
        self._md5, self._job_ids = picture_of(link.job_ids[0]), link.job_ids
        self._record.md5 = self._md5

    def _is_mine(self, job: PictureJob) -> bool:
        return job.conversion.job_id in self._job_ids

    def _of(self, link: Link) -> Step:
        # A fetch that goes on ends with the first step of a conversion.
        ended = link.state is not LinkState.FETCHING
        return Step(self._id, link.state, ended, describe_link(link))

"""The way of one picture through the server: looked up, sent, followed, fetched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2

from tinyimage_client.conversion import FORMATS, Conversion
from tinyimage_client.errors import BadResult, ConversionFailed, NotAServer, SourceChanged
from tinyimage_client.form import Form
from tinyimage_client.link import Link, json_of, refusal_of
from tinyimage_client.progress import Progress, Stage, Step
from tinyimage_client.result import Result, check_result
from tinyimage_client.source import Source

SHOWN_SECONDS = 2
"""How long the server is asked to wait with a status where each place in the queue is shown."""

WAIT_SECONDS = 20
"""The same if only the end counts. Some platforms cut a request off after thirty."""

QUICK_SECONDS = 0.1
"""A status that has not waited for so long did not wait at all, as from a server that stops."""

ATTEMPTS = 3
"""How often a picture is sent whose job the server has lost, or whose result is not whole."""

_ENDED = ("done", "failed")

Told = Mapping[str, Any]
"""A conversion, as `/status` tells of it."""


@dataclass(frozen=True, slots=True)
class _Job:
    """A conversion as the server names it."""

    format: str
    """Nothing where the server chooses it: what it tells then is another one once it is done."""
    quality: int
    options: Mapping[str, Any]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> _Job:
        options = told.get("options", {})
        return cls("" if FORMATS in options else told["format"], told["quality"], options)


class Way:
    """One picture's way through the server."""

    def __init__(
        self,
        link: Link,
        source: Source,
        conversion: Conversion,
        progress: Progress,
        wait_seconds: int,
    ) -> None:
        self._link = link
        self._source = source
        self._conversion = conversion
        self._progress = progress
        self._wait_seconds = wait_seconds

    async def go(self) -> Result:
        """The result."""
        if not self._conversion.is_uploaded and (result := await self._find()) is not None:
            return result
        for attempt in range(1, ATTEMPTS + 1):
            job, is_done = await self._upload()
            told = await self._follow(job, is_done=is_done)
            if told is None:
                continue  # the server has lost it
            try:
                format = told["format"]
                data = await self._download(_query(told), format, told.get("result_bytes"))
            except BadResult:
                if attempt == ATTEMPTS:
                    raise
                continue
            if data is not None:
                return self._result(format, data, sent=True)
        raise ConversionFailed("lost", f"the server has lost the picture {ATTEMPTS} times")

    async def _find(self) -> Result | None:
        """The result that the server has, or is at; None if the picture has to be sent."""
        jobs = await self._status()
        # One that is in work may be this one: what an option that was not given is taken for is
        # the server's business.
        while any(job["status"] not in _ENDED and self._may_be(job) for job in jobs):
            jobs = await self._wait(jobs, self._may_be)
        if not any(job["status"] == "done" for job in jobs):
            return None
        answer = await self._link.get(
            f"download/{self._source.md5}", self._conversion.query, self._waits
        )
        format = _format_of(answer)
        if answer.status_code == HTTPStatus.NOT_FOUND or format is None:
            return None
        try:
            check_result(format, answer.content, None)
        except BadResult:
            return None
        return self._result(format, answer.content, sent=False)

    def _may_be(self, job: Told) -> bool:
        """Whether this may be the conversion that is asked for."""
        asked = self._conversion
        options = job.get("options", {})
        if asked.is_open or FORMATS in options:
            return asked.is_open and asked.told_options | {FORMATS} <= set(options)
        return asked.named_format in (job["format"], "same") and asked.told_options <= set(options)

    async def _upload(self) -> tuple[_Job, bool]:
        """Send the picture. Returns the job it became, and whether that was done before.

        Raises:
            SourceChanged: if it is not the one that was read at first.
            Refused: if the server does not take it.
        """
        form = Form(self._conversion.fields, self._source)
        sent = 0

        async def content() -> AsyncIterator[bytes]:
            nonlocal sent
            sent = 0
            yield form.head
            for chunk in self._source.chunks():
                self._progress(Step(Stage.SENDING, sent, self._source.size))
                yield chunk
                sent += len(chunk)
            yield form.tail

        answer = await self._link.post("upload", content, form.headers, self._waits)
        told = json_of(answer)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise refusal_of(answer)
        try:
            if told["md5"] != self._source.md5:
                raise SourceChanged("the file has changed while it was sent")
            return _Job.of(told), answer.status_code == HTTPStatus.OK
        except (KeyError, TypeError):
            raise NotAServer(f"{self._link.url} is not a TinyImage Server") from None

    async def _follow(self, job: _Job, *, is_done: bool) -> Told | None:
        """The details of the job once it is done; None if the server does not know it any more.

        Raises:
            ConversionFailed: if it failed.
        """

        def is_it(told: Told) -> bool:
            return _Job.of(told) == job

        # Of a job that is done the others of its picture are not waited for.
        jobs = await self._status() if is_done else await self._wait(None, is_it)
        while True:
            told = next((one for one in jobs if is_it(one)), None)
            if told is None or told["status"] == "done":
                return told
            if told["status"] == "failed":
                error = told.get("error", {})
                raise ConversionFailed(
                    str(error.get("code", "processing_failed")),
                    str(error.get("message", "the picture cannot be converted")),
                )
            jobs = await self._wait(jobs, is_it)

    async def _wait(self, jobs: list[Told] | None, is_it: Callable[[Told], bool]) -> list[Told]:
        """The picture's jobs, a while later unless all have ended."""
        self._tell(next(filter(is_it, jobs or ()), None))
        loop = asyncio.get_running_loop()
        began = loop.time()
        later = await self._status(self._wait_seconds)
        quick = loop.time() - began < QUICK_SECONDS
        if quick and any(job["status"] not in _ENDED for job in later):
            await asyncio.sleep(QUICK_SECONDS)
        return later

    def _tell(self, told: Told | None) -> None:
        if told is None or told["status"] == "queued":
            self._progress(Step(Stage.QUEUED, place=told.get("place") if told else None))
        else:
            self._progress(Step(Stage.CONVERTING))

    async def _status(self, wait: int | None = None) -> list[Told]:
        """What the server knows of the picture; [] if nothing."""
        query = {"details": "true"} if wait is None else {"details": "true", "wait": str(wait)}
        answer = await self._link.get(f"status/{self._source.md5}", query, self._waits)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return []
        told = json_of(answer)
        if not isinstance(told, list) or not all("status" in job for job in told):
            raise NotAServer(f"{self._link.url} is not a TinyImage Server")
        return told

    async def _download(
        self, query: Mapping[str, str], format: str, size: int | None
    ) -> bytes | None:
        """A result; None if it is not there any more."""
        self._progress(Step(Stage.RECEIVING, total=size or 0))
        answer = await self._link.get(f"download/{self._source.md5}", query, self._waits)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        data: bytes = answer.content
        check_result(format, data, size)
        return data

    def _result(self, format: str, data: bytes, *, sent: bool) -> Result:
        return Result(self._source.md5, format, self._source.size, data, sent)

    def _waits(self, seconds: float, reason: str) -> None:
        self._progress(Step(Stage.WAITING, seconds=seconds, reason=reason))


def _query(told: Told) -> dict[str, str]:
    """The query of the download of a job that is done. Of its URL this alone: a host in it may be
    another one, which is not to see the key."""
    return dict(parse_qsl(urlsplit(str(told["download_url"])).query))


def _format_of(answer: httpx2.Response) -> str | None:
    """The format that an answer's media type names."""
    kind, _, name = answer.headers.get("content-type", "").partition(";")[0].strip().partition("/")
    return {"jpeg": "jpg"}.get(name, name) if kind == "image" and name else None

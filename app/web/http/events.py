"""GET /events: the steps of a picture as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncGenerator
from typing import TypeVar

from redis.exceptions import RedisError
from sanic import Blueprint, HTTPResponse, Request
from sanic.response import empty

from app.core.errors import InvalidOption, NotAcceptable, NotFound, TinyImageError, Where
from app.core.jobs.fetched.links import is_id
from app.core.picture.conversion import parse_flag
from app.web.docs.operation import PICTURES, Operation
from app.web.docs.responses import headers
from app.web.docs.routes import readable
from app.web.docs.schemas.parts import flag
from app.web.guard.record import record_of
from app.web.http.accept import ranges
from app.web.http.download import SELECTION, asked_query, selection
from app.web.http.parameters import EXAMPLE, PICTURE, in_header, in_query, named_md5
from app.web.http.steps import LinkTold, Told
from app.web.http.stream import HEARTBEAT, Progress, Step, event, retry
from app.web.serve.connection import cut_off
from app.web.service.services import Services

logger = logging.getLogger(__name__)

T = TypeVar("T")

MEDIA_TYPE = "text/event-stream"

HEARTBEAT_SECONDS = 15.0
"""Between two comments of a stream without events (WHATWG HTML, section 9.2.7): platforms close a
connection that is silent for 55 s."""

RETRY_MILLISECONDS = (2_000, 5_000)
"""After which a client connects again: not all in the same moment when a server has stopped."""

END = "end"
"""The type of the last event."""

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx, and others that follow it, pass each event on at once
}

_EXAMPLE = (
    "retry: 2731\n\n"
    f'id: 3q2-7wBe\ndata: {{"md5": "{EXAMPLE["md5"]}", "format": "webp", "quality": 0, "status": '
    '"queued", "place": 3}\n\n'
)

EVENTS = Operation(
    name="get_events",
    tag=PICTURES,
    summary="The steps of a picture, as they happen",
    description="Server-sent events. The data of each is a `Status` with its details: of each "
    "conversion that the query names, or of all, as it is now and after each step, until all are "
    f"done or have failed. Then comes an event of the type `{END}`. A client that comes again "
    "with `Last-Event-ID` is told what it missed, and gets 204 if that is nothing and all have "
    "ended: then an EventSource stops. The `id` of an upload by its URL is told as `fetching` "
    "first, then all conversions of the upload, whatever the query names.",
    parameters=[
        PICTURE,
        *SELECTION[1:],
        in_query(
            "progress",
            flag("Whether each new place in the queue is told too, at most once a second."),
        ),
        in_header("Last-Event-ID", "The id of the last event that the client has."),
    ],
    answers={
        "200": {
            "description": "The events.",
            "headers": headers("Cache-Control"),
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": _EXAMPLE}},
        },
        "204": {
            "description": "The client has been told everything, and all have ended.",
            "headers": headers(),
        },
    },
    where=Where.KEYED | Where.PICTURE | Where.STREAM,
    errors={InvalidOption: "progress should be true or false (it is 'maybe')"},
)


def add_events(blueprint: Blueprint, services: Services) -> None:
    @readable(blueprint, "/events/<md5:str>", EVENTS)
    async def events(request: Request, md5: str) -> HTTPResponse | None:
        _check_accept(request)
        places = parse_flag("progress", request.args.get("progress"))
        told: Told
        if is_id(md5):
            told = LinkTold(request, services, md5)
        else:
            picture = named_md5(request, md5)
            wanted = await selection(services, picture, asked_query(request, services.settings))
            told = Told(request, services, picture, wanted.matches)
        # Before anything is sent: an unknown picture is a plain 404, a missing Redis a plain 503.
        steps = await told.now()
        if not steps:
            raise NotFound("There is no such picture")
        progress = Progress(request.headers.get("last-event-id", ""))
        known = [step for step in steps if progress.knows(step)]
        for step in known:
            progress.note(step)
        if len(known) == len(steps) and all(step.ended for step in steps):
            return empty()
        if request.method == "HEAD":
            await (await _begun(request)).send(b"", True)
            return None
        with (
            services.guard.sockets.opened(record_of(request).address),
            request.app.ctx.instruments.socket(),
        ):
            stream = _Stream(request, progress, services.settings.limits.send_timeout)
            await stream.send(told.steps(places=places))
        return None


async def _begun(request: Request) -> HTTPResponse:
    """The answer, whose head is sent."""
    record_of(request).streamed = request.method != "HEAD"
    response = await request.respond(headers=_HEADERS, content_type=MEDIA_TYPE)
    assert isinstance(response, HTTPResponse)
    await response.send(b"", False)
    return response


class _Stream:
    def __init__(self, request: Request, progress: Progress, patience: float) -> None:
        """
        Args:
            patience: seconds that a client may take for what was sent.
        """
        self._request = request
        self._record = record_of(request)
        self._progress = progress
        self._patience = patience

    async def send(self, steps: AsyncGenerator[Step, None]) -> None:
        """Send the steps that the client does not know, up to the last."""
        self._record.outcome = "disconnected"
        try:
            response = await _begun(self._request)
            await self._put(response, retry(random.randint(*RETRY_MILLISECONDS)))  # noqa: S311
            self._record.outcome = await self._send_steps(response, steps)
            await response.send(b"", True)
        except TimeoutError:
            self._record.outcome = "not_reading"
            cut_off(self._request)
        finally:
            self._record.write()

    async def _send_steps(self, response: HTTPResponse, steps: AsyncGenerator[Step, None]) -> str:
        """Send the steps, and comments in between. Returns the outcome."""
        last: dict[str, Step] = {}
        try:
            async with contextlib.aclosing(_with_pauses(steps, HEARTBEAT_SECONDS)) as told:
                async for step in told:
                    if step is None:
                        await self._put(response, HEARTBEAT)
                        continue
                    last[step.job] = step
                    if step.follows:
                        last.pop(step.follows, None)
                    if self._progress.knows(step) and not step.moves:
                        continue
                    self._progress.note(step)
                    await self._put(response, event(step.data, self._progress.id))
        except (TinyImageError, RedisError) as error:
            # The client comes again, to this server or another.
            logger.warning("an event stream ends: %s", error)
            return error.code if isinstance(error, TinyImageError) else "unavailable"
        if not all(step.ended for step in last.values()):  # the server stops
            return "stopped"
        await self._put(response, event({}, self._progress.id, END))
        return "ok"

    async def _put(self, response: HTTPResponse, data: bytes) -> None:
        """Send some bytes.

        Raises:
            TimeoutError: if the client takes none of what was sent before.
        """
        async with asyncio.timeout(self._patience):
            await response.send(data)
        self._record.bytes_out += len(data)


async def _with_pauses(
    steps: AsyncGenerator[T, None], seconds: float
) -> AsyncGenerator[T | None, None]:
    """The steps, and None each time that none has come for so long."""
    async with contextlib.aclosing(steps):
        while True:
            coming = asyncio.ensure_future(anext(steps))
            try:
                while not (await asyncio.wait({coming}, timeout=seconds))[0]:
                    yield None
                yield coming.result()
            except StopAsyncIteration:
                return
            finally:
                if coming.cancel():
                    await asyncio.wait({coming})


def _check_accept(request: Request) -> None:
    """See whether the client takes events.

    Raises:
        NotAcceptable: if not.
    """
    accepted = ranges(request.headers.get("accept", ""))
    kinds = (MEDIA_TYPE, "text/*", "*/*")
    if not next((accepted[kind] for kind in kinds if kind in accepted), 0.0):
        raise NotAcceptable

"""/ws: any number of pictures on one socket, each followed until it is done."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from redis.exceptions import RedisError
from sanic import Blueprint, Request, Websocket
from sanic.exceptions import SanicException
from websockets.exceptions import ConnectionClosed

from app.core.config.settings import Settings
from app.core.errors import (
    NotFound,
    ProcessingFailed,
    RateLimited,
    StorageError,
    TinyImageError,
    TooManySockets,
    Unauthorized,
    Unavailable,
    Where,
)
from app.core.intake.intake import Intake
from app.core.jobs.job import JobState, PictureJob
from app.core.jobs.links import LinkState
from app.core.picture.batch import Batch
from app.core.picture.conversion import parse_flag
from app.core.picture.widths import check_one
from app.core.storage import ObjectNotFound
from app.web.docs.operation import SOCKETS, Operation, documented
from app.web.guard.record import SOCKET_METHOD, Record, record_of
from app.web.guard.requests import Guard
from app.web.serve.protocol import CLOSE_POLICY_VIOLATION, CLOSE_TRY_AGAIN_LATER, Protocol
from app.web.service.answers import describe
from app.web.service.batches import Batches, counts_of
from app.web.service.conversions import Conversions
from app.web.service.details import details_of, downloads_from
from app.web.service.links import Links
from app.web.ws.announced import GRACE_SECONDS, Announced, Announcement, announcement_of
from app.web.ws.following import FOLLOW_BATCH, batch_of, fields_to_follow, follow_of
from app.web.ws.linked import failure, fields_with_url, upload_of
from app.web.ws.messages import (
    URL,
    asks_for_details,
    decode_message,
    key_of_message,
    wants_details,
)
from app.web.ws.outbox import Gone, Outbox

logger = logging.getLogger(__name__)

INCOMING_AT_ONCE = 2
"""Messages of one socket that are decoded and stored at once; further ones stay unread."""

AUTHORIZE_SECONDS = 10
"""Within which a client sends its key if the headers had none."""


SOCKET = Operation(
    name="open_socket",
    tag=SOCKETS,
    summary="Open a WebSocket",
    description="OpenAPI cannot describe the messages; they are explained under *Sockets* above, "
    "and are the schemas whose names begin with `Socket`.",
    answers={"101": {"description": "The connection becomes a WebSocket."}},
    where=Where.KEYED | Where.OPENING,
    errors={Unauthorized: "The API key is unknown"},
    further=((426, "upgrade_required", "Invalid upgrade"),),
)


def live_blueprint(
    settings: Settings,
    intake: Intake,
    conversions: Conversions,
    guard: Guard,
    *,
    batches: Batches,
    links: Links,
) -> Blueprint:
    """The route of the WebSocket API."""
    blueprint = Blueprint("live")

    @blueprint.websocket("/ws", ctx_checks_key=True)  # type: ignore[untyped-decorator]
    @documented(SOCKET)
    async def live(request: Request, ws: Websocket) -> None:
        record = record_of(request)
        record.status, record.outcome = 101, "closed"
        try:
            with guard.sockets.opened(record.address), request.app.ctx.instruments.socket():
                await LiveSocket(
                    request,
                    ws,
                    intake=intake,
                    conversions=conversions,
                    batches=batches,
                    links=links,
                    settings=settings,
                    guard=guard,
                ).run()
        except TooManySockets as error:  # others came in between
            record.outcome = error.code
            await ws.close(CLOSE_TRY_AGAIN_LATER, error.code)
        finally:
            record.outcome = cast(Protocol, ws.io_proto).ended_for or record.outcome
            record.write()

    return blueprint


@dataclass(slots=True)
class _Exchange:
    """One message, and what is known of its picture so far."""

    record: Record
    details: bool = False
    """Whether the client requested them."""
    job: PictureJob | None = None
    named: dict[str, str] = field(default_factory=dict)
    """What names it in answers beside the picture."""


class LiveSocket:
    """One client's socket."""

    def __init__(
        self,
        request: Request,
        ws: Websocket,
        *,
        intake: Intake,
        conversions: Conversions,
        batches: Batches,
        links: Links,
        settings: Settings,
        guard: Guard,
    ) -> None:
        self._batches = batches
        self._links = links
        self._request = request
        self._ws = ws
        self._protocol = cast(Protocol, ws.io_proto)
        self._intake = intake
        self._conversions = conversions
        self._settings = settings
        self._guard = guard
        self._record = record_of(request)
        self._outbox = Outbox(ws, self._protocol, settings.limits.send_timeout)
        self._room = asyncio.Semaphore(settings.limits.socket_pictures)
        self._incoming = asyncio.Semaphore(INCOMING_AT_ONCE)
        self._results = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._announced = Announced(settings.limits.socket_pictures, settings.limits.upload_timeout)
        self._count = 0
        self._downloads = downloads_from(settings.download.download_url, request.path)

    async def run(self) -> None:
        """Answer messages until the client goes. The jobs go on without it."""
        try:
            if await self._authorize():
                await self._take_messages()
        except (ConnectionClosed, SanicException, Gone):
            pass
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _authorize(self) -> bool:
        """Wait for the key if the headers had none; without a valid one the socket is closed."""
        keys = self._guard.keys
        if not keys.required or self._record.key is not None:
            return True
        message = await self._ws.recv(timeout=AUTHORIZE_SECONDS)
        key = None if message is None else key_of_message(message)
        if key is not None and await self._take_key(key):
            return True
        error = Unauthorized("The first message should be the API key")
        if key is None:
            await self._send_error(error, None)
        self._record.outcome = error.code
        await self._ws.close(CLOSE_POLICY_VIOLATION, error.code)
        return False

    async def _take_key(self, key: str) -> bool:
        """Answer a message with a key; a server without keys accepts any, as in a header."""
        if self._guard.keys.required:
            try:
                self._record.key = self._guard.keys.owner(key)
            except Unauthorized as error:
                await self._send_error(error, None)
                return False
        await self._outbox.send({"status": "authorized"})
        return True

    async def _take_messages(self) -> None:
        while True:
            since = time.monotonic()
            await self._room.acquire()
            await self._incoming.acquire()
            self._announced.pause(time.monotonic() - since)
            message = await self._receive()
            if message is None:
                return
            if (fields := fields_to_follow(message)) is not None:
                self._incoming.release()
                self._count += 1
                self._begin(self._follow(fields, self._new_record(len(message))))
                continue
            if (fields := fields_with_url(message)) is not None:
                self._incoming.release()
                self._count += 1
                self._begin(self._fetch(fields, self._new_record(len(message))))
                continue
            if self._announced and isinstance(message, bytes):
                announcement = self._announced.take()
            elif await self._is_told(message):
                self._room.release()
                self._incoming.release()
                continue
            else:
                announcement = None
            size = len(message) + (announcement.size if announcement else 0)
            self._count += 1
            self._begin(self._answer(message, announcement, self._new_record(size)))
            del message

    def _begin(self, answering: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(answering)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def _receive(self) -> str | bytes | None:
        """The next message; None if the socket has been closed as idle."""
        idle = self._settings.limits.socket_idle
        while True:
            left = max(self._announced.left(), GRACE_SECONDS)
            message = await self._ws.recv(timeout=min(idle, left))
            if message is not None:
                return message
            if self._announced:
                if self._announced.late and not self._protocol.receiving:
                    await self._close(CLOSE_POLICY_VIOLATION, "picture_not_sent")
                    return None
            elif not self._tasks:
                await self._close(1000, "idle")
                return None

    async def _is_told(self, message: str | bytes) -> bool:
        """Handle a message that is a key or an announcement. Returns False for a picture."""
        if (key := key_of_message(message)) is not None:
            await self._take_key(key)
            return True
        if isinstance(message, bytes):
            return False
        self._protocol.hold(len(message))
        try:
            announcement = await asyncio.to_thread(announcement_of, message, self._asked)
        finally:
            self._protocol.hold(-len(message))
        if announcement is None:
            return False
        if self._announced.full:
            # To drop only this one would give its picture to another.
            await self._close(CLOSE_POLICY_VIOLATION, "too_many_announced")
            raise Gone
        self._announced.add(announcement)
        return True

    @property
    def _asked(self) -> Intake:
        """The intake for the key that the socket has by now."""
        return self._intake.of_key(self._record.key)

    async def _close(self, code: int, why: str) -> None:
        self._record.outcome = why
        await self._ws.close(code, why)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._room.release()

    def _new_record(self, size: int) -> Record:
        of = self._record
        return Record(
            id=f"{of.id}.{self._count}",
            method=SOCKET_METHOD,
            path=of.path,
            address=of.address,
            key=of.key,
            bytes_in=size,
            outcome="disconnected",
            route=of.route,
            count=of.count,
        )

    async def _answer(
        self, message: str | bytes, announcement: Announcement | None, record: Record
    ) -> None:
        exchange = _Exchange(record, announcement is not None and announcement.details)
        async with self._answered(exchange):
            job = await self._take(message, announcement, exchange)
            del message
            await self._report(job, exchange)
            record.status, record.outcome = 200, JobState.DONE

    async def _follow(self, fields: Mapping[str, Any], record: Record) -> None:
        """Tell how the jobs of a picture go, until all have ended."""
        exchange = _Exchange(record)
        async with self._answered(exchange):
            if FOLLOW_BATCH in fields:
                await self._follow_batch(batch_of(fields, self._record.key))
                record.status, record.outcome = 200, "ok"
                return
            exchange.details = asks_for_details(fields)
            follow = follow_of(fields, self._settings)
            record.md5 = follow.md5
            steps = self._conversions.following.watch(
                follow.md5, follow.wanted.matches, places=follow.progress
            )
            known = False
            async with contextlib.aclosing(steps):
                async for job, place in steps:
                    known = True
                    await self._outbox.send(follow.step(job, place, self._downloads))
            if not known:
                raise NotFound("There is no such picture")
            record.status, record.outcome = 200, "ok"

    async def _fetch(self, fields: Mapping[str, Any], record: Record) -> None:
        """Have a picture fetched by its URL, and tell how it goes as of any other."""
        exchange = _Exchange(record)
        async with self._answered(exchange):
            exchange.details = asks_for_details(fields)
            if (refused := await self._refused()) is not None:
                raise refused
            parse_flag("details", fields.get("details"))
            url, asked = self._links.check(fields[URL]), upload_of(fields)
            requested = self._asked.request(asked)
            check_one(requested)
            id = await self._links.send(url, asked, key=record.key, requested=requested)
            exchange.named = {"id": id}
            await self._outbox.send({"status": LinkState.FETCHING, **exchange.named})
            link = await self._links.fetched(id)
            if link.state is LinkState.FETCHING:
                return  # the server stops
            jobs = await self._links.jobs(link)
            if not jobs:
                raise failure(link)
            record.md5 = jobs[0].conversion.md5
            await self._report(jobs[0], exchange)
            record.status, record.outcome = 200, JobState.DONE

    async def _follow_batch(self, batch: Batch) -> None:
        counts = self._batches.watch(batch)
        async with contextlib.aclosing(counts):
            async for count in counts:
                status = JobState.PROCESSING if count.unfinished else JobState.DONE
                await self._outbox.send({"status": status, **counts_of(batch, count)})

    @contextlib.asynccontextmanager
    async def _answered(self, exchange: _Exchange) -> AsyncIterator[None]:
        """What is done for one message; its error is an answer too."""
        record = exchange.record
        try:
            yield
        except TinyImageError as error:
            if isinstance(error, StorageError):
                logger.error("/ws: storage: %s: %s", error, error.__cause__)
            await self._refuse(error, exchange)
        except (RedisError, OSError) as error:
            logger.error("/ws: %s", error)
            await self._refuse(Unavailable("The queue cannot be reached; try again"), exchange)
        except Gone:
            pass
        except Exception:
            logger.exception("/ws: a message was not answered")
            await self._refuse(TinyImageError(TinyImageError.example), exchange)
        finally:
            record.write()

    async def _take(
        self, message: str | bytes, announcement: Announcement | None, exchange: _Exchange
    ) -> PictureJob:
        """The job of the picture in a message, new or found."""
        record, size = exchange.record, len(message)
        self._protocol.hold(size)
        try:
            refused = await self._refused()
            max_size = self._settings.upload.max_upload_size
            if announcement is not None:
                assert isinstance(message, bytes)
                order = await asyncio.to_thread(announcement.order, message, max_size)
            else:
                try:
                    order = await asyncio.to_thread(decode_message, message, self._asked, max_size)
                except TinyImageError:
                    exchange.details = await asyncio.to_thread(wants_details, message)
                    raise
            del message
            exchange.details = order.details
            record.md5 = order.picture.md5
            if refused is not None:
                raise refused
            with order.picture as picture:
                return await self._asked.accept(picture, order.requested)
        finally:
            self._protocol.hold(-size)
            self._incoming.release()

    async def _refused(self) -> RateLimited | None:
        """Count the picture. An error over the limit is sent once its MD5 is known."""
        try:
            await self._guard.count_picture(self._request)
        except RateLimited as error:
            return error
        return None

    async def _report(self, job: PictureJob, exchange: _Exchange) -> None:
        """Send the steps of the job, each once and in order, even if some were not seen."""
        exchange.job = job
        if job.state is not JobState.DONE:
            await self._send_step("queued", job, exchange)
            # A picture that came by its URL, or was sent before, may be in a worker's hands by now.
            told = job.state is JobState.PROCESSING
            if told:
                await self._send_step("processing", job, exchange)
            async for current in self._conversions.following.follow(job):
                job = exchange.job = current
                if not told and job.state in (JobState.PROCESSING, JobState.DONE):
                    # As it was in that step, if that is seen only now: it had no result yet.
                    before = replace(job, state=JobState.PROCESSING)
                    await self._send_step("processing", before, exchange)
                    told = True
        if job.state is not JobState.DONE:
            raise ProcessingFailed("The picture was not converted; send it again")
        # One result at a time is held in memory for a socket that is slow to read.
        async with self._results:
            try:
                data = await self._conversions.read(job)
            except ObjectNotFound:
                raise ProcessingFailed("The result is gone; send the picture again") from None
            exchange.record.bytes_out = await self._send_step("done", job, exchange, data)

    async def _send_step(
        self, status: str, job: PictureJob, exchange: _Exchange, file: bytes | None = None
    ) -> int:
        step = {"status": status, **exchange.named, **describe(job)}
        if exchange.details:
            (place,) = await self._conversions.places([job])
            step |= details_of(job, place, self._downloads)
        return await self._outbox.send(step, file)

    async def _refuse(self, error: TinyImageError, exchange: _Exchange) -> None:
        record, job = exchange.record, exchange.job
        record.status, record.outcome = error.status, error.code
        details: dict[str, Any] = dict(exchange.named)
        if exchange.details:
            details["error"] = {"code": error.code, "message": str(error)}
            if job is not None:
                details |= {**describe(job), **details_of(job, None, self._downloads)}
        await self._send_error(error, record.md5, details)

    async def _send_error(
        self, error: TinyImageError, md5: str | None, details: Mapping[str, Any] | None = None
    ) -> None:
        answer = {"status": "error", "message": error.code, **error.socket_details}
        with contextlib.suppress(Gone):
            await self._outbox.send({**answer, **({"md5": md5} if md5 else {}), **(details or {})})

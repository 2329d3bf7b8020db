"""What a socket answers to each message: the steps of its picture, or an error."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from redis.exceptions import RedisError
from sanic import Request

from app.core.errors import (
    NotFound,
    ProcessingFailed,
    RateLimited,
    StorageError,
    TinyImageError,
    Unavailable,
)
from app.core.jobs.events import Bell
from app.core.jobs.fetched.links import LinkState
from app.core.jobs.job import JobState, PictureJob
from app.core.picture.batch import Batch
from app.core.picture.conversion import parse_flag
from app.core.picture.widths import check_one
from app.core.storage.interface import ObjectNotFound
from app.intake.intake import Intake
from app.web.guard.record import Record, record_of
from app.web.serve.protocol import Protocol
from app.web.service.batches import counts_of
from app.web.service.details import details_of, downloads_from, placeholder_of
from app.web.service.services import Services
from app.web.ws.announced import Announcement
from app.web.ws.following import FOLLOW_BATCH, batch_of, follow_of
from app.web.ws.linked import failure, upload_of
from app.web.ws.messages import (
    URL,
    asks_for_details,
    decode_message,
    read_message,
    wants_details,
)
from app.web.ws.outbox import Gone, Outbox

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Exchange:
    """One message, and what is known of its picture so far."""

    record: Record
    details: bool = False
    """Whether the client requested them."""
    job: PictureJob | None = None
    named: dict[str, str] = field(default_factory=dict)
    """What names it in answers beside the picture."""


class Answers:
    """Answers the messages of one socket, each by as many as its picture has steps."""

    def __init__(
        self, request: Request, outbox: Outbox, protocol: Protocol, services: Services
    ) -> None:
        """
        Args:
            request: that opened the socket; its record has the key that the client has sent by now.
            outbox: takes the answers.
            protocol: counts the memory of messages.
        """
        self._request = request
        self._record = record_of(request)
        self._outbox = outbox
        self._protocol = protocol
        self._services = services
        self._results = asyncio.Lock()
        self._downloads = downloads_from(services.settings.download.download_url, request.path)

    @property
    def intake(self) -> Intake:
        """The intake for the key that the socket has by now."""
        return self._services.intake.of_key(self._record.key)

    async def picture(
        self,
        message: str | bytes,
        announcement: Announcement | None,
        record: Record,
        taken: Callable[[], None],
    ) -> None:
        """Convert the picture in a message, and tell how it goes.

        Args:
            announcement: of a binary message.
            taken: called once the picture is no longer in memory.
        """
        exchange = _Exchange(record, announcement is not None and announcement.details)
        async with self._answered(exchange):
            with contextlib.ExitStack() as listening:
                job, bell = await self._take(message, announcement, exchange, taken, listening)
                del message
                await self._report(job, exchange, bell)
            record.status, record.outcome = 200, JobState.DONE

    async def follow(self, fields: Mapping[str, Any], record: Record) -> None:
        """Tell how the jobs of a picture go, until all have ended."""
        exchange = _Exchange(record)
        async with self._answered(exchange):
            if FOLLOW_BATCH in fields:
                await self._follow_batch(batch_of(fields, self._record.key))
                record.status, record.outcome = 200, "ok"
                return
            exchange.details = asks_for_details(fields)
            follow = follow_of(fields, self._services.settings)
            record.md5 = follow.md5
            steps = self._services.conversions.following.watch(
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

    async def fetch(self, fields: Mapping[str, Any], record: Record) -> None:
        """Have a picture fetched by its URL, and tell how it goes as of any other."""
        exchange = _Exchange(record)
        async with self._answered(exchange):
            exchange.details = asks_for_details(fields)
            if (refused := await self._refused()) is not None:
                raise refused
            parse_flag("details", fields.get("details"))
            url, asked = self._services.links.check(fields[URL]), upload_of(fields)
            requested = self.intake.request(asked)
            check_one(requested)
            id = await self._services.links.send(url, asked, key=record.key, requested=requested)
            exchange.named = {"id": id}
            await self._outbox.send({"status": LinkState.FETCHING, **exchange.named})
            link = await self._services.links.fetched(id)
            if link.state is LinkState.FETCHING:
                return  # the server stops
            jobs = await self._services.links.jobs(link)
            if not jobs:
                raise failure(link)
            record.md5 = jobs[0].conversion.md5
            await self._report(jobs[0], exchange)
            record.status, record.outcome = 200, JobState.DONE

    async def _follow_batch(self, batch: Batch) -> None:
        counts = self._services.batches.watch(batch)
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
            await self._refuse(Unavailable(), exchange)
        except Gone:
            pass
        except Exception:
            logger.exception("/ws: a message was not answered")
            await self._refuse(TinyImageError(), exchange)
        finally:
            record.write()

    async def _take(
        self,
        message: str | bytes,
        announcement: Announcement | None,
        exchange: _Exchange,
        taken: Callable[[], None],
        listening: contextlib.ExitStack,
    ) -> tuple[PictureJob, Bell]:
        """The job of the picture in a message, new or found, and a bell from before that, which
        `listening` lets go."""
        record, size = exchange.record, len(message)
        self._protocol.hold(size)
        try:
            refused = await self._refused()
            max_size = self._services.settings.upload.max_upload_size
            if announcement is not None:
                assert isinstance(message, bytes)
                order = await read_message(message, announcement.order, max_size)
            else:
                try:
                    order = await read_message(message, decode_message, self.intake, max_size)
                except TinyImageError:
                    exchange.details = await read_message(message, wants_details)
                    raise
            del message
            exchange.details = order.details
            record.md5 = order.picture.md5
            if refused is not None:
                raise refused
            bell = listening.enter_context(self._services.conversions.following.steps(record.md5))
            with order.picture as picture:
                return await self.intake.accept(picture, order.requested), bell
        finally:
            self._protocol.hold(-size)
            taken()

    async def _refused(self) -> RateLimited | None:
        """Count the picture. An error over the limit is sent once its MD5 is known."""
        try:
            await self._services.guard.count_picture(self._request)
        except RateLimited as error:
            return error
        return None

    async def _report(self, job: PictureJob, exchange: _Exchange, bell: Bell | None = None) -> None:
        """Send the steps of the job, each once and in order, even if some were not seen.

        Args:
            bell: as `Following.follow` takes it.
        """
        exchange.job = job
        if job.state is not JobState.DONE:
            await self._send_step("queued", job, exchange)
            # A picture that came by its URL, or was sent before, may be in a worker's hands by now.
            told = job.state is JobState.PROCESSING
            if told:
                await self._send_step("processing", job, exchange)
            async for current in self._services.conversions.following.follow(job, bell):
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
                data = await self._services.conversions.read(job)
            except ObjectNotFound:
                raise ProcessingFailed("The result is gone; send the picture again") from None
            exchange.record.bytes_out = await self._send_step("done", job, exchange, data)

    async def _send_step(
        self, status: str, job: PictureJob, exchange: _Exchange, file: bytes | None = None
    ) -> int:
        step = {"status": status, **exchange.named, **job.named}
        if exchange.details:
            (place,) = await self._services.conversions.places([job])
            step |= details_of(job, place, self._downloads)
        elif status == JobState.DONE:
            step |= placeholder_of(job)
        return await self._outbox.send(step, file)

    async def _refuse(self, error: TinyImageError, exchange: _Exchange) -> None:
        record, job = exchange.record, exchange.job
        record.status, record.outcome = error.status, error.code
        details: dict[str, Any] = dict(exchange.named)
        if exchange.details:
            details["error"] = {"code": error.code, "message": str(error)}
            if job is not None:
                details |= {**job.named, **details_of(job, None, self._downloads)}
        await self.refuse(error, record.md5, details)

    async def refuse(
        self,
        error: TinyImageError,
        md5: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Answer with an error.

        Args:
            md5: of its picture, where that is known.
            details: further members.
        """
        answer = {"status": "error", "message": error.code, **error.socket_details}
        with contextlib.suppress(Gone):
            await self._outbox.send({**answer, **({"md5": md5} if md5 else {}), **(details or {})})

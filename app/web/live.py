"""/ws: any number of pictures on one socket, each followed until it is done."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import io
import json
import logging
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError
from sanic import Blueprint, Request, Websocket
from websockets.exceptions import ConnectionClosed

from app.core.conversion import Wish, parse_wish
from app.core.conversions import Conversions, Picture
from app.core.errors import (
    DecodeError,
    InvalidJSON,
    InvalidOption,
    NotAnImage,
    ProcessingFailed,
    StorageError,
    TinyImageError,
    Unavailable,
)
from app.core.filenames import clean_filename
from app.core.queue import JobState, PictureJob
from app.core.settings import Settings
from app.core.sniff import HEAD_SIZE, picture_type
from app.core.storage import ObjectNotFound
from app.web.answers import describe
from app.web.upload import too_large

logger = logging.getLogger(__name__)

INCOMING_AT_ONCE = 2
"""Messages of one socket that are decoded and stored at once; the next is read when one is."""

MESSAGE_OVERHEAD = 64 * 1024
"""Bytes that the other fields of a message may take."""


@dataclass(frozen=True, slots=True)
class Order:
    """A message, decoded."""

    picture: Picture
    wish: Wish


def max_message_size(max_upload_size: int) -> int:
    """Bytes of the largest message read.

    base64 takes 4/3 of a picture. A message of up to twice the largest picture is read and answered
    with `size_exceeded`; a larger one closes the socket with 1009, as it is not held in memory.
    """
    return 2 * max_upload_size * 4 // 3 + MESSAGE_OVERHEAD


def live_blueprint(settings: Settings, conversions: Conversions) -> Blueprint:
    """The route of the WebSocket API."""
    blueprint = Blueprint("live")

    @blueprint.websocket("/ws")  # type: ignore[untyped-decorator]
    async def live(request: Request, ws: Websocket) -> None:
        await LiveSocket(ws, conversions, settings).run()

    return blueprint


class LiveSocket:
    """One client's socket."""

    def __init__(self, ws: Websocket, conversions: Conversions, settings: Settings) -> None:
        self._ws = ws
        self._conversions = conversions
        self._settings = settings
        self._incoming = asyncio.Semaphore(INCOMING_AT_ONCE)
        self._outgoing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Answer messages until the client goes. The jobs go on without it."""
        try:
            while (message := await self._ws.recv()) is not None:
                await self._incoming.acquire()
                task = asyncio.create_task(self._answer(message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except ConnectionClosed:
            pass
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, message: str | bytes) -> None:
        md5: str | None = None
        try:
            try:
                order = await asyncio.to_thread(decode_message, message, self._settings)
                del message
                md5 = order.picture.md5
                media_type = picture_type(order.picture.file.read(HEAD_SIZE))
                if media_type is None:
                    raise NotAnImage("The file is not a picture")
                conversion = order.wish.conversion(md5, media_type)
                job = await self._conversions.submit(order.picture, conversion)
            finally:
                self._incoming.release()
            await self._report(job)
        except TinyImageError as error:
            if isinstance(error, StorageError):
                logger.error("/ws: storage: %s: %s", error, error.__cause__)
            await self._send_error(error, md5)
        except (RedisError, OSError) as error:
            logger.error("/ws: %s", error)
            await self._send_error(Unavailable(), md5)
        except ConnectionClosed:
            pass
        except Exception:
            logger.exception("/ws: a message was not answered")
            await self._send_error(TinyImageError(), md5)

    async def _report(self, job: PictureJob) -> None:
        """Tell the steps of the job, each once and in order, whichever of them were seen."""
        if job.state is not JobState.DONE:
            await self._send_step("queued", job)
            told = False
            async for current in self._conversions.follow(job):
                job = current
                if not told and job.state in (JobState.PROCESSING, JobState.DONE):
                    await self._send_step("processing", job)
                    told = True
        if job.state is not JobState.DONE:
            raise ProcessingFailed()
        # One result at a time is held in memory for a socket that is slow to read.
        async with self._outgoing:
            try:
                data = await self._conversions.read(job)
            except ObjectNotFound:
                raise ProcessingFailed() from None
            await self._send_step("done", job, file=base64.b64encode(data).decode("ascii"))

    async def _send_step(self, status: str, job: PictureJob, **more: str) -> None:
        await self._send({"status": status, **describe(job), **more})

    async def _send_error(self, error: TinyImageError, md5: str | None) -> None:
        answer: dict[str, Any] = {"status": "error", "message": error.code}
        if isinstance(error, InvalidOption):  # only clients that know options are told more
            answer["detail"] = str(error)
        try:
            await self._send({**answer, "md5": md5} if md5 else answer)
        except ConnectionClosed:
            return

    async def _send(self, message: dict[str, Any]) -> None:
        await self._ws.send(json.dumps(message))


def decode_message(message: str | bytes, settings: Settings) -> Order:
    """The order that a client's message holds.

    Raises:
        InvalidJSON: if it is no JSON object, or `data` is no text.
        UnsupportedFormat: if there is no such format.
        InvalidOption: if an option is wrong.
        SizeExceeded: if the picture is larger than it may be.
        DecodeError: if `data` is not base64.
    """
    try:
        fields = json.loads(message)
    except (ValueError, RecursionError):
        raise InvalidJSON("The message is not JSON") from None
    if not isinstance(fields, dict):
        raise InvalidJSON("The message is not a JSON object")
    wish = parse_wish(fields, settings.engine.effort, settings.limits.max_pixels)
    max_size = settings.upload.max_upload_size
    encoded = fields.get("data")
    if not isinstance(encoded, str) or not encoded:
        raise DecodeError("'data' is not base64")
    if len(encoded) > (max_size + 2) // 3 * 4:
        raise too_large(max_size)
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise DecodeError("'data' is not base64") from None
    if len(data) > max_size:
        raise too_large(max_size)
    filename = fields.get("filename")
    return Order(
        Picture(
            file=io.BytesIO(data),
            md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
            size=len(data),
            filename=clean_filename(filename if isinstance(filename, str) else ""),
        ),
        wish,
    )

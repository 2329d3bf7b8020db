"""/ws: any number of pictures on one socket, each followed until it is done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, cast

from sanic import Blueprint, Request, Websocket
from sanic.exceptions import SanicException
from websockets.exceptions import ConnectionClosed

from app.core.config.sections import LimitSettings
from app.core.errors import TooManySockets, Unauthorized, Where
from app.web.docs.operation import SOCKETS, Operation, documented
from app.web.guard.auth import ApiKeys
from app.web.guard.record import SOCKET_METHOD, Record, record_of
from app.web.serve.protocol import CLOSE_POLICY_VIOLATION, CLOSE_TRY_AGAIN_LATER, Protocol
from app.web.service.services import Services
from app.web.ws.announced import GRACE_SECONDS, Announced, announcement_of
from app.web.ws.answers import Answers
from app.web.ws.following import fields_to_follow
from app.web.ws.linked import fields_with_url
from app.web.ws.messages import key_of_message, read_message
from app.web.ws.outbox import Gone, Outbox

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


def live_blueprint(services: Services) -> Blueprint:
    """The route of the WebSocket API."""
    limits, guard = services.settings.limits, services.guard
    blueprint = Blueprint("live")

    @blueprint.websocket("/ws", ctx_checks_key=True)  # type: ignore[untyped-decorator]
    @documented(SOCKET)
    async def live(request: Request, ws: Websocket) -> None:
        record, protocol = record_of(request), cast(Protocol, ws.io_proto)
        record.status, record.outcome = 101, "closed"
        outbox = Outbox(ws, protocol, limits.send_timeout)
        answers = Answers(request, outbox, protocol, services)
        try:
            with guard.sockets.opened(record.address), request.app.ctx.instruments.socket():
                await LiveSocket(
                    ws,
                    protocol,
                    record,
                    outbox=outbox,
                    answers=answers,
                    limits=limits,
                    keys=guard.keys,
                ).run()
        except TooManySockets as error:  # others came in between
            record.outcome = error.code
            await ws.close(CLOSE_TRY_AGAIN_LATER, error.code)
        finally:
            record.outcome = protocol.ended_for or record.outcome
            record.write()

    return blueprint


class LiveSocket:
    """One client's socket."""

    def __init__(
        self,
        ws: Websocket,
        protocol: Protocol,
        record: Record,
        *,
        outbox: Outbox,
        answers: Answers,
        limits: LimitSettings,
        keys: ApiKeys,
    ) -> None:
        """
        Args:
            record: of the request that opened it.
            outbox: takes what it is sent.
            answers: answers its messages.
        """
        self._ws = ws
        self._protocol = protocol
        self._record = record
        self._outbox = outbox
        self._answers = answers
        self._idle = limits.socket_idle
        self._keys = keys
        self._room = asyncio.Semaphore(limits.socket_pictures)
        self._incoming = asyncio.Semaphore(INCOMING_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._announced = Announced(limits.socket_pictures, limits.upload_timeout)
        self._count = 0

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
        if not self._keys.required or self._record.key is not None:
            return True
        message = await self._ws.recv(timeout=AUTHORIZE_SECONDS)
        key = None if message is None else key_of_message(message)
        if key is not None and await self._take_key(key):
            return True
        error = Unauthorized("The first message should be the API key")
        if key is None:
            await self._answers.refuse(error)
        self._record.outcome = error.code
        await self._ws.close(CLOSE_POLICY_VIOLATION, error.code)
        return False

    async def _take_key(self, key: str) -> bool:
        """Answer a message with a key; a server without keys accepts any, as in a header."""
        if self._keys.required:
            try:
                self._record.key = self._keys.owner(key)
            except Unauthorized as error:
                await self._answers.refuse(error)
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
                self._begin(self._answers.follow(fields, self._new_record(len(message))))
                continue
            if (fields := fields_with_url(message)) is not None:
                self._incoming.release()
                self._begin(self._answers.fetch(fields, self._new_record(len(message))))
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
            record = self._new_record(size)
            self._begin(
                self._answers.picture(message, announcement, record, self._incoming.release)
            )
            del message

    def _begin(self, answering: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(answering)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def _receive(self) -> str | bytes | None:
        """The next message; None if the socket has been closed as idle."""
        while True:
            left = max(self._announced.left(), GRACE_SECONDS)
            message = await self._ws.recv(timeout=min(self._idle, left))
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
            announcement = await read_message(message, announcement_of, self._answers.intake)
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

    async def _close(self, code: int, why: str) -> None:
        self._record.outcome = why
        await self._ws.close(code, why)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._room.release()

    def _new_record(self, size: int) -> Record:
        of = self._record
        self._count += 1
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

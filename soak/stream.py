"""The clients: some upload over HTTP, some over /ws, some vanish in the middle."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from bench.client import Answer, Connection, encode_form
from bench.errors import BenchError
from bench.launch import HOST
from soak.ledger import Ledger
from soak.pictures import Order, Pictures

HTTP_CLIENTS = 6
SOCKETS = 3
BURST = 8
"""The most pictures a client sends before it waits for them."""

ANSWER_SECONDS = 60.0
"""An answer that takes longer is a hang."""

PICTURE_SECONDS = 120.0
"""How long a client waits for its pictures before it goes on; the ledger does not forget them."""

AGAIN_SECONDS = 0.2
"""Between two tries of a client whose service is away."""

REFUSED = {503: "unavailable"}
"""What an upload may be answered while the service is hurt, beside 200 and 202."""


class Stream:
    """All clients, until told to stop."""

    def __init__(self, port: int, ledger: Ledger, seed: int) -> None:
        self._port = port
        self._ledger = ledger
        self._pictures = Pictures(seed)
        self._random = random.Random(seed + 1)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Send until `stop`; then end when all that was sent is answered."""
        async with asyncio.TaskGroup() as group:
            for _ in range(HTTP_CLIENTS):
                group.create_task(self._upload())
            for _ in range(SOCKETS):
                group.create_task(self._talk())

    def stop(self) -> None:
        """Begin nothing new."""
        self._stopping.set()

    async def vanish_from_upload(self) -> None:
        """Send half an upload and go."""
        order = self._pictures.next()
        form = encode_form("half.jpg", order.data, order.fields)
        head = (
            f"POST /upload HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: multipart/form-data; "
            f"boundary=x\r\nContent-Length: {len(form)}\r\n\r\n"
        )
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(HOST, self._port)
            writer.write(head.encode() + form[: len(form) // 2])
            await writer.drain()
            writer.close()

    async def vanish_from_socket(self) -> None:
        """Send a picture over /ws and go before there is any answer."""
        order = self._pictures.next()
        with contextlib.suppress(OSError, WebSocketException, TimeoutError):
            async with connect(self._url, open_timeout=ANSWER_SECONDS) as ws:
                await ws.send(_message(order))

    @property
    def _url(self) -> str:
        return f"ws://{HOST}:{self._port}/ws"

    async def _upload(self) -> None:
        """One client of the HTTP API."""
        while not self._stopping.is_set():
            connection = Connection(HOST, self._port)
            try:
                await connection.open()
                while not self._stopping.is_set():
                    orders = [self._pictures.next() for _ in range(self._random.randint(1, BURST))]
                    taken = [order for order in orders if await self._send(connection, order)]
                    async with asyncio.timeout(PICTURE_SECONDS):
                        for order in taken:
                            await self._wait(connection, order)
            except (OSError, BenchError, TimeoutError):
                await asyncio.sleep(AGAIN_SECONDS)
            finally:
                connection.close()

    async def _send(self, connection: Connection, order: Order) -> bool:
        """Whether the picture was taken."""
        form = encode_form("soak.jpg", order.data, order.fields)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await connection.post_form("/upload", form)
        except TimeoutError:
            self._ledger.wrong.append(f"an upload was not answered in {ANSWER_SECONDS:g} s")
            raise
        except (OSError, BenchError):
            self._ledger.answers["none: the connection broke"] += 1
            raise
        if answer.status in (200, 202):
            self._ledger.accept(order, str(answer.status))
            return True
        self._refused(answer, order)
        await asyncio.sleep(AGAIN_SECONDS)
        return False

    def _refused(self, answer: Answer, order: Order) -> None:
        body = answer.body[:200].decode("utf-8", "replace")
        if answer.status in REFUSED:
            self._ledger.answers[str(answer.status)] += 1
        elif answer.status == 415 and not order.readable:
            self._ledger.answers["415"] += 1
        else:
            self._ledger.wrong.append(f"an upload was answered with {answer.status}: {body}")

    async def _wait(self, connection: Connection, order: Order) -> None:
        """Wait until the job has ended."""
        while True:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await connection.get(f"/status/{order.conversion.md5}")
            if answer.status == 200:
                states = [job["status"] for job in answer.json()]
                if all(state in ("done", "failed") for state in states):
                    return
            await asyncio.sleep(AGAIN_SECONDS)

    async def _talk(self) -> None:
        """One client of /ws."""
        while not self._stopping.is_set():
            try:
                async with connect(
                    self._url, max_size=None, open_timeout=ANSWER_SECONDS, ping_timeout=None
                ) as ws:
                    while not self._stopping.is_set():
                        count = self._random.randint(1, BURST)
                        await self._converse(ws, [self._pictures.next() for _ in range(count)])
            except (OSError, WebSocketException, TimeoutError):
                await asyncio.sleep(AGAIN_SECONDS)

    async def _converse(self, ws: ClientConnection, orders: list[Order]) -> None:
        """Send the pictures at once and take all answers, in whatever order they come."""
        by_md5: dict[str, Order] = {}
        for order in orders:
            # Answers name the MD5, so two formats of one picture would be hard to tell apart.
            if order.conversion.md5 not in by_md5:
                by_md5[order.conversion.md5] = order
                await ws.send(_message(order))
        open_orders, taken = dict(by_md5), set()
        while open_orders:
            try:
                async with asyncio.timeout(PICTURE_SECONDS):
                    answer: dict[str, Any] = json.loads(await ws.recv())
            except TimeoutError:
                self._ledger.wrong.append(
                    f"a socket was told nothing of {len(open_orders)} pictures "
                    f"for {PICTURE_SECONDS:g} s: {list(open_orders)}"
                )
                raise
            md5 = answer.get("md5", "")
            if md5 not in open_orders:
                self._ledger.wrong.append(f"a socket was told of what it has not sent: {answer}")
                return
            if answer["status"] == "error":
                self._told_error(by_md5[md5], answer["message"], md5 in taken)
            elif md5 not in taken:
                taken.add(md5)
                self._ledger.accept(by_md5[md5], "/ws")
            if answer["status"] in ("done", "error"):
                del open_orders[md5]

    def _told_error(self, order: Order, code: str, taken: bool) -> None:
        self._ledger.answers[f"/ws {code}"] += 1
        allowed = {"processing_failed"} if taken else {"unavailable"}
        if not order.readable:
            allowed |= {"not_an_image", "processing_failed"}
        if code not in allowed:
            when = "after it was taken" if taken else "at once"
            self._ledger.wrong.append(f"a socket was told {code} {when}")


def _message(order: Order) -> str:
    data = base64.b64encode(order.data).decode("ascii")
    return json.dumps({"filename": "soak.jpg", "data": data, **order.fields})

"""Outgoing messages of a socket, one after another, as fast as its client takes them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from typing import Any

from sanic import Websocket
from sanic.exceptions import RequestCancelled, SanicException
from websockets.exceptions import ConnectionClosed

from app.web.serve.protocol import Protocol


class Gone(Exception):
    """The client has gone."""


class Outbox:
    """Sends to one socket. At most one message waits in the connection's buffer.

    Args:
        patience: seconds without progress in sending. After that the
            connection is cut; pings do not notice, as they stand behind the message.
    """

    def __init__(self, ws: Websocket, protocol: Protocol, patience: float) -> None:
        self._ws = ws
        self._protocol = protocol
        self._patience = patience
        self._sending = asyncio.Lock()

    async def send(self, message: dict[str, Any], file: bytes | None = None) -> int:
        """Send a message.

        Args:
            file: sent with it in base64, as its last field.

        Returns:
            its bytes.

        Raises:
            Gone: if the client has gone, or takes nothing.
        """
        text = json.dumps(message)
        if file is not None:
            # base64 never needs escapes, but json would check each character.
            text = f'{text[:-1]}, "file": "{base64.b64encode(file).decode("ascii")}"}}'
        async with self._sending:
            writing = asyncio.create_task(self._write(text))
            # Even if the caller was cancelled, as when the socket is being closed.
            writing.add_done_callback(lambda task: task.cancelled() or task.exception())
            try:
                left = None
                while not writing.done():
                    await asyncio.wait({writing}, timeout=self._patience)
                    waiting = self._protocol.buffered()
                    if not writing.done() and left is not None and waiting >= left:
                        self._protocol.abort()
                        raise Gone
                    left = waiting
                await writing
            finally:
                if not writing.done():
                    writing.cancel()
                    with contextlib.suppress(asyncio.CancelledError, Gone):
                        await writing
        return len(text)

    async def _write(self, text: str) -> None:
        try:
            await self._ws.send(text)
            await self._protocol.drain()
        except (ConnectionClosed, SanicException, RequestCancelled):
            raise Gone from None

"""Outgoing messages of a socket, one after another, as fast as its client takes them."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any, Self

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
            with _Watch(self._protocol, self._patience) as watch:
                try:
                    await self._ws.send(text)
                    await self._protocol.drain()
                except (ConnectionClosed, SanicException, RequestCancelled):
                    raise Gone from None
            if watch.has_cut:
                raise Gone
        return len(text)


class _Watch:
    """Cuts a connection off whose client takes nothing for some seconds.

    A timer, as nearly every message leaves at once: to send in a task and wait for that takes
    longer than the sending.
    """

    def __init__(self, protocol: Protocol, patience: float) -> None:
        self.has_cut = False
        self._protocol = protocol
        self._patience = patience
        self._left: int | None = None
        """Bytes that waited when it last looked."""
        self._timer: asyncio.TimerHandle

    def __enter__(self) -> Self:
        self._set_timer()
        return self

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()

    def _set_timer(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._patience, self._look)

    def _look(self) -> None:
        waiting = self._protocol.buffered()
        if self._left is not None and waiting >= self._left:
            self.has_cut = True
            self._protocol.abort()  # which wakes who sends
            return
        self._left = waiting
        self._set_timer()

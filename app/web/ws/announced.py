"""Pictures that a socket sends as binary messages, each announced by a JSON message before it."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from app.core.errors import InvalidJSON, InvalidOption, TinyImageError
from app.core.picture.conversion import ConversionRequest, parse_flag
from app.intake.intake import Intake
from app.web.ws.messages import Order, asks_for_details, fields_of, order_of, request_of
from imaging.formats import Format
from imaging.quality import parse_quality

GRACE_SECONDS = 1.0
"""Extra seconds for a late picture: it may have arrived, but not been read yet."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """The meaning of the next binary message, or its error. Small, whatever the message was."""

    size: int
    """Characters of the message."""
    details: bool
    asked: tuple[ConversionRequest, str] | TinyImageError
    """The request and the name of the file, or the error, which is sent when its picture comes, so
    that the next binary message belongs to the next announcement."""

    def order(self, data: bytes, max_size: int) -> Order:
        """The order in the announcement and its binary message.

        Raises:
            UnsupportedFormat, InvalidOption, InvalidJSON: the error of the announcement.
            SizeExceeded: if the picture is larger than `max_size` bytes.
        """
        if isinstance(self.asked, TinyImageError):
            # A new one: its trace would hold the picture in a circle.
            raise type(self.asked)(*self.asked.args)
        requested, filename = self.asked
        return order_of(data, max_size, requested, filename, self.details)


def announcement_of(message: str, intake: Intake) -> Announcement | None:
    """The announcement in a text message, None if it is another message: an announcement is an
    object with a `binary` other than false, whether the rest is valid or not."""
    if '"binary"' not in message and "\\" not in message:  # a name may be written with escapes
        return None
    try:
        fields = fields_of(message)
    except InvalidJSON:
        return None
    try:
        if not parse_flag("binary", fields.get("binary")):
            return None
        requested, filename = request_of(fields, intake)
        parse_flag("details", fields.get("details"))
        if fields.get("data") is not None:
            raise InvalidOption("data and binary exclude each other")
        # It is a number from here on, and means the same for each format.
        requested = replace(requested, quality=parse_quality(requested.quality, Format.JPG))
        return Announcement(len(message), asks_for_details(fields), (requested, filename))
    except RecursionError:
        error: TinyImageError = InvalidJSON("The message is nested too deeply")
    except TinyImageError as raised:
        error = raised
    # Its trace would keep the message.
    error.__context__ = None
    return Announcement(len(message), asks_for_details(fields), error.with_traceback(None))


@dataclass(slots=True)
class Announced:
    """The open announcements of one socket, first in, first out.

    Args:
        limit: their largest number.
        patience: seconds that the first of them waits for its picture to begin.
        clock: gives seconds.
    """

    limit: int
    patience: float
    clock: Callable[[], float] = time.monotonic
    _open: deque[Announcement] = field(default_factory=deque)
    _deadline: float = 0.0

    def __bool__(self) -> bool:
        return bool(self._open)

    @property
    def full(self) -> bool:
        """Whether the limit is reached."""
        return len(self._open) >= self.limit

    def add(self, announcement: Announcement) -> None:
        """Open one."""
        if not self._open:
            self._restart()
        self._open.append(announcement)

    def take(self) -> Announcement:
        """The announcement whose picture has arrived."""
        announcement = self._open.popleft()
        self._restart()
        return announcement

    def pause(self, seconds: float) -> None:
        """Exclude a time in which the server did not read."""
        self._deadline += seconds

    @property
    def late(self) -> bool:
        """Whether the first picture should have begun."""
        return self.left() <= 0

    def left(self) -> float:
        """Seconds until the first picture is late, infinite if there is none."""
        if not self._open:
            return math.inf
        return self._deadline - self.clock()

    def _restart(self) -> None:
        self._deadline = self.clock() + self.patience

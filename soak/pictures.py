"""Small pictures without end: distinct ones, ones sent before, ones that cannot be read."""

from __future__ import annotations

import hashlib
import io
import random
from dataclasses import dataclass, replace

from PIL import Image

from app.core.picture.conversion import Conversion
from app.core.picture.priority import Priority
from imaging.formats import Format

INPUTS = ("JPEG", "PNG", "WEBP", "GIF")
OUTPUTS = (Format.WEBP, Format.JPG, Format.PNG)
QUALITY = 70

SEEDS = 12
"""Different pictures of each input format; each file is made distinct by what is appended."""

AGAIN = 0.15
"""How many of all have been sent before."""

BROKEN = 0.1
"""How many of all cannot be read."""

CUT = 30
"""Bytes that are left of those: enough to be taken for a picture, too few for a decoder."""

BULK = 0.3
"""How many of all are sent as bulk, so that some are sent again with another priority."""

REMEMBERED = 200
"""How far back the ones that are sent again lie."""


@dataclass(frozen=True, slots=True)
class Order:
    """A picture, and what it is to become."""

    data: bytes
    conversion: Conversion
    format: Format
    """That of the conversion."""
    readable: bool
    priority: Priority = Priority.INTERACTIVE

    @property
    def fields(self) -> dict[str, str]:
        """The form fields of an upload."""
        return {
            "format": self.format.value,
            "quality": str(self.conversion.quality),
            "priority": self.priority.value,
        }


class Pictures:
    """The same sequence for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._files = [self._file(format) for format in INPUTS for _ in range(SEEDS)]
        self._sent: list[Order] = []

    def next(self) -> Order:
        """The next order."""
        priority = Priority.BULK if self._random.random() < BULK else Priority.INTERACTIVE
        if self._sent and self._random.random() < AGAIN:
            return replace(self._random.choice(self._sent), priority=priority)
        data = self._random.choice(self._files)
        readable = self._random.random() >= BROKEN
        if not readable:
            data = data[:CUT]
        # Decoders stop before what is appended.
        data += self._random.randbytes(16)
        format = self._random.choice(OUTPUTS)
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        quality = QUALITY if format.has_quality else 0
        order = Order(data, Conversion(md5, format, quality), format, readable, priority)
        self._sent = [*self._sent[-REMEMBERED:], order]
        return order

    def _file(self, format: str) -> bytes:
        size = (self._random.randrange(80, 400), self._random.randrange(80, 400))
        small = Image.frombytes("RGB", (8, 8), self._random.randbytes(8 * 8 * 3))
        buffer = io.BytesIO()
        small.resize(size, Image.Resampling.BICUBIC).save(buffer, format)
        return buffer.getvalue()


def is_whole(data: bytes, format: Format) -> bool:
    """Whether `data` is a picture of that format to its last line."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return image.format == ("JPEG" if format is Format.JPG else format.value.upper())
    except (OSError, ValueError, SyntaxError):
        return False

"""The qualities that a picture may have so that it takes no more than some bytes: its file at each,
and about how many bytes that has."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property

import pyvips

from imaging.codec import NO_METADATA, Encoding, Writer
from imaging.codecs import WRITERS
from imaging.options import Effort
from imaging.quality import NO_QUALITY
from imaging.steps.metadata import written
from imaging.target import Target
from imaging.write import chroma
from imaging.write.scale import between


class Ladder:
    """From the lowest quality to the one that is asked for. Of the whole picture each rung is a
    setting, which is a quality, and where chroma is fine also tells how large that is."""

    def __init__(
        self, image: pyvips.Image, target: Target, complete: Callable[[bytes], bytes]
    ) -> None:
        """
        Args:
            image: in memory, as it is to be written.
            complete: puts into a file what is written beside the encoder.
        """
        self._image = image
        self._target = target
        self._complete = complete
        self._writer = WRITERS[target.format]
        self._effort = _effort(self._writer, target, image)
        self._curve = [(each, math.log(size)) for each, size in self._writer.curve]
        writes_worse = target.format.takes_q or self._writer.encode_limited is not None
        self.is_lossy = writes_worse and not target.options.lossless
        asked = target.quality if target.format.takes_q else NO_QUALITY
        self.highest = asked or self._writer.default_quality

    @property
    def floor(self) -> int:
        """The lowest quality that is tried."""
        return min(self._writer.lowest_quality, self.highest)

    @property
    def finest(self) -> int:
        """The quality up to which there is more than what is asked for takes; 0 if there never
        is."""
        return self._writer.finest

    @property
    def lowest(self) -> int:
        """The lowest setting of the whole picture."""
        return self.floor - (self._fine_chroma[1] if self._fine_chroma else 0)

    def quality(self, setting: int) -> tuple[int, bool]:
        """The quality of a setting of the whole picture, and whether its chroma is whole: up to
        where whole chroma begins it is halved, and the quality a higher one."""
        if self._fine_chroma is None:
            return setting, False
        first, higher = self._fine_chroma
        return (setting, True) if setting >= first else (setting + higher, False)

    @property
    def smaller_has_whole_chroma(self) -> bool:
        """Whether whole chroma looks better with fewer pixels: where it does at any quality."""
        return self._fine_chroma is not None and self._fine_chroma[0] <= self.floor

    @cached_property
    def _fine_chroma(self) -> tuple[int, int] | None:
        """That of the writer, if the picture's chroma is fine, and its quality is one that was
        found for whole chroma."""
        is_sought = self.is_lossy and self._target.options.q is not None
        fine = self._writer.fine_chroma if is_sought else None
        return fine if fine and chroma.is_fine(self._image) else None

    def told(self, quality: int) -> int | None:
        """The quality, at most that which is asked for, if it is one on the scale of `q`."""
        takes_q = self.is_lossy and self._target.format.takes_q
        return min(quality, self.highest) if takes_q else None

    def usual(self, setting: int) -> float:
        """The bytes at a setting over those at another, as they usually are: the curve of the
        writer, between its points."""
        quality, is_whole = self.quality(setting)
        size = math.exp(between(self._curve, quality))
        if self._fine_chroma is None or is_whole:
            return size
        first, higher = self._fine_chroma
        return size * self.usual(first) / math.exp(between(self._curve, first + higher))

    def write(self, image: pyvips.Image, quality: int, whole_chroma: bool = False) -> bytes:
        """The file of the picture, of one with fewer pixels, or of a part, as it is to be."""
        keep = written(image, self._target.options)
        return self._complete(self.encode(image, quality, whole_chroma, keep))

    def encode(
        self,
        image: pyvips.Image,
        quality: int,
        whole_chroma: bool = False,
        keep: int = NO_METADATA,
    ) -> bytes:
        """As `write`, without what is written beside the encoder, and with no more metadata."""
        encode = (self.is_lossy and self._writer.encode_limited) or self._writer.encode
        lossless = self._target.options.lossless
        return encode(image, Encoding(quality, self._effort, lossless, keep, whole_chroma))


def _effort(writer: Writer, target: Target, image: pyvips.Image) -> Effort:
    """The effort of each of several files: no more than what they are made at in time."""
    pixels = image.width * image.height
    most = next((effort for least, effort in writer.searched if pixels <= least), Effort.FAST)
    order = tuple(Effort)
    return min(target.effort, most, key=order.index)

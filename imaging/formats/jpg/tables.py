"""Whether a JPEG's own tables say that an encoder would not make it smaller."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import chain

import pyvips

from imaging.data import Data
from imaging.options import Effort
from imaging.quality import DEFAULT_QUALITY
from imaging.read.segments import APP2, APP14, SOI, segments

FULL_CHROMA = 90
"""From this quality on chroma is not subsampled, as in libvips's own jpegsave."""

SEVERAL_PIXELS = 500_000
"""Pixels of the largest picture that `Effort.BALANCED` writes in several ways: up to here each
takes at most 5 ms, less than all else a picture costs. Above it, progressive scans would save 2 %
and take half as long again."""

BELOW = {Effort.FAST: 0, Effort.BALANCED: 5}
"""How far below the quality asked for the tables have to be, for each effort that leaves such a
file alone. An encoder made it smaller by 0.1 and 0.8 % at most (docs/performance.md)."""

_DQT, _DHT = 0xDB, 0xC4
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
"""Markers (ITU-T T.81, table B.1)."""

_ENTRIES = 64
"""Entries of a quantisation table."""

_ALL_SYMBOLS = 162
"""Symbols that AC coefficients of 8 bit can have (ITU-T T.81, K.3.3.2). A Huffman table made for
one picture has fewer; those of the standard, and others that cameras have built in, have all."""

_HALVED = (0x22, 0x11, 0x11)
"""Sampling factors of 4:2:0, as a frame header has them."""


@dataclass(slots=True)
class _Tables:
    """What comes before the first scan."""

    quantisers: dict[int, tuple[int, ...]] = field(default_factory=dict)
    sampling: tuple[int, ...] = ()
    """Of each component."""
    chosen: tuple[int, ...] = ()
    """The number of each component's quantiser."""
    pixels: int = 0
    progressive: bool = False
    symbols: list[int] = field(default_factory=list)
    """How many each Huffman table for AC coefficients has."""

    @property
    def tailored(self) -> bool:
        """Whether the Huffman tables were made for this picture; progressive scans have no
        others."""
        fewer = bool(self.symbols) and max(self.symbols) < _ALL_SYMBOLS
        return self.progressive or fewer

    def is_coarser(self, other: _Tables) -> bool:
        """Whether every step of every component is as large as the other's, or larger."""
        steps = zip(chain(*self.steps()), chain(*other.steps()), strict=True)
        return all(mine >= theirs for mine, theirs in steps)

    def steps(self) -> Iterator[tuple[int, ...]]:
        """The quantiser of each component.

        Raises:
            KeyError: if one is missing.
        """
        return (self.quantisers[number] for number in self.chosen)


def is_small_enough(data: Data, quality: int, effort: Effort) -> bool:
    """Whether the JPEG is one that the encoder, at this quality (0 for the default) and effort,
    would not make smaller, or by next to nothing: its steps of quantisation are as large, its
    chroma is subsampled where the encoder's is, and its Huffman tables were made for it.

    False if it has a colour profile or CMYK, as then its pixels are to change; and if libjpeg has
    anything to say about it, as of a file that was cut off.
    """
    if effort not in BELOW:
        return False
    quality = quality or DEFAULT_QUALITY
    try:
        tables = _read(data)
        if tables is None or not tables.tailored or len(tables.chosen) not in (1, 3):
            return False
        if quality < FULL_CHROMA and len(tables.chosen) == 3 and tables.sampling != _HALVED:
            return False
        if effort is Effort.BALANCED and tables.pixels <= SEVERAL_PIXELS:
            return False  # one of the several ways may be smaller: graphics lost 4 % by this
        plain = _plain(max(1, quality - BELOW[effort]), len(tables.chosen))
        return tables.is_coarser(plain) and _is_whole(data)
    except (struct.error, IndexError, KeyError, ValueError):
        return False


def own_quality(data: Data) -> int | None:
    """The quality of libjpeg's plain encoder whose steps of quantisation are as large as those of
    this JPEG, or just below them; None if the file is not a JPEG, or says nothing of that kind."""
    try:
        tables = _read(data) if bytes(data[: len(SOI)]) == SOI else None
        if tables is None or len(tables.chosen) not in (1, 3):
            return None
        least, most = 1, 100
        while least < most:
            middle = (least + most) // 2
            if tables.is_coarser(_plain(middle, len(tables.chosen))):
                most = middle
            else:
                least = middle + 1
    except (struct.error, IndexError, KeyError, ValueError):
        return None
    return least


def _read(data: Data) -> _Tables | None:
    """The tables, None if there may be a colour profile or one of Adobe's ways to store colours.

    Raises:
        struct.error: if one is cut off; IndexError if the size of the picture is.
    """
    tables = _Tables()
    for segment in segments(data):
        content = bytes(data[segment.content : segment.end])
        if segment.kind in (APP2, APP14):
            return None
        if segment.kind == _DQT:
            _read_quantisers(content, tables)
        elif segment.kind == _DHT:
            _read_symbols(content, tables)
        elif segment.kind in (_BASELINE, _EXTENDED, _PROGRESSIVE):
            tables.progressive = segment.kind == _PROGRESSIVE
            height, width = struct.unpack_from(">HH", content, 1)
            tables.pixels = height * width
            parts = [content[6 + 3 * n : 9 + 3 * n] for n in range(content[5])]
            tables.sampling = tuple(part[1] for part in parts)
            tables.chosen = tuple(part[2] for part in parts)
    return tables


def _read_quantisers(content: bytes, tables: _Tables) -> None:
    at = 0
    while at < len(content):
        wide, number = divmod(content[at], 16)
        layout = f">{_ENTRIES}{'H' if wide else 'B'}"
        tables.quantisers[number] = struct.unpack_from(layout, content, at + 1)
        at += 1 + struct.calcsize(layout)


def _read_symbols(content: bytes, tables: _Tables) -> None:
    at = 0
    while at < len(content):
        symbols = sum(struct.unpack_from(">16B", content, at + 1))
        if content[at] >> 4:
            tables.symbols.append(symbols)
        at += 17 + symbols


@cache
def _plain(quality: int, components: int) -> _Tables:
    """The tables of libjpeg's plain encoder."""
    pixels = pyvips.Image.black(16, 16, bands=components)
    space = "b-w" if components == 1 else "srgb"
    tables = _read(pixels.copy(interpretation=space).jpegsave_buffer(Q=quality, keep="none"))
    assert tables is not None
    return tables


def _is_whole(data: Data) -> bool:
    """Whether libjpeg reads all of it without a warning; at an eighth of its size, which takes
    three fifths of the time."""
    try:
        pyvips.Image.jpegload_buffer(data, shrink=8, fail_on="warning", access="sequential").avg()
    except pyvips.Error:
        return False
    return True

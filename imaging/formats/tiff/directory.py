"""The first directory of a TIFF: what it says of the picture, and how it is written anew."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from imaging.data import Data


class Tag(IntEnum):
    """The tags that are looked at (TIFF 6.0, section 8 and its supplements)."""

    NEW_SUBFILE_TYPE = 254
    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    FILL_ORDER = 266
    DESCRIPTION = 270
    STRIP_OFFSETS = 273
    ORIENTATION = 274
    SAMPLES = 277
    ROWS_PER_STRIP = 278
    STRIP_SIZES = 279
    PLANAR = 284
    PREDICTOR = 317
    TILE_WIDTH = 322
    TILE_HEIGHT = 323
    TILE_OFFSETS = 324
    TILE_SIZES = 325
    SUB_IFDS = 330
    INK_SET = 332
    EXTRA_SAMPLES = 338
    SAMPLE_FORMAT = 339
    SMALLEST = 340
    LARGEST = 341
    JPEG_TABLES = 347
    SUBSAMPLING = 530
    XMP = 700
    IPTC = 33723
    PHOTOSHOP = 34377
    PROFILE = 34675


METADATA = (Tag.DESCRIPTION, Tag.XMP, Tag.IPTC, Tag.PHOTOSHOP, Tag.PROFILE)
"""What libvips takes into memory beside the pixels."""

_TYPES = {
    **{1: "B", 2: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 11: "f", 12: "d"},
    **{16: "Q", 17: "q", 18: "Q", 13: "I"},
}
"""Each type of number by its code, as `struct` names it (TIFF 6.0, section 2; BigTIFF)."""
_RATIONALS = (5, 10)

MAX_NUMBERS = 2**22
"""Numbers of one tag that are read at most: a strip for each row of the highest picture, in each of
64 planes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag: the code of its type, and the bytes of its numbers."""

    type: int
    count: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """How numbers and offsets are written in a file."""

    order: str
    """`<` or `>`, as `struct` has it."""
    big: bool
    """Whether it is a BigTIFF, with offsets of 64 bit."""

    @property
    def offset(self) -> str:
        """The code of an offset."""
        return "Q" if self.big else "I"

    @property
    def count(self) -> str:
        """The code of the number of entries."""
        return "Q" if self.big else "H"

    @property
    def start(self) -> int:
        """Where in the header the offset of the first directory is."""
        return 8 if self.big else 4

    def unpack(self, data: Data, at: int, codes: str) -> tuple[int, ...]:
        """The numbers from this place on."""
        if at > len(data):  # BigTIFF has places that are larger than an index may be
            raise struct.error("the place is behind the end of the file")
        return struct.unpack_from(self.order + codes, data, at)

    def pack(self, codes: str, *numbers: float) -> bytes:
        """The numbers as the file has them."""
        return struct.pack(self.order + codes, *numbers)


class Directory:
    """The first directory of a file."""

    def __init__(self, data: Data) -> None:
        """
        Raises:
            struct.error: if the file ends too early, or is not a TIFF.
        """
        self._data = data
        self.form = _form(data)
        (self.at,) = self.form.unpack(data, self.form.start, self.form.offset)
        self._places: dict[int, tuple[int, int, int]] = {}
        entry = 20 if self.form.big else 12
        (count,) = self.form.unpack(data, self.at, self.form.count)
        first = self.at + struct.calcsize(self.form.order + self.form.count)
        for at in range(first, min(first + count * entry, len(data)), entry):
            tag, kind, numbers = self.form.unpack(data, at, "HH" + self.form.offset)
            self._places.setdefault(tag, (kind, numbers, at + entry - self._field))

    @property
    def _field(self) -> int:
        """Bytes of the value that an entry holds itself."""
        return 8 if self.form.big else 4

    def __contains__(self, tag: int) -> bool:
        return tag in self._places

    def size(self, tag: int) -> int:
        """Bytes of this tag's value, 0 without it."""
        kind, count, _ = self._places.get(tag, (1, 0, 0))
        return count * (8 if kind in _RATIONALS else struct.calcsize("=" + _TYPES.get(kind, "B")))

    def entry(self, tag: int) -> Entry | None:
        """The tag as it is written.

        Raises:
            struct.error: if its value is not in the file, or has too many numbers.
        """
        if tag not in self._places:
            return None
        kind, count, at = self._places[tag]
        size = self.size(tag)
        if size > self._field:
            (at,) = self.form.unpack(self._data, at, self.form.offset)
        if count > MAX_NUMBERS or at + size > len(self._data):
            raise struct.error
        return Entry(kind, count, bytes(self._data[at : at + size]))

    def numbers(self, tag: int) -> tuple[float, ...]:
        """The tag's numbers, none without it.

        Raises:
            struct.error: as `entry` does, and if they are not plain numbers.
        """
        entry = self.entry(tag)
        if entry is None:
            return ()
        if entry.type not in _TYPES:
            raise struct.error
        return struct.unpack(f"{self.form.order}{entry.count}{_TYPES[entry.type]}", entry.value)

    def number(self, tag: int, default: int) -> int:
        """The tag's first number.

        Raises:
            struct.error: as `numbers` does.
        """
        numbers = self.numbers(tag)
        return int(numbers[0]) if numbers else default


def count_pages(data: Data, most: int) -> int:
    """How many directories follow each other, the first included; more than `most` are not counted.

    Raises:
        struct.error: if the file is not a TIFF.
    """
    form = _form(data)
    seen: set[int] = set()
    for at in _pages(data, form):
        if at in seen or len(seen) > most:
            break
        seen.add(at)
    return len(seen)


def rewritten(data: Data, form: Form, directories: Sequence[Mapping[int, Entry]]) -> bytearray:
    """The file with these directories in place of its own."""
    file = bytearray(data)
    link = form.start
    for directory in directories:
        file += bytes(-len(file) % 8)
        values = b""
        at = len(file)
        struct.pack_into(form.order + form.offset, file, link, at)
        field = 8 if form.big else 4
        head = struct.calcsize(form.order + form.count)
        behind = at + head + len(directory) * (20 if form.big else 12) + field
        entries = form.pack(form.count, len(directory))
        for tag, entry in sorted(directory.items()):
            value = entry.value.ljust(field, b"\0")
            if len(value) > field:
                where = behind + len(values)
                values += value + bytes(len(value) % 2)
                value = form.pack(form.offset, where)
            entries += form.pack("HH" + form.offset, tag, entry.type, entry.count) + value
        link = at + len(entries)
        file += entries + bytes(field) + values
    return file


def _form(data: Data) -> Form:
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    if order is None:
        raise struct.error
    (version,) = struct.unpack_from(order + "H", data, 2)
    if version not in (42, 43):
        raise struct.error
    return Form(order, version == 43)


def _pages(data: Data, form: Form) -> Iterator[int]:
    at = form.start
    try:
        while True:
            (directory,) = form.unpack(data, at, form.offset)
            if directory == 0:
                return
            (count,) = form.unpack(data, directory, form.count)
            yield directory
            head = struct.calcsize(form.order + form.count)
            at = directory + head + count * (20 if form.big else 12)
    except struct.error:  # the last one is cut off
        return

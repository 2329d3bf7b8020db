"""Whether all of a JPEG is there and undamaged, as far as its decoder can tell."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

from imaging.codec import loader
from imaging.data import Data
from imaging.read.segments import EOI, METADATA, SOI, SOS, Segment, marker, segments
from imaging.read.whole import damaged, warning

UNUSED = 32
"""Bytes behind the last pixel that some cameras leave there. More are pixels that damage before
them has kept the decoder from."""

_END = bytes((0xFF, EOI))
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_RESTARTS = range(0xD0, 0xD8)
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_DHT, _DRI = 0xC4, 0xDD
"""Markers (ITU-T T.81, table B.1)."""
_COEFFICIENTS = 64
"""Of a block."""
_WHOLE_SCAN = bytes((0, _COEFFICIENTS - 1, 0))
"""What the last bytes of a sequential scan's header are (B.2.3). libjpeg warns of others, which
some cameras write, and takes them for these."""
_EXTRA = re.compile(r"Corrupt JPEG data: (\d+) extraneous bytes before marker 0x([0-9a-f]{2})")
_SHRINK = 8
_SPARE = 3
"""The last of the places for Huffman tables that libjpeg has; sequential files use the first two
(B.2.4.2)."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """What a frame header says."""

    progressive: bool
    height: int
    width: int
    components: tuple[tuple[int, int, int], ...]
    """Number, sampling factors across and down."""

    @property
    def smallest(self) -> int:
        """By how much libvips can make it smaller in the transform at most: every code is still
        read."""
        return _SHRINK if min(self.width, self.height) >= _SHRINK else 1

    def blocks(self) -> int:
        """Those of the first component in a scan of its own (A.2.2)."""
        _, across, down = self.components[0]
        most_across = max(each[1] for each in self.components)
        most_down = max(each[2] for each in self.components)
        columns = -(-self.width * across // (8 * most_across))
        return columns * -(-self.height * down // (8 * most_down))


@dataclass(slots=True)
class _Scans:
    """A file without all that its pixels do not depend on."""

    parts: list[bytes] = field(default_factory=lambda: [SOI])
    ends: bool = False
    """Whether the end of the image is there."""
    frame: _Frame | None = None
    untold: dict[int, list[int | None]] = field(default_factory=dict)
    """Of each component and each coefficient, how many low bits no scan has told; None if no scan
    has told any."""
    restarts: bytes = b""
    """The segment that says how often the codes start anew."""
    begun: bool = False

    @property
    def complete(self) -> bool:
        """Whether each coefficient has been told to its last bit."""
        return bool(self.untold) and all(
            left == 0 for coefficients in self.untold.values() for left in coefficients
        )


def check_whole(data: Data, all_frames: bool = False) -> None:
    """See whether the scans are all there, and decode without a word of libjpeg's that tells of
    damage.

    Passed over is what costs no pixel: a missing end, bytes between segments and behind the end,
    metadata of any kind, a few bytes behind the last pixel.

    Raises:
        PictureError: if not.
    """
    scans = _scans(bytes(data))
    if not scans.ends and not scans.complete:
        raise damaged("the file ends before its last scan")
    shrink = scans.frame.smallest if scans.frame else 1
    plain = b"".join((*scans.parts, _END))
    warned = warning(loader("jpegload"), plain, fail_on="warning", shrink=shrink)
    extra = _EXTRA.fullmatch(warned)
    # Nothing follows that could be told of too, where the end does.
    at_end = extra is not None and int(extra[2], 16) == EOI
    if warned and not (at_end and extra is not None and _is_filling(scans, int(extra[1]))):
        raise damaged(warned)


def _scans(data: bytes) -> _Scans:
    scans, at = _Scans(), len(SOI)
    while True:
        for segment in segments(data, at):
            at = segment.end
            if segment.kind not in METADATA:
                _add_segment(scans, data, segment)
        following = marker(data, at)
        if following is None:  # bytes that are not a segment, or the rest of one
            found = _MARKER.search(data, at)
            if found is None or found.start() == at:
                return scans
            at = found.start()
            continue
        if following.kind == EOI:
            scans.ends = True
            return scans
        if following.kind == SOS:
            _add_scan(scans, data, following)
        elif following.kind not in _RESTARTS:
            scans.parts.append(data[following.start : following.end])
        at = following.end


def _add_segment(scans: _Scans, data: bytes, segment: Segment) -> None:
    whole = data[segment.start : segment.end]
    if segment.kind == _DRI:
        scans.restarts = whole
    if segment.kind in (*_SEQUENTIAL, _PROGRESSIVE) and scans.frame is None:
        whole = _add_frame(scans, segment.kind, data[segment.content : segment.end]) or whole
    scans.parts.append(whole)


def _add_frame(scans: _Scans, kind: int, content: bytes) -> bytes | None:
    """Note what the header says. Returns another one that is to take its place, if any."""
    if len(content) < 6 or len(content) < 6 + 3 * content[5] or not content[5]:
        return None
    height, width = struct.unpack_from(">HH", content, 1)
    parts = [content[at : at + 3] for at in range(6, 6 + 3 * content[5], 3)]
    components = tuple((number, max(1, by >> 4), max(1, by & 15)) for number, by, _ in parts)
    scans.frame = _Frame(kind == _PROGRESSIVE, height, width, components)
    scans.untold = {number: [None] * _COEFFICIENTS for number, _, _ in components}
    if len(parts) > 1 or scans.frame.progressive:
        return None
    # Two more components, or libjpeg would take the first scan for all of the picture.
    number, _, table = parts[0]
    scans.frame = _Frame(False, height, width, (((number + 1) & 255, 1, 1),))
    three = b"".join(bytes(((number + n) & 255, 0x11, table)) for n in range(3))
    return struct.pack(">BBH", 0xFF, kind, 17) + content[:5] + b"\3" + three


def _add_scan(scans: _Scans, data: bytes, scan: Segment) -> None:
    if not scans.begun and scans.frame is not None and not scans.frame.progressive:
        scans.parts.append(_scan_of_nothing(scans.frame) + scans.restarts)
    scans.begun = True
    (size,) = struct.unpack_from(">H", data, scan.start + 2)
    behind = scan.start + 2 + size
    header = data[scan.content : behind]
    if behind >= scan.end or size < 6 or scans.frame is None:  # broken, as the decoder will say
        scans.parts.append(data[scan.start : scan.end])
        return
    last = header[-3:] if scans.frame.progressive else _WHOLE_SCAN
    scans.parts.append(data[scan.start : behind - 3] + last + data[behind : scan.end])
    first, until, shifted = last[0], last[1] + 1, last[2] & 15
    for number in header[1:-3:2]:
        if number in scans.untold:
            told = scans.untold[number]
            told[first:until] = [shifted] * len(told[first:until])


def _scan_of_nothing(frame: _Frame) -> bytes:
    """A scan of the first component in which every coefficient is 0, with its Huffman tables.

    A sequential picture in one scan is decoded row by row, as far as its rows go: nothing is said
    of what is left, and libvips does not ask whether the last rows were damaged. One in several
    scans is decoded to its end first. What the scan says is said anew by the one that follows.
    """
    number = frame.components[0][0]
    # One code of one bit: no difference, and the end of the block.
    codes = b"\1" + bytes(15) + b"\0"
    tables = bytes((_SPARE,)) + codes + bytes((0x10 | _SPARE,)) + codes
    return b"".join(
        (
            struct.pack(">BBHH", 0xFF, _DRI, 4, 0),
            struct.pack(">BBH", 0xFF, _DHT, 2 + len(tables)) + tables,
            struct.pack(">BBHBBB", 0xFF, SOS, 8, 1, number, _SPARE << 4 | _SPARE) + _WHOLE_SCAN,
            bytes(-(-frame.blocks() * 2 // 8)),
        )
    )


def _is_filling(scans: _Scans, extra: int) -> bool:
    """Whether so many bytes before the end are padding."""
    return extra <= UNUSED or not scans.parts[-1][-extra:].strip(b"\0\xff")

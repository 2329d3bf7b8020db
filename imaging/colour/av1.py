"""What an AV1 bitstream says of its colours, in its sequence header (AV1, 5.5)."""

from __future__ import annotations

from dataclasses import dataclass

_SEQUENCE_HEADER = 1
_UNSPECIFIED = 2


@dataclass(frozen=True, slots=True)
class Stream:
    """The part of it that says what the numbers mean."""

    primaries: int
    """A code point, as `transfer` is (ITU-T H.273)."""
    transfer: int
    full_range: bool


class _Bits:
    """Numbers of any number of bits, the highest first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """The next number of so many bits.

        Raises:
            EOFError: if they are not there.
        """
        if count > self._left:
            raise EOFError
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def length(self) -> int:
        """A number whose own length comes first (uvlc)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return self.take(zeros) if zeros < 32 else 0


def read(data: bytes) -> Stream | None:
    """What the first unit of the bitstream says, None if it is not a sequence header, or cut off.

    Args:
        data: a few dozen bytes are looked at.
    """
    if len(data) < 2 or data[0] >> 3 & 15 != _SEQUENCE_HEADER:
        return None
    at = 2 if data[0] & 4 else 1
    if data[0] & 2:  # its size, of seven bits a byte
        while at < len(data) and data[at] & 0x80:
            at += 1
        at += 1
    try:
        return _colours(_Bits(data[at : at + 256]))
    except EOFError:
        return None


def _colours(bits: _Bits) -> Stream:
    profile = bits.take(3)
    _skip_to_colours(bits)
    deep = bits.take(1)
    if profile == 2 and deep:
        bits.take(1)
    grey = bits.take(1) if profile != 1 else 0
    primaries = transfer = matrix = _UNSPECIFIED
    if bits.take(1):
        primaries, transfer, matrix = bits.take(8), bits.take(8), bits.take(8)
    if not grey and (primaries, transfer, matrix) == (1, 13, 0):
        return Stream(primaries, transfer, full_range=True)
    return Stream(primaries, transfer, bool(bits.take(1)))


def _skip_to_colours(bits: _Bits) -> None:
    """Everything between the profile and the colours."""
    bits.take(1)
    still = bool(bits.take(1))
    if still:
        bits.take(5)
    else:
        _skip_times(bits)
    width, height = bits.take(4) + 1, bits.take(4) + 1
    bits.take(width + height)
    if not still and bits.take(1):
        bits.take(7)
    bits.take(3)
    if not still:
        _skip_tools(bits)
    bits.take(3)


def _skip_times(bits: _Bits) -> None:
    """Times, and the operating points with theirs."""
    delay = 0
    if bits.take(1):
        bits.take(64)
        if bits.take(1):
            bits.length()
        if bits.take(1):
            delay = bits.take(5) + 1
            bits.take(42)
    displayed = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delay and bits.take(1):
            bits.take(2 * delay + 1)
        if displayed and bits.take(1):
            bits.take(4)


def _skip_tools(bits: _Bits) -> None:
    """The tools of pictures that follow one another."""
    bits.take(4)
    order = bits.take(1)
    if order:
        bits.take(2)
    screen = 2 if bits.take(1) else bits.take(1)
    if screen and not bits.take(1):
        bits.take(1)
    if order:
        bits.take(3)

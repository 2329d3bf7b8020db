"""The JPEG that a JPEG XL was made of."""

from __future__ import annotations

from imaging.data import Data
from imaging.formats.jxl.decoded import JPEG, NEED_JPEG, PIXELS, STEP, decoder_of
from imaging.formats.jxl.library import address


def jpeg(data: Data, most: int) -> bytes | None:
    """The JPEG that the file was made of, byte for byte; None if it was made of none.

    Args:
        most: bytes that it may have.
    """
    buffer = bytearray(min(most, 2 * len(data) + STEP))
    filled = 0
    with decoder_of(data, JPEG | PIXELS, closed=True) as (jxl, decoder):
        has_jpeg = False
        while True:
            status = jxl.DecoderProcessInput(decoder)
            if status == JPEG:
                has_jpeg = True
                jxl.DecoderSetJPEGBuffer(decoder, *address(buffer))
            elif status == NEED_JPEG and len(buffer) < most:
                filled = len(buffer) - jxl.DecoderReleaseJPEGBuffer(decoder)
                buffer = buffer[:filled] + bytearray(min(most, 2 * len(buffer)) - filled)
                jxl.DecoderSetJPEGBuffer(decoder, *address(memoryview(buffer)[filled:]))
            elif status == PIXELS and has_jpeg:
                left = jxl.DecoderReleaseJPEGBuffer(decoder)
                return bytes(buffer[: len(buffer) - left])
            else:
                return None

"""A PNG's own pixels in fewer bytes, by oxipng."""

from __future__ import annotations

from typing import Any

import oxipng

from imaging.errors import PictureError
from imaging.formats.png.chunks import COLOUR_CHUNKS, FRAME_CHUNKS, with_exif
from imaging.formats.png.unthreaded import Unthreaded
from imaging.options import Effort

LEVELS = {Effort.FAST: 0, Effort.BALANCED: 2, Effort.SMALL: 4}
"""oxipng's presets."""

ALL_LEVELS_SIZE = 65_536
"""Bytes of the largest file on which an effort tries the presets below its own, too."""

PALETTE_FILTERS = {
    Effort.BALANCED: ("none", "entropy"),
    Effort.SMALL: ("none", "sub", "up", "minsum", "entropy", "bigrams", "bigent"),
}
"""The row filters that are tried on a palette. oxipng's presets leave it unfiltered or try the slow
ones; Entropy alone takes 3 to 10 % off a quantised photograph."""

FILTERED_PIXELS = 12_000_000
"""Pixels of the largest picture that more than one filter is tried on; each takes half a second for
a megapixel."""

COMPRESSION = {Effort.BALANCED: 11, Effort.SMALL: 12}
"""libdeflate's level for a palette; 12 takes twice the time of 11 for 2 % fewer bytes."""

SECONDS = 15
"""After so long no further way is tried; the best so far counts."""


_unthreaded = Unthreaded()


def optimise(data: bytes, effort: Effort) -> bytes:
    """The same file, every chunk kept.

    Raises:
        PictureError: if oxipng cannot read it.
    """
    return run(data, level=LEVELS[effort], strip="none")


def optimise_palette(data: bytes, effort: Effort, pixels: int) -> bytes:
    """As `optimise`, for a picture of so many pixels that has been given a palette."""
    if effort not in PALETTE_FILTERS:
        return data
    filters = PALETTE_FILTERS[effort] if pixels <= FILTERED_PIXELS else ("none",)
    return run(
        data,
        level=0,
        filter=list(filters),
        deflate=oxipng.Deflaters.libdeflater(COMPRESSION[effort]),
    )


def strip(data: bytes, exif: bytes | None, effort: Effort) -> bytes:
    """The file without metadata but its colours' and, if given, this EXIF block.

    Raises:
        PictureError: if oxipng cannot read it.
    """
    kept = [name.decode() for name in (*COLOUR_CHUNKS, *FRAME_CHUNKS)]
    efforts = tuple(Effort)
    # A higher preset is not always the better one.
    tried = efforts[: efforts.index(effort) + 1] if len(data) <= ALL_LEVELS_SIZE else (effort,)
    stripped = min(
        (run(data, level=LEVELS[each], strip=oxipng.StripChunks.keep(kept)) for each in tried),
        key=len,
    )
    return with_exif(stripped, exif)


def run(data: bytes, **options: Any) -> bytes:
    """What oxipng makes of a file. Nothing else may call it: its first caller's thread is the one
    that it computes in, and a call from any other waits for ever.

    Args:
        options: of `oxipng.optimize_from_memory`.

    Raises:
        PictureError: if oxipng cannot read it.
    """
    try:
        return _unthreaded.call(
            lambda: oxipng.optimize_from_memory(data, timeout=SECONDS, **options)
        )
    except oxipng.PngError as error:
        raise PictureError(f"the picture cannot be read: {error}") from None

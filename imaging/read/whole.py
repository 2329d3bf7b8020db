"""Whether all of a picture can be decoded, for clients that want all of it or none."""

from __future__ import annotations

from collections.abc import Callable

import pyvips

from imaging.data import Data
from imaging.errors import DAMAGED, PictureError


def check_decodes(
    load: Callable[..., pyvips.Image], data: Data, *, all_frames: bool = False
) -> None:
    """See whether every pixel of the first frame, or of each of them, can be decoded.

    Args:
        load: libvips's loader, or one with the same options.

    Raises:
        PictureError: if not.
    """
    pages = {"n": -1} if all_frames else {}
    if warned := warning(load, data, fail_on="error", **pages):
        raise damaged(warned)


def warning(load: Callable[..., pyvips.Image], data: Data, **options: object) -> str:
    """What is first said of the file as it is decoded to its end, "" if nothing.

    Args:
        load: as of `check_decodes`.
        options: of the loader; for the `fail_on` `error` something is said of a file that ends too
            early and of pixels that cannot be decoded, for `warning` of all that a library remarks
            on.
    """
    try:
        load(data, access="sequential", **options).avg()
    except pyvips.Error as error:
        said = str(error.detail or "").strip().splitlines() or [""]
        # libvips puts the name of its part before it.
        return said[0].partition(": ")[2] or "its pixels cannot be decoded"
    return ""


def damaged(why: str) -> PictureError:
    """The error that says so."""
    return PictureError(f"the picture is damaged: {why}", DAMAGED)

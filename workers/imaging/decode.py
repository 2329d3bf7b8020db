"""From the bytes of a file to pixels, through loaders that are named one by one."""

from __future__ import annotations

import filetype
import pyvips

from workers.imaging.errors import PictureError
from workers.imaging.protocol import Data

LOADERS = {
    "image/jpeg": "jpegload_buffer",
    "image/png": "pngload_buffer",
    "image/webp": "webpload_buffer",
    "image/gif": "gifload_buffer",
    "image/tiff": "tiffload_buffer",
    "image/avif": "heifload_buffer",
}
"""The loader for each kind of file. libvips knows more (SVG, PDF, other programs), and what is not
named here is never called."""


def decode(data: Data, max_pixels: int) -> pyvips.Image:
    """The picture in `data`, or its first frame. The pixels themselves are decoded when needed.

    Args:
        data: must outlive the image.
        max_pixels: pixels of the largest picture taken, counted from its header.

    Raises:
        PictureError: if it is of no known kind, its header cannot be read, or it is too large.
    """
    kind = filetype.guess_mime(data)
    loader = LOADERS.get(kind or "")
    if loader is None:
        raise PictureError(f"{kind or 'this kind of file'} is not supported")
    image = _load(loader, data, "sequential")
    pixels = image.width * image.height
    if pixels > max_pixels:
        raise PictureError(
            f"{image.width} x {image.height} is {pixels} pixels, more than the {max_pixels} allowed"
        )
    if _is_turned(image):
        # A turn reads rows out of order, which a stream cannot give.
        image = _load(loader, data, "random")
    return image


def _load(loader: str, data: Data, access: str) -> pyvips.Image:
    try:
        return pyvips.Operation.call(loader, data, access=access)
    except pyvips.Error as error:
        raise PictureError(f"the picture cannot be read: {reason(error)}") from None


def _is_turned(image: pyvips.Image) -> bool:
    return bool(image.get_typeof("orientation") != 0 and image.get("orientation") > 1)


def reason(error: pyvips.Error) -> str:
    """What libvips says of an error, in one line."""
    lines = [line.strip() for line in str(error.detail or error.message).splitlines()]
    return "; ".join(dict.fromkeys(line for line in lines if line)) or "unknown error"

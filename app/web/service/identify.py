"""What an upload asks for, once its first bytes say what kind of picture it is."""

from __future__ import annotations

from app.core.errors import told
from app.core.picture.conversion import Conversion, Wish
from app.web.service.conversions import Picture
from imaging.formats.recognise import HEAD_SIZE, picture_size, readable_type


def identify(picture: Picture, wish: Wish, max_pixels: int) -> tuple[Conversion, str]:
    """The conversion that `wish` means for this picture, and the picture's media type.

    Args:
        max_pixels: pixels of the largest picture that is converted.

    Raises:
        NotAnImage: if it is no picture that can be read.
        UnsupportedFormat: if its own format is asked for, and cannot be written.
        InvalidOption: if the format cannot do or hold what is asked for.
    """
    picture.file.seek(0)
    with told():
        media_type = readable_type(picture.file.read(HEAD_SIZE))
    size = picture_size(picture.file, media_type, max_pixels)
    return wish.conversion(picture.md5, media_type, size), media_type

"""The intake of every picture, from HTTP and WebSocket alike."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.errors import told
from app.core.jobs.job import PictureJob
from app.core.picture.conversion import Conversion, ConversionRequest, parse_conversion_request
from app.web.service.conversions import Conversions
from app.web.service.picture import Picture
from imaging.formats.recognise import HEAD_SIZE, picture_size, readable_type
from imaging.options import Effort


class Intake:
    """Makes jobs of pictures and the fields that came with them."""

    def __init__(self, conversions: Conversions, effort: Effort, max_pixels: int) -> None:
        """
        Args:
            effort: of pictures without one.
            max_pixels: pixels of the largest picture that is converted.
        """
        self._conversions = conversions
        self._effort = effort
        self._max_pixels = max_pixels

    def request(self, fields: Mapping[str, object]) -> ConversionRequest:
        """What the fields of an upload ask for.

        Raises:
            UnsupportedFormat: if there is no such format.
            InvalidOption: if an option is wrong, or options conflict.
        """
        return parse_conversion_request(fields, self._effort, self._max_pixels)

    async def accept(self, picture: Picture, requested: ConversionRequest) -> PictureJob:
        """The job of this picture: new, or found. It takes the picture's file.

        Raises:
            NotAnImage: if it is not a readable picture.
            UnsupportedFormat: if its own format is requested, and cannot be written.
            InvalidOption: if the format cannot do or hold the request.
            TinyImageError: as `Conversions.submit`.
            RedisError: if Redis cannot be reached. It is then unknown whether there is a job.
        """
        conversion, media_type = self._identify(picture, requested)
        return await self._conversions.submit(picture, conversion, requested.priority, media_type)

    def _identify(self, picture: Picture, requested: ConversionRequest) -> tuple[Conversion, str]:
        """The conversion that `requested` means for this picture, and the picture's media type."""
        picture.file.seek(0)
        with told():
            media_type = readable_type(picture.file.read(HEAD_SIZE))
        size = picture_size(picture.file, media_type, self._max_pixels)
        return requested.conversion(picture.md5, media_type, size), media_type

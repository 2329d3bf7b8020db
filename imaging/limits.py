"""How large a picture may be."""

from __future__ import annotations

from dataclasses import dataclass

from imaging.errors import TOO_MANY_PIXELS, PictureError

MAX_METADATA = 16 * 1024**2
"""Bytes of all texts, profiles and EXIF of one picture, inflated. The largest that are meant, ICC
profiles of printing presses and XMP with a depth map, have a few megabytes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a header may promise."""

    max_pixels: int = 50_000_000
    """Of all frames that are decoded."""
    max_frames: int = 1000
    """Frames or pages of one file, decoded or not."""
    max_side: int = 65_535
    """Pixels of width and of height; what a JPEG can have (ITU-T T.81, B.2.2)."""

    def check_size(self, width: int, height: int, frames: int = 1) -> None:
        """See whether a picture is small enough to be decoded.

        Raises:
            PictureError: if not.
        """
        of_frames = f" × {frames} frames" if frames > 1 else ""
        size = f"{width} × {height}{of_frames}"
        self._check(f"{size} is", width * height * frames, self.max_pixels, "pixels")
        self._check(f"{size} has a side of", max(width, height), self.max_side, "pixels")

    def check_frames(self, frames: int) -> None:
        """See whether a file has few enough frames or pages.

        Raises:
            PictureError: if not.
        """
        self._check("the picture has", frames, self.max_frames, "frames")

    @staticmethod
    def check_metadata(size: int) -> None:
        """See whether so many bytes of metadata are few enough.

        Raises:
            PictureError: if not.
        """
        if size > MAX_METADATA:
            raise PictureError(
                f"texts and profiles of at least {size} bytes, more than the {MAX_METADATA} "
                "allowed",
                TOO_MANY_PIXELS,
            )

    @staticmethod
    def _check(what: str, number: int, most: int, unit: str) -> None:
        if number > most:
            raise PictureError(
                f"{what} {number} {unit}, more than the {most} allowed", TOO_MANY_PIXELS
            )

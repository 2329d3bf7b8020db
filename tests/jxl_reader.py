"""JPEG XL for Pillow, which has no reader of its own."""

from __future__ import annotations

from typing import IO, Any

from PIL import Image, ImageFile

from imaging.formats.jxl import CODESTREAM, CONTAINER, decoded
from imaging.formats.jxl.encoded import Frame, Settings, encoded
from imaging.limits import Limits

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_EXIF_START = 4


class JxlImageFile(ImageFile.ImageFile):
    """A file of one or several frames of 8 bit."""

    format = "JXL"
    format_description = "JPEG XL"

    def _open(self) -> None:
        assert self.fp is not None
        data = self.fp.read()
        found = decoded.header(data, Limits())
        self.n_frames = len(found.delays)
        self.is_animated = self.n_frames > 1
        strip = bytes(decoded.pixels(data, found, self.n_frames)[0])
        size = len(strip) // self.n_frames
        self._strips = [strip[n * size : (n + 1) * size] for n in range(self.n_frames)]
        self._delays = found.delays
        self._size = (found.width, found.height)
        self._mode = _MODES[found.bands]
        values: dict[str, Any] = {
            "icc_profile": found.profile,
            "exif": bytes(found.boxes.get(b"Exif", b""))[_EXIF_START:],
        }
        self.info = {name: value for name, value in values.items() if value}
        if self.is_animated:
            self.info["loop"] = found.loop
        self._at = 0
        self.seek(0)

    def load(self) -> Any:
        if self._strips:
            super_image = Image.frombytes(self.mode, self.size, self._strips[self._at])
            self.im = super_image.im
        return Image.Image.load(self)

    def seek(self, frame: int) -> None:
        """Show another frame."""
        if not 0 <= frame < self.n_frames:
            raise EOFError
        self._at = frame
        if self.is_animated:
            self.info["duration"] = self._delays[frame]

    def tell(self) -> int:
        """The number of the frame that is shown."""
        return self._at


def _save(image: Image.Image, file: IO[bytes], filename: str | bytes) -> None:
    """A still, at a `quality` of libjxl's own scale."""
    asked = image.encoderinfo
    if image.mode not in _MODES.values():
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    frame = Frame(image.tobytes(), (0, 0, *image.size))
    distance = 0.1 + (100 - asked.get("quality", 90)) * 0.09
    exif = asked.get("exif", b"")
    block = (exif.tobytes() if isinstance(exif, Image.Exif) else exif).removeprefix(b"Exif\0\0")
    bands, profile = len(image.getbands()), asked.get("icc_profile")
    settings = Settings(3, distance)
    file.write(encoded(image.size, bands, [frame], settings, profile=profile, exif=block))


def register() -> None:
    """Have Pillow open and write such files."""
    Image.register_save(JxlImageFile.format, _save)
    Image.register_open(
        JxlImageFile.format, JxlImageFile, lambda head: head.startswith((CODESTREAM, CONTAINER))
    )
    Image.register_mime(JxlImageFile.format, "image/jxl")

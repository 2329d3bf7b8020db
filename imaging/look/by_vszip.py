"""SSIMULACRA2 by the filter vszip of VapourSynth, which has wheels for Python 3.12 and newer."""

from __future__ import annotations

import ctypes
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from imaging.look.picture import Picture, as_pillow
from imaging.look.scale import DIGITS

KERNEL, BORDER = 0.981, 6.5
"""What the filter's distance from 100 is multiplied by, and the pixels of the width that it counts
too much. It blurs as libjxl does, by a recursive filter, and has a mirror at each border; to the
reference package there is nothing at the left and right, where errors then count less. Measured on
92 encodings of 16 pictures of 450 to 640 pixels width that score 50 to 95; `script/bench looks`
tells what is left."""


class Reference:
    """A picture that others are held against."""

    def __init__(self, image: Picture, width: int | None = None) -> None:
        """
        Args:
            width: pixels of the picture's width, if the image is a sample of it.
        """
        self._core = _core()
        self._node = _node(self._core, image)
        self._factor = KERNEL - BORDER / int(width or image.width)

    def score(self, image: Picture) -> float:
        """SSIMULACRA2 of another picture of the same size, 100 at most."""
        compared = self._core.vszip.SSIMULACRA2(self._node, _node(self._core, image))
        with compared.get_frame(0) as frame:
            score = float(frame.props["SSIMULACRA2"])
        return round(100 - (100 - score) * self._factor, DIGITS)


def is_installed() -> bool:
    """Whether VapourSynth and its filter are there; nothing is loaded."""
    package = find_spec("vapoursynth")
    folders = package.submodule_search_locations if package else None
    return any(Path(folder, "plugins", "vszip").is_dir() for folder in folders or ())


@cache
def _core() -> Any:
    from vapoursynth import core

    core.num_threads = 1
    core.max_cache_size = 1  # MB; no frame is asked for twice
    return core


def _node(core: Any, image: Picture) -> Any:
    """The image as a clip of one frame."""
    from vapoursynth import RGB24

    width, height = image.width, image.height
    made = core.create_video_frame(RGB24, width, height)
    stride = made.get_stride(0)
    # By Pillow in a sixth of the time of a slice of the bytes, and in half that of libvips.
    picture = as_pillow(image)
    for plane, band in enumerate(picture.getbands()):
        rows = picture.tobytes("raw", band, stride, 1)
        ctypes.memmove(made.get_write_ptr(plane), rows, len(rows))
    blank = core.std.BlankClip(format=RGB24, width=width, height=height, length=1, keep=True)
    return blank.std.ModifyFrame(blank, lambda n, f: made)

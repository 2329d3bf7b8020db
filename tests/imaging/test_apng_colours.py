"""Every frame of an animated PNG is shown in the colours that the file declares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from imaging.convert import convert
from imaging.formats import Format
from imaging.options import Effort, Keep
from tests.imaging.profiles import display_p3, grey_curve, grey_in_lab
from tests.imaging.samples import frame_count, is_close, opacities, photo, target
from tests.imaging.spaces import (
    CHRM_P3,
    TO_BT2020,
    TO_P3,
    chrm,
    cicp,
    gama,
    light,
    picture,
    pq,
    shown,
    srgb,
    with_chunks,
)
from tests.pictures import encoded, opened

MOVING = (Format.PNG, Format.WEBP, Format.GIF)
GAMMA = 1.4
TURNS = (0, 90, 180)
"""Degrees by which the photograph is turned in each frame."""

COLOUR_TYPE = 25
"""The byte of a PNG that says how its pixels are stored."""

Chunks = tuple[tuple[bytes, bytes], ...]


def _photo() -> Image.Image:
    return photo(96, 96)


def _in_limited_range(values: NDArray[np.float64]) -> Image.Image:
    return picture((values * 219 + 16) / 255)


P3 = srgb(light(_photo()) @ TO_P3.T)
STORED: dict[str, tuple[Image.Image, Chunks, bytes | None]] = {
    "linear by gAMA": (picture(light(_photo())), (gama(1),), None),
    "P3 by cHRM": (picture(P3), (chrm(CHRM_P3),), None),
    "P3 by cHRM and gAMA": (
        picture((light(_photo()) @ TO_P3.T).clip(0, 1) ** (1 / 2.2)),
        (gama(1 / 2.2), chrm(CHRM_P3)),
        None,
    ),
    "P3 by cICP": (picture(P3), (cicp(12, 13),), None),
    "limited P3 by cICP": (_in_limited_range(P3), (cicp(12, 13, full=0),), None),
    "PQ by cICP": (picture(pq(light(_photo()) @ TO_BT2020.T)), (cicp(9, 16),), None),
    "P3 by its profile": (picture(P3), (), display_p3()),
}
"""The same photograph in each: its pixels, chunks and profile."""

GREY: dict[str, tuple[Chunks, bytes | None]] = {
    "gAMA": ((gama(1 / GAMMA),), None),
    "a profile": ((), grey_curve(GAMMA)),
    "a profile through Lab": ((), grey_in_lab(GAMMA)),
}
"""What says that grey is of `GAMMA`."""


def _animation(image: Image.Image, chunks: Chunks, profile: bytes | None) -> bytes:
    frames = [image.rotate(turn) for turn in TURNS]
    moving = {"save_all": True, "append_images": frames[1:], "duration": 100}
    data = encoded(frames[0], "PNG", icc_profile=profile, **moving)
    return with_chunks(data, *chunks)


def _distances(data: bytes, wanted: Image.Image) -> list[float]:
    """How far each frame, as a viewer shows it, is from what is wanted, turned as it should be."""
    image = opened(data)
    assert frame_count(image) == len(TURNS)
    profile = image.info.get("icc_profile")
    found = []
    for number, turn in enumerate(TURNS):
        image.seek(number)
        grey = profile is not None and profile[16:20] == b"GRAY"
        frame = encoded(
            image.convert("L" if grey else "RGB"),
            "PNG",
            **({"icc_profile": profile} if profile else {}),
        )
        one = np.asarray(shown(with_chunks(frame, *_colour_chunks(data))), int)
        other = np.asarray(wanted.rotate(turn).convert("RGB"), int)
        found.append(float(np.abs(one - other).mean()))
    return found


def _colour_chunks(data: bytes) -> Chunks:
    """Those of cICP and gAMA that a result has, if it is a PNG."""
    if not data.startswith(b"\x89PNG"):
        return ()
    places = [(name, data.find(name)) for name in (b"cICP", b"gAMA")]
    return tuple((name, data[at + 4 : at + 8]) for name, at in places if at >= 0)


@pytest.mark.parametrize("keep", [(), (Keep.ICC,)])
@pytest.mark.parametrize("format", MOVING)
@pytest.mark.parametrize("name", STORED)
def test_every_frame_has_the_colours_that_are_declared(
    name: str, format: Format, keep: tuple[Keep, ...]
) -> None:
    image, chunks, profile = STORED[name]
    data = _animation(image, chunks, profile)
    wanted = _photo()
    assert np.abs(np.asarray(image, int) - np.asarray(wanted, int)).mean() > 3
    result = convert(data, target(format, 97, keep=keep))
    assert max(_distances(result, wanted)) < 4


@pytest.mark.parametrize("effort", [Effort.FAST, Effort.SMALL])
@pytest.mark.parametrize("keep", [(), (Keep.ICC,)])
@pytest.mark.parametrize("mode", ["L", "LA"])
@pytest.mark.parametrize("format", MOVING)
@pytest.mark.parametrize("by", GREY)
def test_every_grey_frame_has_its_curve(
    by: str, format: Format, mode: str, keep: tuple[Keep, ...], effort: Effort
) -> None:
    grey = _photo().convert("L")
    wanted = picture(srgb((np.asarray(grey.convert("RGB")) / 255) ** GAMMA))
    assert np.abs(np.asarray(grey.convert("RGB"), int) - np.asarray(wanted, int)).mean() > 10
    result = convert(
        _animation(grey.convert(mode), *GREY[by]), target(format, 97, effort, keep=keep)
    )
    assert max(_distances(result, wanted)) < 4
    kept = opened(result).info.get("icc_profile")
    if keep and format is Format.PNG:
        assert kept is not None or b"gAMA" in result  # its own pixels, as they were smaller
    elif format is not Format.PNG:
        assert kept is None
    if kept is not None:
        # A palette is of colours, with which a profile for grey is not valid.
        assert kept[16:20] == b"GRAY"
        assert result[COLOUR_TYPE] in (0, 4)


@pytest.mark.parametrize("options", [{}, {"background": "ff8000"}, {"width": 48, "height": 30}])
@pytest.mark.parametrize("fit", ["contain", "cover", "fill"])
@pytest.mark.parametrize("format", MOVING)
def test_grey_frames_take_every_option(
    format: Format, fit: str, options: dict[str, object]
) -> None:
    grey = _photo().convert("LA")
    grey.putalpha(
        Image.linear_gradient("L").resize(grey.size).point(lambda value: 255 * (value > 99))
    )
    size: dict[str, Any] = {"width": 60, "height": 40} | options
    result = opened(convert(_animation(grey, (), None), target(format, 97, fit=fit, **size)))
    assert frame_count(result) == len(TURNS)
    assert result.size == (size["width"], size["height"])
    if "background" in options:
        assert opacities(result) == (255, 255)
        if fit == "contain":
            assert is_close(result, (1, 1), (255, 128, 0))

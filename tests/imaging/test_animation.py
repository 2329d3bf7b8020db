"""Animations stay animations: their frames, their times, their loops."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from imaging.convert import convert
from imaging.errors import PictureError
from imaging.formats import Format
from imaging.options import Effort
from tests.imaging.animations import DELAYS, animation, frames_seen, moving_frames
from tests.imaging.samples import (
    assert_corners,
    distance,
    frame_count,
    is_close,
    photo,
    pixel,
    target,
)
from tests.pictures import encoded, opened

MOVING = (Format.WEBP, Format.GIF)
STILL = (Format.JPG, Format.PNG, Format.AVIF)
KINDS = ("GIF", "WEBP")


def _loop(loop: int, kind: str, format: Format) -> int:
    """A GIF says how often it is shown again, a WebP how often it is shown; 0 is without end."""
    if loop == 0 or kind == str(format).upper():
        return loop
    return loop + 1 if kind == "GIF" else loop - 1


@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format", MOVING)
def test_frames_delays_and_loops_stay(format: Format, kind: str, effort: Effort) -> None:
    data = animation(kind)
    result = opened(convert(data, target(format, 90, effort)))
    frames, delays = frames_seen(result)
    assert delays == DELAYS
    assert result.info["loop"] == _loop(3, kind, format)
    for frame, wanted in zip(frames, moving_frames(), strict=True):
        assert distance(frame, wanted) < 6


@pytest.mark.parametrize("loop", [0, 1, 2, 5])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format", MOVING)
def test_every_number_of_loops_stays(format: Format, kind: str, loop: int) -> None:
    result = opened(convert(animation(kind, loop), target(format)))
    assert result.info.get("loop", 0) == _loop(loop, kind, format)


@pytest.mark.parametrize("kind", KINDS)
def test_an_animation_that_is_shown_once(kind: str) -> None:
    frames = moving_frames()
    options: dict[str, Any] = {"loop": 1} if kind == "WEBP" else {}
    data = encoded(
        frames[0], kind, save_all=True, append_images=frames[1:], duration=DELAYS, **options
    )
    assert b"NETSCAPE" not in data
    assert b"NETSCAPE" not in convert(data, target(Format.GIF))
    assert opened(convert(data, target(Format.WEBP))).info["loop"] == 1


@pytest.mark.parametrize("fit", ["inside", "cover", "contain", "fill"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format", MOVING)
def test_every_frame_is_resized(format: Format, kind: str, fit: str) -> None:
    data = animation(kind)
    result = opened(convert(data, target(format, 90, width=60, height=40, fit=fit)))
    assert result.size == (60, 40)
    frames, delays = frames_seen(result)
    assert delays == DELAYS
    for frame, wanted in zip(frames, moving_frames(), strict=True):
        assert distance(frame, wanted.resize((60, 40), Image.Resampling.LANCZOS)) < 8


@pytest.mark.parametrize("fit", ["cover", "contain", "fill"])
def test_frames_that_would_be_too_large_together_are_refused(fit: str) -> None:
    wanted = target(Format.WEBP, width=4000, height=4000, fit=fit)
    with pytest.raises(PictureError, match="4000 × 4000 × 4 frames is 64000000 pixels"):
        convert(animation("GIF"), wanted)


@pytest.mark.parametrize("format", MOVING)
def test_every_frame_has_the_borders_or_is_cut(format: Format) -> None:
    data = animation("GIF")
    result = opened(
        convert(data, target(format, width=60, height=60, fit="contain", background="ff8000"))
    )
    frames, _ = frames_seen(result)
    assert len(frames) == 4
    for frame in frames:
        assert is_close(frame, (30, 4), (255, 128, 0))
        assert is_close(frame, (30, 56), (255, 128, 0))
    result = opened(convert(data, target(format, width=40, height=40, fit="cover")))
    frames, _ = frames_seen(result)
    for frame, wanted in zip(frames, moving_frames(), strict=True):
        assert frame.size == (40, 40)
        assert distance(frame, wanted.crop((20, 0, 100, 80)).resize((40, 40))) < 12


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format", STILL)
def test_of_an_animation_the_first_frame_is_taken(format: Format, kind: str) -> None:
    result = opened(convert(animation(kind), target(format)))
    assert frame_count(result) == 1
    assert distance(result, moving_frames()[0]) < 4
    small = opened(convert(animation(kind), target(format, width=60)))
    assert small.size == (60, 40)
    assert_corners(small.crop((12, 0, 60, 40)).crop((0, 12, 48, 40)).resize((60, 40)), by=60)


@pytest.mark.parametrize("format", MOVING)
def test_frames_that_are_transparent(format: Format) -> None:
    frames = []
    for number in range(4):
        frame = Image.new("RGBA", (80, 60), (0, 0, 0, 0))
        frame.paste((220, 30, 30, 255), (number * 20, 0, number * 20 + 20, 60))
        frames.append(frame)
    for kind in KINDS:
        data = encoded(
            frames[0], kind, save_all=True, append_images=frames[1:], duration=100, disposal=2
        )
        if kind == "WEBP":  # libwebp does not say it of a file like this one; see formats/webp
            data = data[:20] + bytes([data[20] | 0x10]) + data[21:]
        shown, _ = frames_seen(opened(convert(data, target(format))))
        assert len(shown) == len(frames)
        for number, frame in enumerate(shown):
            for column in range(4):
                alpha = pixel(frame, (column * 20 + 10, 30))[3]
                assert alpha == (255 if column == number else 0), (kind, number, column)


@pytest.mark.parametrize("format", MOVING)
def test_a_photograph_that_moves(format: Format) -> None:
    frames = [photo().rotate(angle) for angle in (0, 3, 6, 9)]
    data = animation("WEBP", frames=frames)
    shown, _ = frames_seen(opened(convert(data, target(format, 90))))
    for frame, wanted in zip(shown, frames, strict=True):
        assert distance(frame, wanted) < 12

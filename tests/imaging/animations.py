"""Animations whose frames, delays and loops are known, and what is seen of one."""

from __future__ import annotations

from typing import Any

from PIL import Image

from tests.imaging.samples import CORNERS, corners, frame_count
from tests.pictures import encoded

DELAYS = [100, 250, 20, 700]
"""Milliseconds; a GIF counts in hundredths of a second."""


def moving_frames(width: int = 120, height: int = 80) -> list[Image.Image]:
    """Each with a square of another colour, which moves to the right over four corners."""
    frames = []
    for number, colour in enumerate(CORNERS):
        frame = corners(width, height)
        left, side = number * width // 4, width // 6
        frame.paste(tuple(255 - value for value in colour), (left, 0, left + side, side))
        frames.append(frame)
    return frames


def animation(kind: str, loop: int = 3, frames: list[Image.Image] | None = None) -> bytes:
    frames = frames or moving_frames()
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    return encoded(
        frames[0],
        kind,
        save_all=True,
        append_images=frames[1:],
        duration=DELAYS,
        loop=loop,
        **options,
    )


def frames_seen(image: Image.Image) -> tuple[list[Image.Image], list[int]]:
    """The frames, as they are seen, and the milliseconds each is."""
    frames, delays = [], []
    for number in range(frame_count(image)):
        image.seek(number)
        image.load()
        frames.append(image.convert("RGBA").copy())
        delays.append(image.info["duration"])
    return frames, delays

"""The part of a picture that is kept where it has another shape than what is asked for."""

from __future__ import annotations

import pyvips


def best_window(
    image: pyvips.Image, aspect: float, *, finds_eye: bool
) -> tuple[int, int, int, int]:
    """Left, top, width and height of the largest part of this aspect ratio, width by height: the
    middle, or where the eye goes first."""
    width = max(1, min(image.width, round(image.height * aspect)))
    height = max(1, min(image.height, round(image.width / aspect)))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    if finds_eye and (width, height) != (image.width, image.height):
        _, eye = image.smartcrop(
            width, height, interesting="attention", attention_x=True, attention_y=True
        )
        left = min(max(0, eye["attention_x"] - width // 2), image.width - width)
        top = min(max(0, eye["attention_y"] - height // 2), image.height - height)
    return left, top, width, height

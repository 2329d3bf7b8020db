"""What Pillow computes of the pixels of several pictures."""

from __future__ import annotations

from typing import Any

from PIL import Image
from PIL.ImageMath import lambda_eval


def of(expression: Any, **images: Image.Image) -> Image.Image:
    """What Pillow computes of images, each by its name."""
    made: Image.Image = lambda_eval(expression, **images)
    return made

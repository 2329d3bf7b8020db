"""Without the border of one colour, or of nothing."""

from __future__ import annotations

import pyvips

from imaging.source import Source
from imaging.target import Target


def apply(source: Source, target: Target) -> Source:
    """All frames alike: what is left is all that differs from the first one's top left pixel in any
    of them. A picture that is its border and nothing else stays as it is."""
    amount = target.options.trim
    if amount is None:
        return source
    frames = source.each_frame()
    background = _seen(frames[0].crop(0, 0, 1, 1)).getpoint(0, 0)
    # Every pixel counts: libvips would leave out lines of one pixel as noise.
    boxes = [
        _seen(frame).find_trim(threshold=amount, background=background, line_art=True)
        for frame in frames
    ]
    boxes = [box for box in boxes if box[2] and box[3]]
    if not boxes:
        return source
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
    if (right - left, bottom - top) == source.size:
        return source
    return source.with_frames(
        [frame.crop(left, top, right - left, bottom - top) for frame in frames]
    )


def _seen(image: pyvips.Image) -> pyvips.Image:
    """The numbers to compare: whatever the colour of a clear pixel, it is not seen."""
    if not image.hasalpha():
        return image
    # As plain numbers, or libvips would lay them on the background.
    return image.premultiply().copy(interpretation="multiband")

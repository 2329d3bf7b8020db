"""ThumbHash (evanw.github.io/thumbhash): shape, colours and transparency in up to 25 bytes."""

from __future__ import annotations

from base64 import b64encode
from math import floor

from imaging.placeholders.waves import Plane, waves

_MIDDLE = 0.5


def thumbhash(width: int, height: int, rgba: bytes) -> str:
    """The hash, in base64.

    Args:
        width: pixels, 100 at most.
        height: as `width`.
        rgba: four bytes a pixel.
    """
    alphas = [value / 255 for value in rgba[3::4]]
    visible = sum(alphas)
    has_alpha = visible < width * height
    # What is clear counts as the mean of what is not.
    colours = []
    for band in range(3):
        values = [value / 255 * alpha for value, alpha in zip(rgba[band::4], alphas, strict=True)]
        mean = sum(values) / visible if visible else 0
        colours.append([v + mean * (1 - alpha) for v, alpha in zip(values, alphas, strict=True)])
    pixels = list(zip(*colours, strict=True))
    most, longest = (5 if has_alpha else 7), max(width, height)
    across = max(1, _round(most * width / longest))
    down = max(1, _round(most * height / longest))

    def rows(values: list[float]) -> Plane:
        return [values[at : at + width] for at in range(0, len(values), width)]

    light = _Channel(rows([(r + g + b) / 3 for r, g, b in pixels]), max(3, across), max(3, down))
    blue = _Channel(rows([(r + g) / 2 - b for r, g, b in pixels]), 3, 3)  # or yellow
    red = _Channel(rows([r - g for r, g, _ in pixels]), 3, 3)  # or green
    head = _round(63 * light.mean) | _round(31.5 + 31.5 * blue.mean) << 6
    head |= _round(31.5 + 31.5 * red.mean) << 12 | _round(31 * light.scale) << 18 | has_alpha << 23
    shape = (down if width > height else across) | (width > height) << 15
    shape |= _round(63 * blue.scale) << 3 | _round(63 * red.scale) << 9
    packed = head.to_bytes(3, "little") + shape.to_bytes(2, "little")
    channels = [light, blue, red]
    if has_alpha:
        alpha = _Channel(rows(alphas), 5, 5)
        packed += bytes([_round(15 * alpha.mean) | _round(15 * alpha.scale) << 4])
        channels.append(alpha)
    halves = [half for channel in channels for half in channel.halves()]
    halves += [0] * (len(halves) % 2)
    packed += bytes(low | high << 4 for low, high in zip(halves[::2], halves[1::2], strict=True))
    return b64encode(packed).decode()


class _Channel:
    """Its mean, its largest wave, and the waves in the corner of low frequencies."""

    def __init__(self, plane: Plane, across: int, down: int) -> None:
        found = waves(plane, across, down, _MIDDLE)
        self.mean = found[0][0]
        self._waves = [
            found[y][x]
            for y in range(down)
            for x in range(across)
            if (x or y) and x * down < across * (down - y)
        ]
        self.scale = max(map(abs, self._waves))

    def halves(self) -> list[int]:
        """Each wave in four bits."""
        scale = self.scale
        return [_round(7.5 + 7.5 * wave / scale) if scale else 0 for wave in self._waves]


def _round(value: float) -> int:
    """As JavaScript rounds, in which the reference is written."""
    return floor(value + 0.5)

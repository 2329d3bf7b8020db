"""Sizes and savings, as they are given and as they are shown."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNITS = {"": 1, "B": 1, "K": 1000, "KB": 1000, "M": 1000**2, "MB": 1000**2}
_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,6}(?=\s*[KkMm]))?)\s*([A-Za-z]*)")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)\s*%")


def parse_size(text: str) -> int:
    """The bytes that `200KB`, `1.5 MB` or `1000` mean: 1 KB is 1000, as in the option `max_bytes`.

    Raises:
        ValueError: if the text is no size, or has a part of a byte, as `1.5` has.
    """
    match = _SIZE.fullmatch(text.strip())
    unit = _UNITS.get(match[2].upper()) if match else None
    if match is None or unit is None or (size := int(float(match[1]) * unit)) < 1:
        raise ValueError(f"should be a size, such as 200KB (it is {text!r})")
    return size


@dataclass(frozen=True, slots=True)
class Savings:
    """The least that a result is to save."""

    percent: float = 0.0
    bytes: int = 0

    @classmethod
    def parse(cls, text: str) -> Savings:
        """`5%` of the original, or `10KB`.

        Raises:
            ValueError: if it is neither.
        """
        if match := _PERCENT.fullmatch(text.strip()):
            if (percent := float(match[1])) <= 100:
                return cls(percent=percent)
            raise ValueError(f"should be 100% at most (it is {text!r})")
        try:
            return cls(bytes=parse_size(text))
        except ValueError:
            raise ValueError(f"should be such as 5% or 10KB (it is {text!r})") from None

    def reached(self, before: int, after: int) -> bool:
        """Whether a result of `after` bytes saves so much."""
        saved = before - after
        return saved >= self.bytes and saved * 100 >= self.percent * before

    def __str__(self) -> str:
        return show_size(self.bytes) if self.bytes else f"{self.percent:g} %"


def show_size(size: int) -> str:
    """A size for people: `512 B`, `37.1 KB`, `2.0 MB`, of 1,000 and 1,000,000."""
    if size < 1000:
        return f"{size} B"
    value, units = size / 1000, ["MB", "GB"]
    unit = "KB"
    while units and round(value, 1) >= 1000:
        value, unit = value / 1000, units.pop(0)
    return f"{value:.1f} {unit}"


def show_change(before: int, after: int) -> str:
    """How much smaller a result is: `−76.6 %`, or `+2.0 %` if it is larger."""
    percent = 100 * (after - before) / max(1, before)
    return f"{'+' if percent > 0 else '−' if percent < 0 else ''}{abs(percent):.1f} %"

"""A section of the settings, and values that several sections use."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_UNITS = {"B": 0, "K": 1, "M": 2, "G": 3}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([BKMG]?)B?\s*", re.IGNORECASE)


class Section(BaseModel):
    """A section of config.yaml. The text below a setting is its line in docs/settings.md; values
    of a setting with `repr=False` are never shown."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def parse_size(value: object) -> int:
    """Bytes of a size such as `10MB`, `512 K` or `1048576`; K, M and G are powers of 1024.

    Raises:
        ValueError: if it is not a size.
    """
    match = _SIZE.fullmatch(str(value))
    if match is None:
        raise ValueError("should be a size such as 10MB, 512K or 1G")
    number, unit = match.groups()
    return int(float(number) * 1024 ** _UNITS[unit.upper() or "B"])


def blank_is_none(value: object) -> object:
    """None for an empty text: a variable that is passed on but not set."""
    return None if isinstance(value, str) and not value.strip() else value


Size = Annotated[int, BeforeValidator(parse_size), Field(gt=0)]
Text = Annotated[str | None, BeforeValidator(blank_is_none)]

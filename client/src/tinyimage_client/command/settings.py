"""What the command is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tinyimage_client.command.placement import InPlace, Placement
from tinyimage_client.command.sizes import Savings
from tinyimage_client.conversion import Conversion


class Overwrite(StrEnum):
    """Whether a file that is where a result goes is replaced."""

    ALL = "all"
    NEVER = "never"
    BIGGER = "bigger"  # if it is larger than the result


@dataclass(frozen=True, slots=True)
class Settings:
    """What is asked for, for all pictures."""

    conversion: Conversion
    placement: Placement
    overwrite: Overwrite = Overwrite.ALL
    min_savings: Savings | None = None
    keep_dates: bool = False
    dry_run: bool = False
    jobs: int = 8

    @property
    def in_place(self) -> bool:
        return isinstance(self.placement, InPlace)

    @property
    def resizes(self) -> bool:
        """Whether a result is wanted that is not the same picture in fewer bytes."""
        return not {"width", "height"}.isdisjoint(self.conversion.options)

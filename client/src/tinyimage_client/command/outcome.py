"""What has become of a picture, and of all."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tinyimage_client.command.names import shown
from tinyimage_client.command.sizes import show_change, show_size
from tinyimage_client.files import Version


class Status(StrEnum):
    """What has become of a picture."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"  # the result is there already
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of one picture."""

    path: Path
    status: Status
    target: Path | None = None
    before: int = 0
    after: int = 0
    """Bytes; 0 without a result."""
    sent: bool = False
    """Whether the picture was sent to the server."""
    code: str = ""
    """Why it was skipped or failed, for programs."""
    reason: str = ""
    """The same for people."""
    version: Version | None = None
    """Of the file that was written."""

    def to_json(self, *, dry_run: bool) -> str:
        """One line. What is not text in a path is a lone surrogate, as in Python."""
        told: dict[str, Any] = {"path": os.fspath(self.path), "status": self.status}
        if self.target is not None:
            told["target"] = os.fspath(self.target)
        if self.before:
            told["before"] = self.before
        if self.after:
            told |= {"after": self.after, "saved_percent": self.saved_percent}
        if self.status is not Status.FAILED:
            told["sent"] = self.sent
        if self.reason:
            told |= {"code": self.code, "reason": self.reason}
        if dry_run:
            told["dry_run"] = True
        return json.dumps(told)

    @property
    def saved_percent(self) -> float:
        return round(100 * (self.before - self.after) / max(1, self.before), 1)

    @property
    def is_larger(self) -> bool:
        """Whether the result has more bytes than the original."""
        return self.after > self.before

    def to_line(self, *, dry_run: bool) -> str:
        """One line for people."""
        name = shown(self.path)
        if self.status in (Status.FAILED, Status.SKIPPED):
            return f"{name}: {self.status}: {self.reason}"
        sizes = f"{show_size(self.before)} → {show_size(self.after)}"
        line = f"{sizes}  {show_change(self.before, self.after)}"
        if self.target is not None and self.target != self.path:
            name = f"{name} → {shown(self.target)}"
        if dry_run:
            line += "  (not written)"
        elif self.status is Status.UNCHANGED:
            line += "  (unchanged)"
        if self.is_larger:
            line += "  (larger than the original)"
        return f"{name}  {line}"


@dataclass
class Totals:
    """What has become of all pictures."""

    pictures: int = 0
    """With a result."""
    sent: int = 0
    skipped: int = 0
    failed: int = 0
    before: int = 0
    after: int = 0
    """Bytes of the pictures with a result."""
    larger: int = 0
    """Those whose result has more bytes than the original."""

    def add(self, outcome: Outcome) -> None:
        """Count a picture."""
        self.sent += outcome.sent
        if outcome.status is Status.FAILED:
            self.failed += 1
        elif outcome.status is Status.SKIPPED:
            self.skipped += 1
        else:
            self.pictures += 1
            self.before += outcome.before
            self.after += outcome.after
            self.larger += outcome.is_larger

    def to_line(self, *, dry_run: bool) -> str:
        """The summary for people."""
        parts = [f"{_count(self.pictures)}"]
        if self.pictures:
            sizes = f"{show_size(self.before)} → {show_size(self.after)}"
            parts[0] += f": {sizes}, {show_change(self.before, self.after)}"
            parts.append(f"{self.sent:,} sent")
        for count, what in ((self.skipped, "skipped"), (self.failed, "failed")):
            if count:
                parts.append(f"{count:,} {what}")
        if dry_run:
            parts.append("nothing is written")
        line = ", ".join(parts)
        return f"{line}\n{self._advice}" if self.larger else line

    @property
    def _advice(self) -> str:
        """What to do about results that are larger."""
        grown = "1 result is" if self.larger == 1 else f"{self.larger:,} results are"
        return (
            f"{grown} larger than the original: --min-savings 0% writes none such, and -f auto "
            "takes the format that gives the smallest file"
        )


def _count(pictures: int) -> str:
    return f"{pictures:,} picture{'' if pictures == 1 else 's'}"

"""What the user hears: a line for each picture, and the summary."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from tinyimage_client.command.outcome import Outcome, Status, Totals
from tinyimage_client.command.plan import Item
from tinyimage_client.link import rounded_up
from tinyimage_client.progress import Progress, Stage, Step, unheard
from tinyimage_client.way import WAIT_SECONDS

NOTE_SECONDS = 5.0
"""The least time between two lines that say that the server is busy."""


class Report:
    """Errors alone: `--quiet`. Also the base of the others."""

    wait_seconds = WAIT_SECONDS
    """How long the server may wait with each status."""

    def __init__(self, *, dry_run: bool, json: bool, quiet: bool) -> None:
        """
        Args:
            json: a line of JSON for each picture goes to standard output.
            quiet: people hear of failures alone.
        """
        self.totals = Totals()
        self._dry_run = dry_run
        self._json = json
        self._quiet = quiet

    def begin(self, pictures: int) -> None:
        """So many pictures are to be compressed, now or more than were known."""

    def start(self, item: Item) -> Progress:
        """A picture is begun. Returns what hears its steps."""
        return unheard

    def end(self, item: Item | None, outcome: Outcome) -> None:
        """A picture is done with, or never was one (item is None)."""
        self.totals.add(outcome)
        if self._json:
            _write(sys.stdout, outcome.to_json(dry_run=self._dry_run))
        elif not self._quiet or outcome.status is Status.FAILED:
            self._line(outcome)

    def note(self, text: str) -> None:
        """Something that concerns no single picture."""
        if not self._quiet:
            self._say(text)

    def fail(self, text: str) -> None:
        """Why all has to end."""
        self._say(f"tinyimage: {text}")

    def close(self) -> None:
        """All is done: the summary."""
        if not self._quiet and self.totals != Totals():
            self._say(self.totals.to_line(dry_run=self._dry_run))

    def _line(self, outcome: Outcome) -> None:
        self._say(outcome.to_line(dry_run=self._dry_run))

    def _say(self, text: str) -> None:
        _write(sys.stderr, text)


class Lines(Report):
    """Plain lines, where there is no terminal."""

    _noted = 0.0

    def start(self, item: Item) -> Progress:
        def hear(step: Step) -> None:
            now = time.monotonic()
            if step.stage is Stage.WAITING and now - self._noted > NOTE_SECONDS:
                self._noted = now
                self.note(waits(step))

        return hear


def waits(step: Step) -> str:
    """That the server is busy or away, for people."""
    return f"{step.reason}: again in {rounded_up(step.seconds)} s"


def _write(stream: TextIO, line: str) -> None:
    # In one piece, so that lines of several commands do not mix.
    stream.write(f"{line}\n")
    stream.flush()

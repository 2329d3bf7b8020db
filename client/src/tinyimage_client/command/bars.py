"""Bars on a terminal: one for the whole, and one for each picture in work."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from tinyimage_client.command.names import shown
from tinyimage_client.command.outcome import Outcome, Status
from tinyimage_client.command.plan import Item
from tinyimage_client.command.report import Report, waits
from tinyimage_client.command.sizes import show_change, show_size
from tinyimage_client.progress import Progress as Hears
from tinyimage_client.progress import Stage, Step
from tinyimage_client.way import SHOWN_SECONDS

REFRESHES = 5
"""A second. Each costs some milliseconds, which the server may need too."""

NAME_WIDTH = 32
BAR_WIDTH = 20


class _State(ProgressColumn):
    """What is said behind a bar."""

    def render(self, task: Task) -> Text:
        return Text(task.fields["state"], style="dim", overflow="ellipsis", no_wrap=True)


class Bars(Report):
    """Bars, and above them a line for each failure."""

    wait_seconds = SHOWN_SECONDS

    def __init__(self, console: Console, *, dry_run: bool, json: bool) -> None:
        super().__init__(dry_run=dry_run, json=json, quiet=False)
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(BAR_WIDTH),
            _State(),
            console=console,
            transient=True,
            refresh_per_second=REFRESHES,
        )
        self._pictures = self._ended = 0
        self._began = time.monotonic()
        self._whole = self._bars.add_task("", total=None, state="")
        self._tasks: dict[Item, TaskID] = {}

    def begin(self, pictures: int) -> None:
        self._pictures += pictures
        self._show_whole()
        self._bars.start()

    def start(self, item: Item) -> Hears:
        name = _shortened(shown(item.source.name))
        task = self._bars.add_task(name, total=1.0, state="")
        self._tasks[item] = task

        def hear(step: Step) -> None:
            share = step.done / step.total if step.total else 0.0
            done = share if step.stage is Stage.SENDING else 1.0
            self._bars.update(task, completed=done, state=_in_words(step))

        return hear

    def end(self, item: Item | None, outcome: Outcome) -> None:
        super().end(item, outcome)
        if item is not None:
            self._ended += 1
            if (task := self._tasks.pop(item, None)) is not None:
                self._bars.remove_task(task)
            self._show_whole()

    def close(self) -> None:
        self._bars.stop()
        super().close()

    def _line(self, outcome: Outcome) -> None:
        if outcome.status in (Status.FAILED, Status.SKIPPED):
            super()._line(outcome)

    def _say(self, text: str) -> None:
        # Above the bars, and whole: it may be copied.
        self._console.print(Text(text), soft_wrap=True)

    def _show_whole(self) -> None:
        totals = self.totals
        state = f"{show_size(totals.before)} → {show_size(totals.after)}"
        if totals.before:
            state += f", {show_change(totals.before, totals.after)}"
        if self._ended:
            left = (time.monotonic() - self._began) / self._ended * (self._pictures - self._ended)
            state += f", {_minutes(left)} left"
        self._bars.update(
            self._whole,
            description=f"{self._ended:,} of {self._pictures:,} pictures",
            completed=self._ended,
            total=self._pictures,
            state=state,
        )


def _in_words(step: Step) -> str:
    match step.stage:
        case Stage.SENDING:
            return f"sending, {show_size(step.done)} of {show_size(step.total)}"
        case Stage.QUEUED:
            return "in the queue" + (f", place {step.place:,}" if step.place else "")
        case Stage.WAITING:
            return waits(step)
        case _:
            return str(step.stage)


def _shortened(name: str) -> str:
    """A name that is as wide as names may be; its end tells files apart."""
    if len(name) <= NAME_WIDTH:
        return name
    return f"{name[: NAME_WIDTH // 2 - 1]}…{name[-(NAME_WIDTH // 2) :]}"


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"

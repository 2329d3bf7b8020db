"""Which files are compressed, and to where."""

from __future__ import annotations

import contextlib
import glob
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tinyimage_client.command.names import PICTURES, ending, has_sibling, possible, shown
from tinyimage_client.command.outcome import Outcome, Status
from tinyimage_client.command.placement import InPlace, Placement
from tinyimage_client.command.places import Places, Taken, folded
from tinyimage_client.errors import BadResult
from tinyimage_client.files import is_temporary

STALE_SECONDS = 3600.0
"""A temporary file of a command that was killed is deleted when it is so old."""


@dataclass(frozen=True, slots=True)
class Item:
    """A picture and the place of its result."""

    source: Path
    target: Path | None
    """None where the server chooses the format, until that is known."""
    by_format: Mapping[str, Path] = field(default_factory=dict, hash=False)
    """The places that it may be, where the server chooses the format."""

    @property
    def targets(self) -> tuple[Path, ...]:
        """All places that it may be."""
        return tuple(self.by_format.values()) if self.target is None else (self.target,)

    @property
    def rivals(self) -> Path:
        """What pictures have in common whose results may be in one place."""
        # Places by format differ in their endings alone.
        return self.targets[0].with_suffix("") if self.target is None else self.target

    @property
    def own_places(self) -> tuple[Path, ...]:
        """The places where what is there is its own result. Where the format is not known yet: none
        if another picture is beside it, whose result that may be as well."""
        is_open = self.target is None and any(map(os.path.lexists, self.targets))
        return () if is_open and has_sibling(self.source) else self.targets

    def place(self, format: str) -> Path:
        """Where a result of this format goes.

        Raises:
            BadResult: if that was not asked for.
        """
        if self.target is not None:
            return self.target
        if format not in self.by_format:
            raise BadResult(f"the result is of the format {format}")
        return self.by_format[format]


def item_of(source: Path, base: Path, placement: Placement, format: str) -> Item:
    """The picture with the place of its result.

    Args:
        base: the folder whose tree is kept.
        format: of the results.
    """
    names = possible(format)
    if not names:
        return Item(source, placement.target(source, base, format))
    return Item(source, None, {name: placement.target(source, base, name) for name in names})


@dataclass
class Plan:
    """All pictures, and what is wrong with the rest."""

    items: list[Item] = field(default_factory=list)
    others: list[Outcome] = field(default_factory=list)
    """Paths that are not pictures to compress."""
    places: Places = field(default_factory=Places)
    """Of the results. Where the server chooses the format, none is taken yet."""

    @property
    def groups(self) -> list[list[Item]]:
        """The pictures, those together whose results may be in one place: of these one is done
        after the other, so that it is always the same one that gets it."""
        groups: dict[str, list[Item]] = {}
        for item in self.items:
            groups.setdefault(folded(os.path.realpath(item.rivals)), []).append(item)
        return list(groups.values())


def make_plan(paths: Iterable[str], placement: Placement, format: str) -> Plan:
    """Look for the pictures.

    Args:
        paths: files, folders and patterns.
        format: of the results.
    """
    plan = Plan()
    found: dict[str, Path] = {}
    roots: list[Path] = []

    def take(path: Path) -> None:
        found.setdefault(os.path.normpath(path.absolute()), path)

    for path in _expanded(paths, plan):
        try:
            mode = path.stat().st_mode
        except OSError as error:
            plan.others.append(failed(path, error))
            continue
        if stat.S_ISDIR(mode):
            roots.append(path.absolute())
            for inner in walk(path, placement, plan.others):
                take(inner)
        elif stat.S_ISREG(mode):
            roots.append(path.absolute().parent)
            take(path)
        else:
            plan.others.append(no_file(path))
    base = Path(os.path.commonpath([os.path.normpath(root) for root in roots] or ["/"]))
    _place(plan, found.values(), placement, base, format)
    return plan


def walk(folder: Path, placement: Placement, others: list[Outcome]) -> Iterator[Path]:
    """The pictures below a folder by the endings of their names, without what is hidden, links to
    folders, and results of the placement."""
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        others.append(failed(folder, error))
        return
    for entry in listed:
        path = folder / entry.name
        if entry.name.startswith("."):
            if is_temporary(entry.name):
                _delete_stale(path)
        elif placement.is_own(path):
            continue
        elif entry.is_dir(follow_symlinks=False):
            yield from walk(path, placement, others)
        elif ending(entry.name) in PICTURES and not _is_folder(entry):
            yield path


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # as of a link that leads to itself, which is told when it is read
        return False


def failed(path: Path, error: OSError) -> Outcome:
    """The outcome of a path that cannot be read, or whose result cannot be written."""
    reason = (error.strerror or str(error)).lower()
    if isinstance(error.filename, str) and os.fspath(path) != error.filename:
        where = Path(error.filename)
        reason = f"{shown(where.parent if is_temporary(where.name) else where)}: {reason}"
    return Outcome(path, Status.FAILED, code="file_error", reason=reason)


def no_file(path: Path) -> Outcome:
    """The outcome of a named pipe, a device or a socket."""
    return Outcome(path, Status.FAILED, code="not_a_file", reason="not a regular file")


def _expanded(paths: Iterable[str], plan: Plan) -> Iterator[Path]:
    """The paths; what a pattern matches that no shell has expanded."""
    for text in paths:
        if os.path.lexists(text) or not glob.has_magic(text):
            yield Path(text)
        elif matches := sorted(glob.glob(text, recursive=True)):  # noqa: PTH207
            yield from map(Path, matches)
        else:
            outcome = Outcome(Path(text), Status.FAILED, code="no_match", reason="nothing matches")
            plan.others.append(outcome)


def _place(
    plan: Plan, sources: Iterable[Path], placement: Placement, base: Path, format: str
) -> None:
    """Give each picture its target, where the format is known: no two the same one, and none that
    is an original."""
    sources = list(sources)
    plan.places = Places(() if isinstance(placement, InPlace) else sources)
    for source in sources:
        item = item_of(source, base, placement, format)
        try:
            if item.target is not None:
                plan.places.take(item.target, source)
        except Taken as error:
            outcome = Outcome(
                *(source, Status.FAILED, item.target), code=error.code, reason=str(error)
            )
            plan.others.append(outcome)
        else:
            plan.items.append(item)


def _delete_stale(path: Path) -> None:
    with contextlib.suppress(OSError):
        if time.time() - path.lstat().st_mtime > STALE_SECONDS:
            path.unlink()

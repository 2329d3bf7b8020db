"""The same conversions by bare libvips: one warm process for each core, from file to file."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any, Self

from bench.errors import BenchError
from imaging.errors import PictureError
from imaging.formats import Format
from imaging.process.parent import die_with_parent
from imaging.target import Target
from workers.decoder.process import ENVIRONMENT

START_SECONDS = 120.0
"""How long the processes may take to load libvips and to convert the picture that warms them."""

PLAIN: dict[Format, dict[str, Any]] = {
    Format.JPG: {"Q": 80},
    Format.WEBP: {"Q": 80, "effort": 4},
    Format.PNG: {"palette": True},
}
"""What a user's own script would ask libvips's encoders for; a palette is searched with the effort
that the service has for the picture, so that it is the same work."""


@dataclass(frozen=True, slots=True)
class BareRun:
    """What one run over all pictures took."""

    seconds: float
    sizes: list[int]
    """Bytes of each result, in the order of the pictures."""


class BarePool:
    """Processes that do only the work of the service's decoders."""

    def __init__(self, processes: int, warm_up: Path, target: Target) -> None:
        """
        Args:
            warm_up: a picture that each process converts to `target` before it counts as ready.
        """
        # Spawned: libvips and fork do not mix, and a spawned process has nothing of ours in it.
        context = multiprocessing.get_context("spawn")
        self._target = target
        self._executor = ProcessPoolExecutor(
            processes,
            context,
            _start,
            (os.getpid(), context.Barrier(processes), warm_up, target),
        )
        try:
            with _variables(ENVIRONMENT):
                ready = list(self._executor.map(_ready, range(processes)))
        except (BrokenProcessPool, BrokenBarrierError):
            self._executor.shutdown()
            raise BenchError("bare libvips could not start; the lines above say why") from None
        self.pids = [pid for pid, _ in ready]
        self.libvips_version = ready[0][1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._executor.shutdown(cancel_futures=True)

    def pixels(self, pictures: Sequence[Path]) -> list[int]:
        """Pixels of each picture.

        Raises:
            BenchError: if one cannot be read.
        """
        return self._map(_pixels, pictures)

    def run(self, pictures: Sequence[Path], folder: Path) -> BareRun:
        """Convert all pictures into `folder`.

        Raises:
            BenchError: if one cannot be converted.
        """
        return self._timed(_convert, pictures, folder)

    def run_plain(self, pictures: Sequence[Path], folder: Path) -> BareRun:
        """As `run`, as a user's own script would: decode, and libvips's encoder as it comes.

        Raises:
            BenchError: if one cannot be converted.
        """
        return self._timed(_convert_plain, pictures, folder)

    def _timed(
        self, convert: Callable[..., int], pictures: Sequence[Path], folder: Path
    ) -> BareRun:
        job = partial(convert, target=self._target, folder=folder)
        began = time.perf_counter()
        sizes = self._map(job, pictures, range(len(pictures)))
        return BareRun(time.perf_counter() - began, sizes)

    def _map(self, job: Callable[..., int], *arguments: Iterable[Any]) -> list[int]:
        try:
            return list(self._executor.map(job, *arguments))
        except (PictureError, BrokenProcessPool, OSError) as error:
            raise BenchError(f"bare libvips: {error}") from None


@contextlib.contextmanager
def _variables(variables: dict[str, str]) -> Iterator[None]:
    """The environment of the processes started meanwhile: some of it counts from their first
    moment on, so that they cannot set it themselves."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


_barrier: Barrier | None = None


def _start(parent: int, barrier: Barrier, warm_up: Path, target: Target) -> None:
    """Configure and warm this process like the service's decoder."""
    global _barrier  # noqa: PLW0603 - what an initializer leaves for the jobs of its process
    _barrier = barrier
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the parent, which ends us

    import pyvips

    from imaging.convert import convert

    pyvips.cache_set_max(0)
    convert(warm_up.read_bytes(), target)


def _ready(number: int) -> tuple[int, str]:
    """This process's id and its libvips, once all processes are ready."""
    import pyvips

    assert _barrier is not None
    _barrier.wait(START_SECONDS)  # so each process gets exactly one of these
    return os.getpid(), ".".join(str(pyvips.version(part)) for part in range(3))


@contextlib.contextmanager
def _named(picture: Path) -> Iterator[None]:
    """Have an error say which picture it is about."""
    try:
        yield
    except PictureError as error:
        raise PictureError(f"{picture.name}: {error}") from None


def _pixels(picture: Path) -> int:
    """Pixels of the picture, from its header."""
    from imaging.decode import decode
    from imaging.limits import Limits

    with _named(picture):
        width, height = decode(picture.read_bytes(), Limits(sys.maxsize)).size
    return width * height


def _convert(picture: Path, number: int, *, target: Target, folder: Path) -> int:
    """Convert one file to another. Returns the bytes of the result."""
    from imaging.convert import convert

    with _named(picture):
        result = convert(picture.read_bytes(), target)
    return (folder / f"{number}.{target.format}").write_bytes(result)


def _convert_plain(picture: Path, number: int, *, target: Target, folder: Path) -> int:
    """Convert one file to another. Returns the bytes of the result."""
    import pyvips

    from imaging.write.palette import QUANTISER_EFFORTS
    from imaging.write.scale import within

    format = target.format
    try:
        image = pyvips.Image.new_from_file(str(picture), access="sequential")
        settings = PLAIN[format]
        if format is Format.PNG:
            pixels = image.width * image.height
            settings = settings | {"effort": within(QUANTISER_EFFORTS[target.effort], pixels)}
        data = image.write_to_buffer(f".{format}", **settings)
    except pyvips.Error as error:
        raise PictureError(f"{picture.name}: {error}") from None
    return (folder / f"{number}.{format}").write_bytes(data)

"""Two workers against one, with real pictures, beside the same for bare libvips."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from rq.job import Job
from rq.serializers import JSONSerializer

from app.core.picture import paths
from app.core.picture.conversion import Conversion
from app.core.picture.submission import Submission
from bench.bare import BarePool
from bench.errors import BenchError
from bench.fleet.report import Figure, megabytes, per_second, plain_bytes, ratio
from bench.fleet.site import Site, held
from bench.fleet.waiting import FILENAME, TOKEN
from bench.pictures import HEIGHT, TILE, WIDTH, make_photographs
from imaging.formats import Format
from imaging.limits import Limits
from imaging.quality import DEFAULT_QUALITY, parse_quality
from imaging.target import Target

COUNTS = {Format.JPG: 128, Format.WEBP: 32}
"""Pictures of a run: some seconds for one worker; with fewer, the last one of two would count."""

SIZES = {Format.PNG: 3, Format.AVIF: 4}
"""Of further formats, whose speed is measured with one worker once."""

WHOLE_SCALE = 0.1
"""From it on pictures have 3 megapixels. A smaller one is to show that it measures, and not what:
each picture is one tile."""

LEAST_RATIO = 1.85

RUN_SECONDS = 300.0
POLL_SECONDS = 0.02


class _Service:
    """So many workers on a Redis of their own, warm."""

    def __init__(self, site: Site, workers: int) -> None:
        self.site = site
        self.workers = site.workers(workers)
        self._numbers = iter(range(sys.maxsize))

    def run(self, pictures: Sequence[Path], format: Format) -> tuple[float, int]:
        """Convert them all.

        Returns:
            seconds from when all wait and the workers may begin to the end of the last, and the
            bytes of all results.
        """
        site = self.site
        conversions = []
        with held(self.workers):
            for picture in pictures:
                number = next(self._numbers)
                quality = parse_quality(DEFAULT_QUALITY, format)
                conversion = Conversion(f"{number:032x}", format, quality)
                site.put(paths.original(conversion, TOKEN), picture.read_bytes())
                site.queue.submit(conversion, Submission(FILENAME, 1), token=TOKEN)
                conversions.append(conversion)
            began = time.time()
        jobs = self._wait([conversion.job_id for conversion in conversions])
        ended = max(job.ended_at.timestamp() for job in jobs if job.ended_at)
        sizes = []
        for job in jobs:
            if "size_out" not in job.meta:
                raise BenchError(f"a picture has failed: {job.meta}")
            sizes.append(int(job.meta["size_out"]))
        return ended - began, sum(sizes)

    def memory(self) -> tuple[float, float]:
        """Bytes of a worker and of its decoder, on average, shared with nobody."""
        workers = [process.memory_full_info().uss for process in self.workers]
        decoders = [
            child.memory_full_info().uss
            for process in self.workers
            for child in process.children(recursive=True)
        ]
        return sum(workers) / len(workers), sum(decoders) / len(workers)

    def _wait(self, ids: list[str]) -> list[Job]:
        deadline = time.monotonic() + RUN_SECONDS
        last = ids[-1]
        while True:
            # The last to be taken is not the last to end, but nearly.
            if (job := self.site.queue.get(last)) and job.finished:
                found = Job.fetch_many(ids, self.site.connection, serializer=JSONSerializer)
                jobs = [job for job in found if job is not None and job.ended_at is not None]
                if len(jobs) == len(ids):
                    return jobs
            if time.monotonic() > deadline:
                raise BenchError("the workers take too long")
            time.sleep(POLL_SECONDS)


def measure(folder: Path, *, scale: float, repeat: int) -> list[Figure]:
    """The figures.

    Args:
        scale: share of `COUNTS`.
    """
    folder = folder / "scaling"
    folder.mkdir()
    width, height = (WIDTH, HEIGHT) if scale >= WHOLE_SCALE else (TILE, TILE)
    photographs = make_photographs(folder, 8, width=width, height=height)
    megapixels = f"{width * height / 10**6:.1f} megapixels"
    figures = []
    with Site(folder / "one") as first, Site(folder / "two") as second:
        first.web()  # idle, as is the other's
        one, two = _Service(first, 1), _Service(second, 2)
        for format, count in COUNTS.items():
            pictures = _many(photographs, max(4, round(scale * count)))
            figures += _compare(format, pictures, folder, (one, two), repeat)
        for format, count in SIZES.items():
            pictures = _many(photographs, max(1, round(scale * count)))
            one.run(pictures[:1], format)
            taken, size = one.run(pictures, format)
            figures.append(_speed(format, [len(pictures) / taken], size / len(pictures)))
        worker, decoder = two.memory()
    return [
        *figures,
        Figure("a worker", [worker], megabytes),
        Figure("its decoder", [decoder], megabytes, note=f"after pictures of {megapixels}"),
        Figure(
            "an original",
            [sum(path.stat().st_size for path in photographs) / len(photographs)],
            plain_bytes,
            note=megapixels,
        ),
    ]


def _compare(
    format: Format,
    pictures: Sequence[Path],
    folder: Path,
    services: tuple[_Service, _Service],
    repeat: int,
) -> list[Figure]:
    quality = parse_quality(DEFAULT_QUALITY, format)
    target = Target(format, quality, Limits())
    results = folder / "bare"
    results.mkdir(exist_ok=True)
    one, two = services
    ratios, bare_ratios, rates, shares = [], [], [], []
    size = 0
    with (
        BarePool(1, pictures[0], target) as bare_one,
        BarePool(2, pictures[0], target) as bare_two,
    ):
        for service in (one, two):
            service.run(pictures[: 2 * len(service.workers)], format)
        for number in range(repeat):
            seconds: dict[str, float] = {}
            runs = [("one", one), ("two", two)]
            # In turns, so that none has the machine always as the other has left it.
            for name, service in runs if number % 2 else reversed(runs):
                seconds[name], size = service.run(pictures, format)
                pool = bare_one if name == "one" else bare_two
                seconds[f"bare {name}"] = pool.run(pictures, results).seconds
            ratios.append(seconds["one"] / seconds["two"])
            bare_ratios.append(seconds["bare one"] / seconds["bare two"])
            rates.append(len(pictures) / seconds["one"])
            shares.append(seconds["bare two"] / seconds["two"])
            print(
                f"scaling {format} {number + 1}/{repeat}: {ratios[-1]:.2f}, "
                f"bare {bare_ratios[-1]:.2f}",
                file=sys.stderr,
                flush=True,
            )
    return [
        Figure(
            f"two workers / one, {format}",
            ratios,
            ratio,
            least=LEAST_RATIO,
            note=f"two do {median(shares):.2f} of two bare libvips",
        ),
        Figure(f"two bare libvips / one, {format}", bare_ratios, ratio),
        _speed(format, rates, size / len(pictures)),
    ]


def _speed(format: Format, rates: Sequence[float], size: float) -> Figure:
    return Figure(f"one worker, {format}", rates, per_second, note=f"{size:,.0f} B a result")


def _many(photographs: Sequence[Path], count: int) -> list[Path]:
    return [photographs[number % len(photographs)] for number in range(count)]

"""What `bench.speed` has measured, and its tables."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import mean, median

from bench.bare import BareRun
from bench.cpu import POOL, cpu_of_machine
from bench.load import ServiceRun
from bench.table import format_table, percentile
from imaging.formats import Format
from imaging.options import Effort

TO_REACH = {
    (Format.JPG, Effort.FAST): 0.70,
    (Format.JPG, Effort.BALANCED): 0.50,
    (Format.WEBP, Effort.FAST): 0.95,
    (Format.PNG, Effort.FAST): 0.90,
}
"""The ratio to libvips's plain encoder that the service is to have, at least."""

API_TO_REACH = 0.9
"""The ratio to /upload that another API is to have, at least."""

QUIET = 0.1
"""The share of the machine that the kernel's own work and a little else may take."""

CPU_KINDS = ("web", "worker", "decoder", "redis", "other", "client")


@dataclass(slots=True)
class Measured:
    """All runs of one format; a bare run and a service run of the same index belong together."""

    format: Format
    effort: Effort
    count: int
    bare: list[BareRun] = field(default_factory=list)
    service: list[ServiceRun] = field(default_factory=list)
    plain: list[BareRun] = field(default_factory=list)
    """By libvips's plain encoder, in the same turns."""
    peers: dict[str, list[ServiceRun]] = field(default_factory=dict)
    """By other servers, in the same turns."""
    other_api: list[ServiceRun] = field(default_factory=list)
    """Over another API of the service, in the same turns."""
    bare_cpu: Counter[str] = field(default_factory=Counter)
    """CPU milliseconds of all bare runs, by kind of process."""
    service_cpu: Counter[str] = field(default_factory=Counter)
    """CPU milliseconds of all service runs, by kind of process."""
    elsewhere: list[float] = field(default_factory=list)
    """For each run, the share of the machine that went to what is not measured here."""
    libvips_version: str = ""
    pixels: float = 0.0
    """Pixels of a picture, on average."""

    @property
    def ratios(self) -> list[float]:
        """Pictures a second through the service over those by bare libvips, for each repeat."""
        return [b.seconds / s.seconds for b, s in zip(self.bare, self.service, strict=True)]

    @property
    def plain_ratios(self) -> list[float]:
        """As `ratios`, over libvips's plain encoder."""
        return [p.seconds / s.seconds for p, s in zip(self.plain, self.service, strict=True)]

    @contextlib.contextmanager
    def watch(self, total: Counter[str], read: Callable[[], Counter[str]]) -> Iterator[None]:
        """Watch a run's CPU time.

        Args:
            total: what the run has used is added to it.
            read: CPU milliseconds so far of all that takes part.
        """
        began, machine, ours = time.perf_counter(), cpu_of_machine(), read()
        yield
        used = read() - ours
        total.update(used)
        others = cpu_of_machine() - machine - used.total()
        capacity = (time.perf_counter() - began) * 1000 * (os.cpu_count() or 1)
        self.elsewhere.append(max(0.0, others / capacity))


def progress(measured: Measured, repeat: int) -> str:
    """The last repeat in one line."""
    bare, service = measured.bare[-1].seconds, measured.service[-1].seconds
    return (
        f"{measured.format} {len(measured.bare)}/{repeat}: bare {measured.count / bare:.1f}/s, "
        f"service {measured.count / service:.1f}/s, ratio {measured.ratios[-1]:.2f}; "
        f"elsewhere {max(measured.elsewhere[-2:]):.0%}"
    )


def speed_table(results: Sequence[Measured]) -> str:
    """Pictures a second, ratios and latencies, a line for each format."""
    rows: list[tuple[str, ...]] = [
        ("", "", "pictures a second", "", "", "upload, ms", "", "whole way, ms", "", ""),
        ("format", "pictures", "bare", "service", "ratio", *("p50", "p99") * 2, "looks"),
    ]
    for measured in results:
        ways = [way for run in measured.service for way in run.ways]
        uploads = [way.upload * 1000 for way in ways]
        wholes = [way.whole * 1000 for way in ways]
        ratios = measured.ratios
        rows.append(
            (
                measured.format,
                str(measured.count),
                f"{measured.count / median(run.seconds for run in measured.bare):.1f}",
                f"{measured.count / median(run.seconds for run in measured.service):.1f}",
                _spread(ratios),
                *(f"{percentile(uploads, share):.0f}" for share in (50, 99)),
                *(f"{percentile(wholes, share):.0f}" for share in (50, 99)),
                f"{mean(way.looks for way in ways):.1f}",
            )
        )
    return format_table(rows)


def plain_table(results: Sequence[Measured]) -> str:
    """Pictures a second by libvips's plain encoder and by the service, and their ratio."""
    rows: list[tuple[str, ...]] = [
        ("format", "effort", "plain", "service", "ratio", "to reach", "")
    ]
    for measured in results:
        ratios = measured.plain_ratios
        least = TO_REACH.get((measured.format, measured.effort))
        verdict = "" if least is None else "reached" if median(ratios) >= least else "MISSED"
        rows.append(
            (
                measured.format,
                measured.effort,
                _rate(measured, measured.plain),
                _rate(measured, measured.service),
                _spread(ratios),
                "" if least is None else f"≥ {least:.2f}",
                verdict,
            )
        )
    return format_table(rows)


def api_table(results: Sequence[Measured], api: str) -> str:
    """Pictures a second over another API of the service and over /upload, and their ratio."""
    rows: list[tuple[str, ...]] = [("format", "effort", api, "/upload", "ratio", "to reach", "")]
    for measured in results:
        pairs = zip(measured.other_api, measured.service, strict=True)
        ratios = [upload.seconds / other.seconds for other, upload in pairs]
        rows.append(
            (
                measured.format,
                measured.effort,
                _rate(measured, measured.other_api),
                _rate(measured, measured.service),
                _spread(ratios),
                f"≥ {API_TO_REACH:.2f}",
                "reached" if median(ratios) >= API_TO_REACH else "MISSED",
            )
        )
    return format_table(rows)


def peers_table(results: Sequence[Measured]) -> str:
    """Pictures a second and bytes of other servers and of ours, a line for each format and peer."""
    rows: list[tuple[str, ...]] = [
        ("", "", "pictures a second", "", "", "bytes of a result", "", ""),
        ("format", "peer", "peer", "service", "ratio", "peer", "service", "ratio"),
    ]
    for measured in results:
        ours = _bytes(measured.service)
        for name, runs in measured.peers.items():
            theirs = _bytes(runs)
            rows.append(
                (
                    measured.format,
                    name,
                    _rate(measured, runs),
                    _rate(measured, measured.service),
                    _spread(
                        [p.seconds / s.seconds for p, s in zip(runs, measured.service, strict=True)]
                    ),
                    f"{theirs:,.0f}",
                    f"{ours:,.0f}",
                    f"{ours / theirs:.2f}",
                )
            )
    return format_table(rows)


def _rate(measured: Measured, runs: Sequence[BareRun | ServiceRun]) -> str:
    return f"{measured.count / median(run.seconds for run in runs):.1f}"


def _bytes(runs: Sequence[ServiceRun]) -> float:
    return mean(way.size for run in runs for way in run.ways)


def _spread(ratios: Sequence[float]) -> str:
    return f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def cpu_table(results: Sequence[Measured]) -> str:
    """CPU milliseconds a picture by kind of process, a line for each format."""
    rows: list[tuple[str, ...]] = [("format", "bare", "service", *CPU_KINDS)]
    for measured in results:
        pictures = measured.count * len(measured.service)
        milliseconds = (
            measured.bare_cpu[POOL],
            measured.service_cpu.total(),
            *(measured.service_cpu[kind] for kind in CPU_KINDS),
        )
        rows.append((measured.format, *(f"{ms / pictures:.1f}" for ms in milliseconds)))
    return format_table(rows)


def disturbance(results: Sequence[Measured]) -> str:
    """What to know if the machine had other things to do meanwhile; "" if it had not."""
    shares = [share for measured in results for share in measured.elsewhere]
    disturbed = sum(share > QUIET for share in shares)
    if not disturbed:
        return ""
    return (
        f"Disturbed: in {disturbed} of {len(shares)} runs something else had more than {QUIET:.0%} "
        f"of the machine (up to {max(shares):.0%})."
    )

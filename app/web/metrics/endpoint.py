"""/metrics for Prometheus: this web instance's own numbers, and the whole service's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from itertools import accumulate

import redis
from prometheus_client import Metric, exposition
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from redis.exceptions import RedisError
from sanic import Blueprint, HTTPResponse, Request
from sanic.response import raw

from app import __version__
from app.core.errors import Where
from app.core.jobs.counted.counts import BOUNDS, NO_ERROR, Counts
from app.core.jobs.counted.overview import Overview, look
from app.web.docs.operation import SERVER, Operation
from app.web.docs.responses import headers
from app.web.docs.routes import readable
from app.web.metrics.instruments import Instruments
from app.web.service.cached import Cached

logger = logging.getLogger(__name__)

FRESH_SECONDS = 1.0
"""The greatest age of the numbers of the whole service."""

PATIENCE = 2.0
"""Seconds that a scrape waits for Redis, which by default gives up after 10."""

OPENMETRICS = "application/openmetrics-text"

METRICS = Operation(
    name="get_metrics",
    tag=SERVER,
    summary="Metrics for Prometheus",
    description="In the text format of Prometheus, or as OpenMetrics if requested.",
    answers={
        "200": {
            "description": "The metrics.",
            "headers": headers(),
            "content": {
                media_type: {"schema": {"type": "string"}}
                for media_type in ("text/plain", OPENMETRICS)
            },
        },
    },
    where=Where.KEYED,
)

ALL = "; the same at every web instance"


class Metrics:
    """Puts the metrics together."""

    def __init__(self, instruments: Instruments, connection: redis.Redis) -> None:
        self._instruments = instruments
        self._overview = Cached(lambda: look(connection), seconds=FRESH_SECONDS, patience=PATIENCE)
        self._up = True

    async def show(self, accept: str) -> tuple[bytes, str]:
        """All metrics in the requested format. Without Redis only those of the instance.

        Returns:
            the text, and its content type.
        """
        overview = await self._look()
        shown = _Both(self._instruments.collector(), ServiceCollector(overview))
        if OPENMETRICS in accept:
            text = await asyncio.to_thread(openmetrics.generate_latest, shown)
            return text, openmetrics.CONTENT_TYPE_LATEST
        text = await asyncio.to_thread(exposition.generate_latest, shown)
        return text, exposition.CONTENT_TYPE_PLAIN_0_0_4

    async def _look(self) -> Overview | None:
        try:
            overview = await self._overview.get()
        except (TimeoutError, RedisError) as error:
            if self._up:
                logger.error("metrics: Redis: %s", error or "does not answer")
            self._up = False
            return None
        self._up = True
        return overview


class ServiceCollector(Collector):
    """The state of the whole service as metrics."""

    def __init__(self, overview: Overview | None) -> None:
        """
        Args:
            overview: None if Redis cannot be reached.
        """
        self._overview = overview

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("tinyimage_build", "The running version", {"version": __version__})
        yield GaugeMetricFamily(
            "tinyimage_redis_up",
            "Whether Redis has answered; if not, the metrics of the whole service are missing",
            self._overview is not None,
        )
        if self._overview is not None:
            yield from _state(self._overview)
            yield from _pictures(self._overview.counts)
            yield _compressions(self._overview.compressions)
            yield _deliveries(self._overview.counts)


class _Both(Collector):
    def __init__(self, *collectors: Collector) -> None:
        self._collectors = collectors

    def collect(self) -> Iterator[Metric]:
        for collector in self._collectors:
            yield from collector.collect()


def _state(overview: Overview) -> Iterator[Metric]:
    waiting = GaugeMetricFamily(
        "tinyimage_queue_jobs", f"Jobs waiting for a worker{ALL}", labels=("queue",)
    )
    oldest = GaugeMetricFamily(
        "tinyimage_queue_oldest_job_age_seconds",
        f"Seconds that the oldest job of the queue has waited, 0 in an empty queue{ALL}",
        labels=("queue",),
    )
    for queue in overview.queues:
        waiting.add_metric((queue.name,), queue.waiting)
        oldest.add_metric((queue.name,), queue.oldest_seconds)
    live = GaugeMetricFamily(
        "tinyimage_workers_live", f"Workers with a recent heartbeat{ALL}", labels=("kind",)
    )
    busy = GaugeMetricFamily(
        "tinyimage_workers_busy", f"Of these, workers with a job{ALL}", labels=("kind",)
    )
    for kind, workers in (
        ("pictures", overview.picture_workers),
        ("other", overview.other_workers),
    ):
        live.add_metric((kind,), workers.live)
        busy.add_metric((kind,), workers.busy)
    yield from (waiting, oldest, live, busy)


def _pictures(counts: Counts) -> Iterator[Metric]:
    pictures = CounterMetricFamily(
        "tinyimage_pictures_total",
        f"Ended conversions{ALL}",
        labels=("format", "outcome", "error"),
    )
    received = CounterMetricFamily(
        "tinyimage_picture_original_bytes_total",
        f"Bytes of the originals of successful conversions{ALL}",
        labels=("format",),
    )
    made = CounterMetricFamily(
        "tinyimage_picture_result_bytes_total",
        f"Bytes of the results of successful conversions{ALL}",
        labels=("format",),
    )
    saved = CounterMetricFamily(
        "tinyimage_picture_saved_bytes_total",
        f"Bytes saved by results that are smaller than their originals{ALL}",
        labels=("format",),
    )
    seconds = HistogramMetricFamily(
        "tinyimage_conversion_seconds",
        f"Duration of successful conversions, without waiting, reading and storing{ALL}",
        labels=("format",),
    )
    for format, done in sorted(counts.done.items()):
        pictures.add_metric((format, "done", NO_ERROR), done.count)
        received.add_metric((format,), done.bytes_in)
        made.add_metric((format,), done.bytes_out)
        saved.add_metric((format,), done.bytes_saved)
        bounds = [*map(floatToGoString, BOUNDS), "+Inf"]
        below = accumulate(done.buckets)
        seconds.add_metric(
            (format,), list(zip(bounds, below, strict=True)), done.milliseconds / 1000
        )
    for (format, error), count in sorted(counts.failed.items()):
        pictures.add_metric((format, "failed", error), count)
    for format, count in sorted(counts.withdrawn.items()):
        pictures.add_metric((format, "withdrawn", NO_ERROR), count)
    restarts = CounterMetricFamily(
        "tinyimage_decoder_restarts_total",
        f"Replaced decoders{ALL}",
        labels=("reason",),
    )
    yield from (pictures, received, made, saved, seconds, _with_each(restarts, counts.restarts))


def _compressions(by_key: Mapping[str, int]) -> Metric:
    compressions = GaugeMetricFamily(
        "tinyimage_tinify_compressions",
        f"Compressions of this month (UTC) over the Tinify API, by the name of the key{ALL}",
        labels=("key",),
    )
    return _with_each(compressions, dict(sorted(by_key.items())))


def _deliveries(counts: Counts) -> Metric:
    deliveries = CounterMetricFamily(
        "tinyimage_webhook_tries_total",
        f"Tries to deliver messages to webhooks{ALL}",
        labels=("outcome",),
    )
    return _with_each(deliveries, counts.deliveries)


def _with_each(
    family: CounterMetricFamily | GaugeMetricFamily, counts: Mapping[str, int]
) -> Metric:
    """The family of one label, with the count of each of its values."""
    for value, count in counts.items():
        family.add_metric((value,), count)
    return family


def metrics_blueprint(metrics: Metrics) -> Blueprint:
    blueprint = Blueprint("metrics")

    @readable(blueprint, "/metrics", METRICS)
    async def show(request: Request) -> HTTPResponse:
        text, content_type = await metrics.show(request.headers.get("accept", ""))
        return raw(text, content_type=content_type)

    return blueprint

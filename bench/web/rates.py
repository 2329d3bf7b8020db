"""Answers a second of one kind, by one web process that does nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import psutil

from bench.client import encode_form
from bench.cpu import cpu_of_service
from bench.errors import BenchError
from bench.fleet.report import Figure
from bench.server import Server
from bench.web.bare_sanic import BareSanic
from bench.web.drive import Driven, Driver
from bench.web.pictures import noise
from bench.web.talk import HttpTalk, get_request, upload_request
from bench.web.trivial import TrivialServer

DOWNLOAD_SIZE = 260_000
UPLOAD_SIZE = 50_000
"""Bytes."""

ATTEMPTS = 8
"""At a picture whose result has that size."""

STATUSES, DOWNLOADS, UNCHANGED, UPLOADS = 4000.0, 3000.0, 4000.0, 2500.0
"""Answers a second that are to be reached."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked again and again."""

    what: str
    request: bytes
    status: int
    least: float | None


def measure_client(driver: Driver, *, seconds: float, repeat: int) -> list[Figure]:
    """The same client against a server that costs next to nothing."""
    figures = []
    for what, size in (("small", 200), (f"of {DOWNLOAD_SIZE // 1000} KB", DOWNLOAD_SIZE)):
        with TrivialServer(size) as server:
            request = get_request("/")
            runs = [driver.run(server.port, [request], 200, seconds) for _ in range(repeat)]
        figures.append(_figure(f"the client alone, answers {what}", runs, None, {}))
    return figures


def measure_bare(driver: Driver, *, seconds: float, repeat: int) -> list[Figure]:
    """Sanic alone: the most that any route of this server can reach."""
    with BareSanic() as server:
        request = get_request("/")
        driver.run(server.port, [request], 200, min(0.5, seconds))  # warms it
        process = psutil.Process(server.pid)
        before = process.cpu_times()
        runs = [driver.run(server.port, [request], 200, seconds) for _ in range(repeat)]
        after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    return [
        _figure("a bare Sanic route", runs, None, {"web": used / sum(run.answers for run in runs)})
    ]


class Rates:
    """One server and what is asked of it."""

    def __init__(self, server: Server, driver: Driver, *, seconds: float, repeat: int) -> None:
        self._pid = server.pid
        self._port = server.port
        self._driver = driver
        self._seconds = seconds
        self._repeat = repeat

    def question(self, name: str) -> Question:
        """One of `QUESTIONS`, about pictures that are converted for it."""
        return self.QUESTIONS[name](self)

    def ask(self, name: str) -> list[Figure]:
        """How often one of `QUESTIONS` is answered in a second, and what an answer takes."""
        question = self.question(name)
        self._run(question, min(0.5, self._seconds))  # warms it
        before = cpu_of_service(self._pid)
        runs = [self._run(question, self._seconds) for _ in range(self._repeat)]
        used = cpu_of_service(self._pid) - before
        answers = sum(run.answers for run in runs)
        costs = {kind: used[kind] / 1000 / answers for kind in ("web", "redis")}
        return [_figure(question.what, runs, question.least, costs)]

    def cost(self, question: Question) -> float:
        """CPU seconds of the web for an answer, in one run."""
        before = cpu_of_service(self._pid)
        answers = self._run(question, self._seconds).answers
        return (cpu_of_service(self._pid) - before)["web"] / 1000 / answers

    def _run(self, question: Question, seconds: float) -> Driven:
        return self._driver.run(self._port, [question.request], question.status, seconds)

    def _about(self) -> Question:
        """`/`, for which nothing is asked of Redis: what every request costs."""
        return Question("/", get_request("/"), 200, None)

    def _status(self) -> Question:
        """`/status` of a picture that is done."""
        md5 = self._convert(noise(2_000), "webp")
        return Question("/status", get_request(f"/status/{md5}"), 200, STATUSES)

    def _download(self) -> Question:
        """`/download` of a whole result."""
        size = f"{DOWNLOAD_SIZE // 1000} KB"
        return Question(f"/download of {size}", get_request(self._result), 200, DOWNLOADS)

    def _unchanged(self) -> Question:
        """`/download` of a result that the client has."""
        path = self._result
        with HttpTalk(self._port) as talk:
            etag = talk.ask(get_request(path), 200).header("etag")
        request = get_request(path, **{"If-None-Match": etag})
        return Question("/download, 304", request, 304, UNCHANGED)

    def _repeat_upload(self) -> Question:
        """An upload of what is done."""
        picture = noise(UPLOAD_SIZE)
        self._convert(picture, "webp")
        request = upload_request(encode_form("a.png", picture, {"format": "webp"}))
        what = f"repeat upload of {len(picture) // 1000} KB"
        return Question(what, request, 200, UPLOADS)

    @cached_property
    def _result(self) -> str:
        """The path of a result of about `DOWNLOAD_SIZE` bytes."""
        size = DOWNLOAD_SIZE
        with HttpTalk(self._port) as talk:
            for _ in range(ATTEMPTS):
                path = f"/download/{self._convert(noise(size), 'jpg')}?format=jpg"
                found = len(talk.ask(get_request(path), 200).body)
                if abs(found - DOWNLOAD_SIZE) < DOWNLOAD_SIZE // 50:
                    return path
                size = size * DOWNLOAD_SIZE // found
        raise BenchError(f"no picture has a result of about {DOWNLOAD_SIZE} bytes")

    def _convert(self, picture: bytes, format: str) -> str:
        """The MD5 of the picture, once it is done."""
        md5 = hashlib.md5(picture).hexdigest()
        form = encode_form("a.png", picture, {"format": format, "quality": "80"})
        with HttpTalk(self._port) as talk:
            talk.ask(upload_request(form), 202)
            talk.wait(md5)
        return md5

    QUESTIONS: ClassVar[Mapping[str, Callable[[Rates], Question]]] = {
        "about": _about,
        "status": _status,
        "download": _download,
        "unchanged": _unchanged,
        "repeat": _repeat_upload,
    }
    """What can be asked, by its name."""


def _figure(
    what: str, runs: Sequence[Driven], least: float | None, costs: Mapping[str, float]
) -> Figure:
    costs = {**costs, "client": sum(run.cpu for run in runs) / sum(run.answers for run in runs)}
    shares = ", ".join(f"{kind} {cost * 1e6:.0f}" for kind, cost in costs.items())
    note = f"CPU of an answer, µs: {shares}"
    return Figure(what, [run.rate for run in runs], _rate, least=least, note=note)


def _rate(value: float) -> str:
    return f"{value:,.0f}/s"

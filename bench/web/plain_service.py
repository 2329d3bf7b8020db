"""The simplest service of Sanic, RQ, Redis and libvips; it shares no code of the real one."""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import socket
from collections import Counter
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, Self

import psutil
import redis
from rq import Queue
from rq.job import Job, JobStatus
from sanic import HTTPResponse, Request, Sanic
from sanic.response import json, raw

from app.run.embedded import EmbeddedRedis
from bench.cpu import milliseconds_of, milliseconds_of_ended
from bench.launch import HOST
from bench.web.plain_worker import QUEUE, convert, work, write_synced
from imaging.process.parent import die_with_parent

STATES = {JobStatus.FINISHED: "done", JobStatus.FAILED: "failed"}


class PlainService:
    """A web process, workers and a Redis. It answers an upload, a look and a download as the API
    does, as far as `bench.load` reads an answer; nothing is checked, limited, logged or told."""

    def __init__(self, folder: Path, workers: int, *, forking: bool = False) -> None:
        """
        Args:
            folder: an empty one for its own.
            forking: whether a worker forks for each picture, which is RQ's default.
        """
        self._redis = EmbeddedRedis(folder / "data")
        self._redis.lock()
        self._redis.start()
        context = multiprocessing.get_context("spawn")
        # It listens before the server runs, so that nobody waits for that.
        self._socket = socket.create_server((HOST, 0))
        self.port = int(self._socket.getsockname()[1])
        self._pipe, theirs = context.Pipe()
        url, parent = self._redis.url, os.getpid()
        self._web = context.Process(target=_serve, args=(parent, self._socket, url, folder, theirs))
        self._workers = [
            context.Process(target=work, args=(parent, url, forking)) for _ in range(workers)
        ]
        for process in (self._web, *self._workers):
            process.start()
        theirs.close()

    def __enter__(self) -> Self:
        self._pipe.recv()
        return self

    def __exit__(self, *error: object) -> None:
        for process in (self._web, *self._workers):
            process.kill()  # at once: nothing of it is kept
            process.join()
        self._socket.close()
        self._redis.stop(1)

    def cpu(self) -> Counter[str]:
        """CPU milliseconds so far of its processes, with those that workers have forked."""
        assert self._redis.process
        pids: dict[str, list[int | None]] = {
            "web": [self._web.pid],
            "worker": [worker.pid for worker in self._workers],
            "redis": [self._redis.process.pid],
        }
        used: Counter[str] = Counter()
        for kind, ids in pids.items():
            for process in map(psutil.Process, ids):
                used[kind] += milliseconds_of(process) + milliseconds_of_ended(process)
        return used


def _serve(parent: int, sock: socket.socket, url: str, folder: Path, pipe: Pipe) -> None:
    die_with_parent(parent)
    app = Sanic[Any, Any]("plain", configure_logging=False)
    connection = redis.Redis.from_url(url)
    queue = Queue(QUEUE, connection=connection)

    def accept(md5: str, data: bytes) -> None:
        source = folder / f"{md5}.original"
        write_synced(source, data)
        queue.enqueue(convert, str(source), str(folder / f"{md5}.webp"), job_id=md5)

    @app.post("/upload")
    async def upload(request: Request) -> HTTPResponse:
        assert request.files
        file = request.files["picture"][0]
        md5 = hashlib.md5(file.body).hexdigest()
        await asyncio.to_thread(accept, md5, file.body)
        return json({"md5": md5}, 202)

    @app.get("/status/<md5:str>")
    async def status(request: Request, md5: str) -> HTTPResponse:
        state = Job.fetch(md5, connection=connection).get_status(refresh=False)
        return json([{"status": STATES.get(state, "processing")}])

    @app.get("/download/<md5:str>")
    async def download(request: Request, md5: str) -> HTTPResponse:
        return raw((folder / f"{md5}.webp").read_bytes(), content_type="image/webp")

    @app.after_server_start
    async def tell(app: object) -> None:
        pipe.send(None)

    app.prepare(sock=sock, single_process=True, motd=False, access_log=False)
    Sanic.serve_single(app)

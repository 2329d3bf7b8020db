"""Workers that are killed, stopped and replaced; the jobs they had in hand."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import psutil
import redis
from rq import Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from websockets.sync.client import connect

from app.core.jobs import keys
from app.core.picture.priority import Priority
from bench.hostile import png_promise
from bench.launch import ROOT
from tests import rq_keys
from tests.pictures import as_format, large, md5, photograph, snapshot, unique
from tests.service import Client, Process, environment, is_decoder, service, until
from tests.web.sockets import answers, message

ONE_WORKER: dict[str, Any] = {"WORKERS__QUEUES": "interactive,bulk"}
"""Settings of a pool that is one worker and its decoder, without one of the maintenance."""


def _meta(connection: redis.Redis, job_id: str) -> dict[str, Any]:
    job = Job.fetch(job_id, connection=connection, serializer=JSONSerializer)
    return dict(job.get_meta())


def _workers(pool: Process) -> list[psutil.Process]:
    """The worker processes of a pool."""
    return list(psutil.Process(pool.pid).children())


def _asked_to_stop(connection: redis.Redis) -> bool:
    """Whether a worker has begun its warm stop."""
    return any(
        connection.hexists(name, "shutdown_requested_date")
        for name in connection.scan_iter(rq_keys.worker("*"), _type="hash")
    )


def _told_within_a_second(connection: redis.Redis) -> bool:
    """Whether a worker was told to stop in the last second."""
    told = [
        datetime.fromisoformat(cast(bytes, date).decode())
        for name in connection.scan_iter(rq_keys.worker("*"), _type="hash")
        if (date := connection.hget(name, "shutdown_requested_date"))
    ]
    return datetime.now(UTC) - max(told) < timedelta(seconds=1)


def _is_busy(connection: redis.Redis, job_id: str) -> bool:
    return connection.hget(rq_keys.job(job_id), "status") == b"started"


def _in_hand(
    web: Client, pool: Process, connection: redis.Redis
) -> tuple[psutil.Process, str, str]:
    """The decoder of a pool that has one, frozen with a picture in hand; the picture's MD5 and the
    id of its job."""
    (decoder,) = pool.freeze(1)
    data = unique(large(100, 100))
    picture, job_id = md5(data), f"{md5(data)}-png-0"
    web.upload(data, "png")
    until(lambda: _is_busy(connection, job_id), what="the job is started")
    return decoder, picture, job_id


def test_stock_rq_worker_and_rq_info_work_on_the_queue(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    data = snapshot()
    web.upload(data, "jpg", quality="40")
    rq = [sys.executable, "-m", "rq.cli"]
    env = environment(folder, REDIS__URL=redis_url)
    subprocess.run(
        [*rq, "worker", "--burst", "--serializer", "json", "--url", redis_url, *keys.QUEUES],
        cwd=ROOT,
        env=env,
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert [job["status"] for job in web.wait(md5(data))] == ["done"]
    assert web.download(md5(data)).status_code == 200
    info = subprocess.run(
        [*rq, "info", "--raw", "--url", redis_url],
        cwd=ROOT,
        env=env,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    assert "queue interactive 0" in info


def test_what_a_job_became_stands_in_its_meta(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    pool = Process(["workers"], environment(folder, REDIS__URL=redis_url))
    try:
        data, broken = unique(photograph("coffee")), unique(photograph("astronaut")[:100])
        web.upload(data, "jpg", quality="40", filename="coffee.png")
        web.upload(broken, "webp", filename="broken.png")
        web.wait(md5(data))
        web.wait(md5(broken))
        meta = _meta(connection, f"{md5(data)}-jpg-40")
        assert meta.pop("milliseconds") > 1
        assert meta == {
            "filename": "coffee.png",
            "format": "jpg",
            "quality": 40,
            "size_in": len(data),
            "size_out": len(web.download(md5(data)).content),
            "media_type": "image/png",
            "measures": {"original": [600, 400], "result": [600, 400]},
        }
        failed = _meta(connection, f"{md5(broken)}-webp-0")
        assert "cannot be read" in failed["error"]
        assert failed["error_code"] == "processing_failed"
    finally:
        assert pool.terminate() == 0


def test_a_bomb_fails_with_the_limit_that_it_tripped(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    env = environment(folder, REDIS__URL=redis_url, LIMITS__MAX_SIDE=600)
    pool = Process(["workers"], env)
    try:
        bomb, wide = unique(png_promise()), unique(photograph("rocket"))
        for data in (bomb, wide):
            assert web.upload(data, "webp", filename="bomb.png").status_code == 202
        assert [job["status"] for job in web.wait(md5(bomb)) + web.wait(md5(wide))] == [
            "failed"
        ] * 2
        reasons = {}
        for data in (bomb, wide):
            meta = _meta(connection, f"{md5(data)}-webp-0")
            assert meta["error_code"] == "too_many_pixels"
            reasons[data] = meta["error"]
        assert reasons[bomb].endswith("pixels, more than the 50000000 allowed")
        assert reasons[wide].endswith("a side of 640 pixels, more than the 600 allowed")
    finally:
        assert pool.terminate() == 0
    assert sum("(too_many_pixels)" in line for line in pool.log) == 2


def test_a_picture_that_cannot_be_read_is_one_line_in_the_log(
    web: Client, redis_url: str, folder: Path
) -> None:
    pool = Process(["workers"], environment(folder, REDIS__URL=redis_url))
    try:
        broken = unique(photograph("astronaut")[:100])
        web.upload(broken, "webp", filename="broken.png")
        web.wait(md5(broken))
    finally:
        assert pool.terminate() == 0
    (line,) = pool.log
    assert "broken.png → webp: failed: " in line


def test_an_error_that_nobody_foresaw_is_logged_with_its_traceback(
    redis_url: str, connection: redis.Redis, tmp_path: Path
) -> None:
    queue = Queue(Priority.INTERACTIVE.value, connection=connection, serializer=JSONSerializer)
    # As no server of ours would enqueue it.
    job = queue.enqueue(keys.CONVERT_FUNCTION, kwargs={"conversion": {}})
    pool = Process(["workers"], environment(tmp_path, REDIS__URL=redis_url))
    try:
        until(lambda: job.get_status() == JobStatus.FAILED, what="the job is failed")
    finally:
        assert pool.terminate() == 0
    assert any("Traceback" in line for line in pool.log)
    assert any("convert() missing 2 required" in line for line in pool.log)


def test_a_killed_worker_is_replaced_and_its_picture_goes_on(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    env = environment(folder, REDIS__URL=redis_url, **ONE_WORKER)
    pool = Process(["workers"], env)
    try:
        decoder, picture, _ = _in_hand(web, pool, connection)
        (worker,) = _workers(pool)
        worker.kill()
        until(lambda: not decoder.is_running(), 5, "the decoder ends with its worker")
        until(lambda: [w for w in _workers(pool) if w.pid != worker.pid], 10, "a new worker")
        assert [job["status"] for job in web.wait(picture, 60)] == ["done"]
    finally:
        assert pool.terminate() == 0


def test_workers_die_with_their_pool(redis_url: str, tmp_path: Path) -> None:
    env = environment(tmp_path, REDIS__URL=redis_url, UPLOAD__MAX_CONCURRENT_TASKS=2)
    pool = Process(["workers"], env)
    try:
        until(lambda: len(pool.family()) == 2 + 2 * 2, what="all have started")
        family = pool.family()
        family[0].kill()
        psutil.wait_procs(family, timeout=10)
        assert [process for process in family if process.is_running()] == []
    finally:
        pool.destroy()


def test_a_crash_of_the_decoder_is_tried_once_more_and_then_failed(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    env = environment(folder, REDIS__URL=redis_url, **ONE_WORKER)
    pool = Process(["workers"], env)
    try:
        pool.freeze(1)
        (worker,) = _workers(pool)
        data = unique(large(2400, 2400))
        job_id = f"{md5(data)}-png-0"

        def failed() -> bool:
            """Kill the decoder, again and again: one without a picture in hand does not count."""
            if _is_busy(connection, job_id):
                for decoder in filter(is_decoder, worker.children()):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        decoder.kill()
            return bool(web.status(md5(data))[0]["status"] == "failed")

        web.upload(data, "png")
        until(failed, what="the job is failed")
        assert _meta(connection, job_id)["crashes"] == 2
        (told,) = web.http.get(f"/status/{md5(data)}?details=true").json()
        assert told["error"] == {
            "code": "processing_failed",
            "message": "the picture crashed the decoder 2 times",
        }
        assert _workers(pool) == [worker]  # it cost the worker nothing but a decoder
        small = snapshot()
        web.upload(small)
        assert [job["status"] for job in web.wait(md5(small))] == ["done"]
    finally:
        assert pool.terminate() == 0


def test_a_picture_that_takes_too_long_fails_with_the_reason(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    env = environment(folder, REDIS__URL=redis_url, LIMITS__CONVERSION_TIMEOUT=1)
    pool = Process(["workers"], env)
    try:
        pool.freeze(1)
        data = unique(large(100, 100))
        web.upload(data, "png")
        assert [job["status"] for job in web.wait(md5(data))] == ["failed"]
        (told,) = web.http.get(f"/status/{md5(data)}?details=true").json()
        assert told["error"]["message"] == "the conversion took longer than 1 s"
        assert told["error"]["code"] == "interrupted"
        assert _meta(connection, f"{md5(data)}-png-0")["error"] == told["error"]["message"]
    finally:
        assert pool.terminate() == 0


def test_a_worker_told_to_stop_finishes_its_picture(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    env = environment(folder, REDIS__URL=redis_url, **ONE_WORKER)
    pool = Process(["workers"], env)
    decoder, picture, _ = _in_hand(web, pool, connection)
    pool.send_signal(signal.SIGTERM)
    until(lambda: _asked_to_stop(connection), what="the worker knows")
    decoder.resume()
    assert pool.wait() == 0
    assert [job["status"] for job in web.status(picture)] == ["done"]


def test_a_picture_that_a_stopping_worker_cannot_finish_is_put_back(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    env = environment(folder, REDIS__URL=redis_url, **ONE_WORKER)
    pool = Process(["workers"], env)
    _, picture, job_id = _in_hand(web, pool, connection)
    assert pool.terminate() == 0
    assert [job["status"] for job in web.status(picture)] == ["queued"]
    job = Job.fetch(job_id, connection=connection, serializer=JSONSerializer)
    assert job.retries_left == 3  # it was not the picture's fault


def test_a_job_lost_on_its_way_to_a_worker_is_put_back(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    data = snapshot()
    web.upload(data)
    # A worker takes it and dies before it has begun.
    assert connection.lmove(rq_keys.queue("interactive"), rq_keys.intermediate("interactive"))
    pool = Process(["workers"], environment(folder, REDIS__URL=redis_url))
    try:
        assert [job["status"] for job in web.wait(md5(data), 60)] == ["done"]
    finally:
        assert pool.terminate() == 0


def test_cleanup_deletes_what_is_older_than_max_age_and_all_answers_agree(tmp_path: Path) -> None:
    # A max_age of 2 s, which no setting in hours shows well.
    with service(tmp_path, UPLOAD__MAX_AGE=2 / 3600, CLEANUP__INTERVAL=1) as server:
        client = Client(server.url)
        data = snapshot()
        assert client.upload(data).status_code == 202
        client.wait(md5(data))
        assert client.upload(data).status_code == 200
        until(lambda: client.status(md5(data)) == [], what="the cleanup")
        assert client.download(md5(data)).status_code == 404
        assert client.http.get(f"/queue/{md5(data)}").status_code == 404
        until(lambda: not server.stored("originals") and not server.stored("results"))
        assert client.upload(data).status_code == 202
        client.wait(md5(data))


def test_events_reach_a_socket_whatever_machine_the_worker_is_on(
    web: Client, redis_url: str, folder: Path
) -> None:
    """Web and worker share a Redis and a storage, and nothing else."""
    pool = Process(["workers"], environment(folder, REDIS__URL=redis_url))
    try:
        ws_url = str(web.http.base_url).rstrip("/").replace("http", "ws") + "/ws"
        with connect(ws_url, max_size=None) as ws:
            ws.send(message(snapshot()))
            assert [a["status"] for a in answers(ws, 1)] == ["queued", "processing", "done"]
    finally:
        assert pool.terminate() == 0


def test_signals_that_come_one_upon_the_other_stop_a_worker_without_a_traceback(
    redis_url: str, connection: redis.Redis, tmp_path: Path
) -> None:
    """As when a platform signals every process, and the pool its workers."""
    count = 4  # of which one at least is met in the middle of its handler
    env = environment(tmp_path, REDIS__URL=redis_url, UPLOAD__MAX_CONCURRENT_TASKS=count)
    pool = Process(["workers"], env)
    try:
        until(lambda: connection.scard(rq_keys.WORKERS) == count + 1, what="the workers wait")
        # The pool is reached last, and not before: it would start what has ended again.
        pool.send_signal(signal.SIGSTOP)
        for worker in _workers(pool):
            while worker.status() != psutil.STATUS_ZOMBIE:
                for sig in (signal.SIGTERM, signal.SIGINT) * 20:
                    os.kill(worker.pid, sig)
    finally:
        pool.send_signal(signal.SIGTERM)
        pool.send_signal(signal.SIGCONT)
        assert pool.wait() == 0
    assert pool.log == []


def test_a_second_signal_does_not_end_the_picture_in_hand(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    env = environment(folder, REDIS__URL=redis_url, **ONE_WORKER)
    pool = Process(["workers"], env)
    decoder, picture, _ = _in_hand(web, pool, connection)
    (worker,) = _workers(pool)
    pool.send_signal(signal.SIGTERM)
    until(lambda: _asked_to_stop(connection), what="the worker knows")
    # RQ ignores a second one for a second and then drops the job.
    until(lambda: not _told_within_a_second(connection), what="a second has passed")
    worker.send_signal(signal.SIGTERM)
    decoder.resume()
    assert pool.wait() == 0
    assert [job["status"] for job in web.status(picture)] == ["done"]


def test_a_picture_that_crashes_an_optimiser_is_converted_without_it(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    """mozjpeg ends the process over numbers that libvips decodes."""
    env = environment(folder, REDIS__URL=redis_url, **ONE_WORKER)
    pool = Process(["workers"], env)
    try:
        data = unique(_out_of_range())
        web.upload(data, "jpg", quality="100", effort="small")
        assert [job["status"] for job in web.wait(md5(data))] == ["done"]
        meta = _meta(connection, f"{md5(data)}-jpg-100-effort_small")
        assert meta["crashes"] == 1
        assert "error" not in meta
    finally:
        assert pool.terminate() == 0


def _out_of_range() -> bytes:
    """A JPEG that has steps in brightness of 15 bits, where an encoder takes 11."""
    data = bytearray(as_format("rocket", "JPEG"))
    table = data.index(b"\xff\xc4") + 5
    data[data.index(bytes(range(3)), table + 16)] = 15
    return bytes(data)

"""/metrics: what Prometheus reads."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
from pathlib import Path

import httpx
import psutil
import pytest
import redis
from prometheus_client.openmetrics import parser as openmetrics
from websockets.sync.client import connect

from bench.launch import ROOT
from tests.conftest import running_redis
from tests.pictures import md5, snapshot, unique
from tests.scrape import Scraped, label_values, scrape, total
from tests.service import NO_TLS, Client, Service, command, service, until
from tests.web.alone import web
from tests.web.sockets import message
from tests.workers.alone import workers

DASHBOARD = ROOT / "docs/grafana-dashboard.json"

KEY = "0123456789abcdef"

INSTANCE = re.compile(r"tinyimage_(http_.+|sockets?_.+|redis_up)")
"""What one web instance counts by itself."""


def test_pictures_are_counted_by_format_and_outcome_with_their_bytes(tmp_path: Path) -> None:
    with service(tmp_path, UPLOAD__MAX_CONCURRENT_TASKS=1) as server:
        client = Client(server.url)
        data = snapshot()
        sizes = {}
        for format in ("webp", "jpg"):
            client.upload(data, format)
            client.wait(md5(data))
            sizes[format] = len(client.download(md5(data), format=format).content)
        broken = b"\xff\xd8\xff\xe0" + os.urandom(500)
        client.upload(broken, "png")
        assert client.wait(md5(broken))[0]["status"] == "failed"
        scraped = scrape(server.url)
        count = "tinyimage_pictures_total"
        for format, size in sizes.items():
            assert total(scraped, count, format=format, outcome="done", error="none") == 1
            saved = total(scraped, "tinyimage_picture_saved_bytes_total", format=format)
            original = total(scraped, "tinyimage_picture_original_bytes_total", format=format)
            assert original == len(data)
            assert total(scraped, "tinyimage_picture_result_bytes_total", format=format) == size
            assert saved == max(0, len(data) - size)
            assert total(scraped, "tinyimage_conversion_seconds_count", format=format) == 1
            assert 0 < total(scraped, "tinyimage_conversion_seconds_sum", format=format) < 60
        failed = {"outcome": "failed", "error": "processing_failed"}
        assert total(scraped, count, format="png", **failed) == 1
        assert total(scraped, count) == 3
        # The same picture again is no new conversion; another is.
        client.upload(data, "webp")
        client.upload(unique(data), "avif")
        until(lambda: total(scrape(server.url), count, format="avif") == 1)
        assert total(scrape(server.url), count) == 4


def test_processes_that_share_a_port_show_the_same_sums_also_after_kills(tmp_path: Path) -> None:
    with service(tmp_path, SERVER__PROCESSES=2, UPLOAD__MAX_CONCURRENT_TASKS=1) as server:
        client = Client(server.url)
        pictures = [snapshot() for _ in range(4)]
        for data in pictures:
            # Each by a connection of its own, so that both processes have some.
            Client(server.url).upload(data)
            client.wait(md5(data))
        with connect(server.ws_url), connect(server.ws_url):
            shows(server, sockets=2)
            for process in web_processes(server):
                process.kill()
            # They are gone with their sockets, and what they had counted is not.
            shows(server, sockets=0)
        worker = next(p for p in server.family() if "-m workers" in command(p) and children(p))
        for process in worker.children():
            process.kill()
        data = snapshot()
        client = Client(server.url)
        until(lambda: upload_taken(server, data))
        client.wait(md5(data))
        until(lambda: total(scrape(server.url), "tinyimage_pictures_total", outcome="done") == 5)
        assert total(scrape(server.url), "tinyimage_http_requests_total", route="upload") >= 5


def shows(server: Service, sockets: int) -> None:
    """Wait until every scrape says the same, whichever process answers."""

    def same() -> bool:
        try:
            scrapes = [scrape(server.url) for _ in range(12)]
        except httpx.TransportError:
            return False
        uploads = [
            total(s, "tinyimage_http_requests_total", route="upload", status="202") for s in scrapes
        ]
        open_sockets = [total(s, "tinyimage_sockets_open") for s in scrapes]
        flying = [total(s, "tinyimage_http_requests_in_flight") for s in scrapes]
        return uploads == [4] * 12 and open_sockets == [sockets] * 12 and flying == [1] * 12

    until(same, what=f"4 uploads and {sockets} sockets in every scrape")


def upload_taken(server: Service, data: bytes) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return Client(server.url).upload(data).status_code in (200, 202)
    return False


def children(process: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return list(process.children())
    return []


def web_processes(server: Service) -> list[psutil.Process]:
    main = next(p for p in server.family() if command(p).endswith("-m app web"))
    found = until(lambda: children(main) if len(children(main)) == 2 else None)
    return list(found or [])


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_the_folder_that_processes_share(
    tmp_path: Path, redis_url: str, how: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    with web(tmp_path, redis_url, SERVER__PROCESSES=2) as running:
        assert list(folder.glob("tinyimage-web-*"))
        running.send_signal(how)
        running.wait()
        until(lambda: not list(folder.iterdir()))


def test_what_clients_make_up_makes_no_labels(tmp_path: Path, redis_url: str) -> None:
    with web(tmp_path, redis_url) as running:
        http = running.client.http
        before = scrape(running.url)
        for number in range(50):
            http.get(f"/made/up/{number}")
            http.get(f"/status/made-up-{number}")
            http.request(f"MADE{number}", "/")
            http.get(f"/download/{number:032x}?format=made{number}")
            http.get("/", headers={"X-Request-ID": f"made-{number}", "Host": f"made{number}"})
            http.post("/upload", files={"picture": (f"made{number}.jpg", b"no picture")})
            with socket.create_connection(("127.0.0.1", running.port)) as bare:
                bare.sendall(f"MADE{number} /up{number} HTTP/9.9\r\nX: y\r\n\r\n".encode())
                bare.recv(100)
        with connect(running.ws_url) as ws:
            for number in range(20):
                ws.send(json.dumps({"filename": f"made{number}", "format": f"made{number}"}))
                ws.recv()
        after = until(lambda: counted(running.url, "tinyimage_socket_pictures_total", 20))
        assert "made" not in str(after).lower()
        assert len(after) - len(before) < 150
        assert label_values(after, "method") <= {"GET", "POST", "other"}
        assert total(after, "tinyimage_http_requests_total", route="other") >= 50
        assert not running.troubles()


def counted(url: str, name: str, number: int) -> Scraped | None:
    scraped = scrape(url)
    return scraped if total(scraped, name) == number else None


def test_what_is_in_redis_makes_no_labels(tmp_path: Path, redis_url: str) -> None:
    with web(tmp_path, redis_url) as running:
        connection = redis.Redis.from_url(redis_url)
        connection.hset(
            "tinyimage:metrics",
            mapping={"done:evil:in": 5, "restart:evil": 1, "failed:webp:evil": 1, "evil": "x",
                     "done:webp:le:evil": 1, b"\xff\xfe": b"\xff", "done:webp:in": "evil"},
        )  # fmt: skip
        connection.close()
        assert "evil" not in str(scrape(running.url))
        assert not running.troubles()


def test_metrics_ask_for_a_key_if_there_are_keys(tmp_path: Path, redis_url: str) -> None:
    with web(tmp_path, redis_url, AUTH__API_KEYS=f"prometheus:{KEY}") as running:
        assert running.client.http.get("/metrics").status_code == 401
        wrong = {"Authorization": f"Bearer {KEY[:-1]}x"}
        assert running.client.http.get("/metrics", headers=wrong).status_code == 401
        assert total(scrape(running.url, Authorization=f"Bearer {KEY}"), "tinyimage_redis_up") == 1


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_without_redis_the_instances_own_metrics_are_shown(
    tmp_path: Path, how: signal.Signals
) -> None:
    with running_redis(tmp_path / "redis") as store, web(tmp_path, store.url) as running:
        assert store.process is not None
        assert total(scrape(running.url), "tinyimage_redis_up") == 1
        running.client.http.get("/")
        store.process.send_signal(how)
        scraped = until(lambda: without_redis(running.url))
        assert total(scraped, "tinyimage_http_requests_total", route="about") == 1
        assert not [name for name, _ in scraped if "queue" in name or "workers" in name]
        store.process.send_signal(signal.SIGCONT)
        if how is signal.SIGKILL:
            store.process.wait()
            store.start()
        until(lambda: total(scrape(running.url), "tinyimage_redis_up") == 1)


def without_redis(url: str) -> Scraped | None:
    scraped = scrape(url)
    return scraped if total(scraped, "tinyimage_redis_up") == 0 else None


def test_queues_and_workers_are_shown_as_they_are(tmp_path: Path, redis_url: str) -> None:
    with web(tmp_path, redis_url) as running:
        pictures = [snapshot() for _ in range(3)]
        for data in pictures:
            running.client.upload(data)
        scraped = until(lambda: counted(running.url, "tinyimage_queue_jobs", 3))
        assert total(scraped, "tinyimage_workers_live") == 0
        age = "tinyimage_queue_oldest_job_age_seconds"
        assert until(lambda: total(scrape(running.url), age) > total(scraped, age))
        with workers(tmp_path, redis_url, UPLOAD__MAX_CONCURRENT_TASKS=2) as pool:
            for data in pictures:
                running.client.wait(md5(data))
            scraped = until(lambda: counted(running.url, "tinyimage_queue_jobs", 0))
            assert total(scraped, age) == 0
            live = "tinyimage_workers_live"
            until(lambda: total(scrape(running.url), live, kind="pictures") == 2, what="both live")
            busy(running.url, 0)
            decoders = pool.freeze(2)
            running.client.upload(snapshot())
            busy(running.url, 1)
            for decoder in decoders:
                decoder.resume()
            busy(running.url, 0)


def busy(url: str, number: int) -> None:
    until(
        lambda: total(scrape(url), "tinyimage_workers_busy", kind="pictures") == number,
        what=f"{number} busy workers",
    )


def restarts(server: Service, reason: str) -> float:
    return total(scrape(server.url), "tinyimage_decoder_restarts_total", reason=reason)


def convert(client: Client) -> bool:
    """Whether a picture came of it."""
    data = snapshot()
    client.upload(data)
    return [job["status"] for job in client.wait(md5(data))] == ["done"]


def test_a_worn_decoder_is_counted(tmp_path: Path) -> None:
    one = {"UPLOAD__MAX_CONCURRENT_TASKS": 1}
    with service(tmp_path, **one, LIMITS__DECODER_PICTURES=2) as server:
        client = Client(server.url)
        convert(client)
        assert restarts(server, "worn") == 0
        convert(client)
        until(lambda: restarts(server, "worn") == 1)


def test_decoders_that_hang_or_crash_are_counted(tmp_path: Path) -> None:
    one = {"UPLOAD__MAX_CONCURRENT_TASKS": 1}
    # Within which the next decoder starts and converts, where much else runs.
    with service(tmp_path, **one, LIMITS__CONVERSION_TIMEOUT=6) as server:
        client = Client(server.url)
        server.freeze(1)
        assert not convert(client)
        until(lambda: restarts(server, "timed_out") == 1)
        assert convert(client)
        (decoder,) = server.freeze(1)
        data = snapshot()
        client.upload(data)
        until(lambda: client.status(md5(data))[0]["status"] == "processing")
        decoder.kill()
        client.wait(md5(data))
        until(lambda: restarts(server, "crashed") == 1)


def test_a_picture_whose_worker_is_killed_counts_once(tmp_path: Path) -> None:
    with service(tmp_path, UPLOAD__MAX_CONCURRENT_TASKS=1) as server:
        client = Client(server.url)
        server.freeze(1)
        data = snapshot()
        client.upload(data)
        until(lambda: client.status(md5(data))[0]["status"] == "processing")
        worker = next(
            p
            for p in server.family()
            if "-m workers" in command(p) and any("imaging" in command(c) for c in children(p))
        )
        for process in (*children(worker), worker):
            process.kill()
        assert client.wait(md5(data))[0]["status"] == "done"
        until(lambda: total(scrape(server.url), "tinyimage_pictures_total") == 1)
        assert total(scrape(server.url), "tinyimage_conversion_seconds_count") == 1


def test_a_scrape_can_be_openmetrics(server: Service) -> None:
    accept = "application/openmetrics-text; version=1.0.0, text/plain;q=0.5"
    response = httpx.get(f"{server.url}/metrics", headers={"Accept": accept}, verify=NO_TLS)
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert list(openmetrics.text_string_to_metric_families(response.text))
    for nonsense in ("application/openmetrics-text; version=x.y; escaping=z", "\xff", "*" * 5000):
        response = httpx.get(
            f"{server.url}/metrics", headers={b"Accept": nonsense.encode("latin1")}, verify=NO_TLS
        )
        assert response.status_code == 200


def test_every_metric_of_the_dashboard_is_there_and_the_whole_services_are_not_summed(
    tmp_path: Path,
) -> None:
    with service(tmp_path, SERVER__PROCESSES=2, UPLOAD__MAX_CONCURRENT_TASKS=1) as server:
        client = Client(server.url)
        data = snapshot()
        with connect(server.ws_url, max_size=None) as ws:
            ws.send(message(data, format="webp"))
            while json.loads(ws.recv())["status"] != "done":
                pass
        client.download(md5(data))
        broken = b"\xff\xd8\xff\xe0" + os.urandom(500)
        client.upload(broken)
        client.wait(md5(broken))
        shown = {name for name, _ in scrape(server.url)}
    dashboard = json.loads(DASHBOARD.read_text())
    queries = [
        target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())
    ]
    assert len(queries) >= 15
    for query in queries:
        names = set(re.findall(r"tinyimage_\w+", query))
        assert names
        assert names <= shown, query
        for name in names:
            if not INSTANCE.fullmatch(name):
                # Each instance shows the same: a sum would count it as often as there are.
                inner = rf"max by \([^)]*\) \(((rate|increase)\()?{name}"
                assert re.search(inner, query) or f"max({name}" in query, query
    in_use = {re.sub(r"_(bucket|sum|count)$", "", n) for q in queries for n in names_in(q)}
    all_of_them = {re.sub(r"_(bucket|sum|count)$", "", n) for n in shown}
    assert all_of_them - in_use <= {"tinyimage_build_info"}


def names_in(query: str) -> list[str]:
    return re.findall(r"tinyimage_\w+", query)

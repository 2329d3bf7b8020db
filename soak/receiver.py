"""A receiver of webhooks, which now and then does not take one."""

from __future__ import annotations

import json
import random
import secrets
import threading
import time
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.core.picture.conversion import Conversion
from app.core.picture.recipients import EventType
from bench.launch import HOST

REFUSED = 0.1
"""The part of requests that is answered with 500."""

RETRIES = "1,1,2,2,3,3,5,5,5,5,5,5"
"""Seconds between tries: enough of them that none fails for good while the service is hurt."""

QUIET_SECONDS = 120.0
"""How long the last messages may take."""


class Receiver:
    """What every picture's webhook has told, by the ids of their jobs."""

    def __init__(self, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._secret = "whsec_" + b64encode(secrets.token_bytes(32)).decode()
        self._told: defaultdict[str, set[EventType]] = defaultdict(set)
        self._random = random.Random(seed + 4)
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver._take(body, dict(self.headers.items())))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def settings(self) -> dict[str, object]:
        """Those of a service that tells it of every picture."""
        url = f"http://{HOST}:{self._server.server_port}/"
        return {
            "FETCH__ALLOWED_NETWORKS": f"{HOST}/32",
            "WEBHOOKS__ENDPOINTS": json.dumps({"soak": {"url": url, "secret": self._secret}}),
            "WEBHOOKS__RETRIES": RETRIES,
        }

    def judge(self, done: Iterable[str], failed: Iterable[str]) -> None:
        """Wait until each of these jobs was told of at least once; note which was not."""
        wanted = {(id, EventType.IMAGE_DONE) for id in done}
        wanted |= {(id, EventType.IMAGE_FAILED) for id in failed}
        deadline = time.monotonic() + QUIET_SECONDS
        while left := {(id, type) for id, type in wanted if not self._knows(id, type)}:
            if time.monotonic() > deadline:
                self.wrong += [f"{id}: no webhook {type}" for id, type in sorted(left)]
                return
            time.sleep(0.1)

    def close(self) -> None:
        """Take no more."""
        self._server.shutdown()
        self._server.server_close()

    def _knows(self, id: str, type: EventType) -> bool:
        with self._lock:
            return type in self._told.get(id, ())

    def _take(self, body: bytes, headers: dict[str, str]) -> int:
        with self._lock:
            if self._random.random() < REFUSED:
                self.counts["webhook refused"] += 1
                return 500
            try:
                event: dict[str, Any] = Webhook(self._secret).verify(body, headers)
            except WebhookVerificationError as error:
                self.wrong.append(f"a webhook is not signed as it must be: {error}")
                return 400
            id = Conversion.from_dict(event["data"]).job_id
            self._told[id].add(EventType(event["type"]))
            self.counts[f"webhook {event['type']}"] += 1
            return 204

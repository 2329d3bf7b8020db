"""rq-dashboard beside the service, as docs/operating.md starts it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import httpx

from app.core.jobs import keys
from bench.launch import environment, free_port
from tests.service import Process, until

QUEUE = keys.PICTURE_QUEUES[0]
"""Where uploads wait that ask for nothing else."""


class Dashboard(Process):
    """rq-dashboard as docs/operating.md starts it."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self.port = free_port()
        super().__init__(
            [
                *("rq_dashboard", "--json", "--bind", "127.0.0.1", "--port", str(self.port)),
                *("--redis-url", redis_url),
            ],
            environment(folder),
        )
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    def ready(self) -> Dashboard:
        def answers() -> bool:
            assert self.running, "".join(self.log)
            with contextlib.suppress(httpx.TransportError):
                return self.http.get("/0/data/queues.json").status_code == 200
            return False

        until(answers, what="rq-dashboard answers")
        return self

    def press(self, button: str) -> None:
        """Press one of its buttons."""
        response = self.http.post(button)
        assert response.status_code == 200, (button, response.text, "".join(self.log[-30:]))
        assert response.json()["status"] == "OK"

    def remove(self, registry: str, filename: str, button: str) -> None:
        """Press `delete` of the job of a picture, or `empty` of all there are beside it."""
        if button == "delete":
            self.press(f"/job/{self.id_of(registry, filename)}/delete")
        else:
            self.press(f"/queue/{QUEUE}/{registry}/empty")

    def read(self, page: str) -> Any:
        response = self.http.get(f"/0/data/{page}.json")
        assert response.status_code == 200, (page, "".join(self.log[-30:]))
        return response.json()

    def jobs(self, registry: str, queue: str = QUEUE) -> list[dict[str, Any]]:
        """The jobs it lists."""
        return list(self.read(f"jobs/{queue}/{registry}/100/asc/1")["jobs"])

    def id_of(self, registry: str, filename: str) -> str:
        """The id of the job of a picture, once it is listed."""

        def found() -> str | None:
            ids = [j["id"] for j in self.jobs(registry) if j["description"].startswith(filename)]
            return str(ids[0]) if ids else None

        return str(until(found, what=f"{filename} in {registry}"))

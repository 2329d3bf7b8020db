"""What everything in one takes while nothing is asked of it: commands of Redis, and memory."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import psutil
import redis

from app.run.embedded import socket_path
from bench.fleet.report import Figure, megabytes, per_second
from bench.server import Server

WORKERS = 3
"""The default of `upload.max_concurrent_tasks`."""

SETTLE_SECONDS = 3.0
MEASURE_SECONDS = 65.0
"""A little more than the longest interval of any process."""

MOST_COMMANDS = 2.0
MOST_MEMORY = 200e6


def measure(folder: Path, *, scale: float) -> list[Figure]:
    """Start everything in one, leave it alone, and count.

    Args:
        scale: share of `MEASURE_SECONDS`.
    """
    seconds = max(1.0, MEASURE_SECONDS * scale)
    with Server(folder, WORKERS) as server:
        client = redis.Redis(unix_socket_path=str(socket_path(folder / "data")))
        time.sleep(SETTLE_SECONDS)
        before = _commands(client)
        time.sleep(seconds)
        # The look itself is a command.
        rate = (_commands(client) - before - 1) / seconds
        client.close()
        family = [psutil.Process(server.pid)]
        family += family[0].children(recursive=True)
        memory = sum(process.memory_full_info().pss for process in family)
    processes = WORKERS + 1  # that of the maintenance
    return [
        Figure(
            "Redis commands for each worker process, idle",
            [rate / processes],
            per_second,
            most=MOST_COMMANDS,
            note=f"{rate:.1f}/s of {processes} worker processes and the scheduler",
        ),
        Figure(
            f"memory of everything in one, {WORKERS} workers, idle",
            [memory],
            megabytes,
            most=MOST_MEMORY,
            note=f"proportional (PSS), {len(family)} processes",
        ),
    ]


def _commands(client: redis.Redis) -> int:
    stats = cast(Mapping[str, Mapping[str, Any]], client.info("commandstats"))
    return sum(int(command["calls"]) for command in stats.values())

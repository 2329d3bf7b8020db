"""How each accepted conversion ended, once it is quiet."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

from bench.client import Connection
from bench.launch import HOST
from soak.ledger import Ledger, Verdict
from soak.pictures import Order, is_whole
from soak.service import Service

QUIET_SECONDS = 120.0
"""How long the last pictures may take to end: twice what a stuck one may."""

AT_ONCE = 4


async def judge(service: Service, ledger: Ledger) -> Verdict:
    """Ask the service for each, download what is done, and count the files."""
    verdict = Verdict()
    waiting = iter(list(ledger.accepted.values()))
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(_Clerk(service, verdict).run(waiting))
    found = Counter(name.split(".", 1)[0] for name in service.results())
    for job_id in ledger.accepted:
        if found[job_id] != (job_id in verdict.done):
            verdict.faults.append(f"{job_id}: {found[job_id]} results")
    return verdict


class _Clerk:
    """Judges one after the other, on a connection of its own."""

    def __init__(self, service: Service, verdict: Verdict) -> None:
        self._service = service
        self._verdict = verdict
        self._connection = Connection(HOST, service.port)
        self._deadline = time.monotonic() + QUIET_SECONDS

    async def run(self, waiting: Iterator[Order]) -> None:
        """Judge until none is left."""
        await self._connection.open()
        try:
            for order in waiting:
                await self._judge(order)
        finally:
            self._connection.close()

    async def _judge(self, order: Order) -> None:
        job_id = order.conversion.job_id
        state = await self._end(order)
        fault = None
        if state == "done":
            self._verdict.done.add(job_id)
            fault = await self._download(order)
        elif state == "failed":
            reason = await asyncio.to_thread(self._service.reason, job_id)
            if reason is None:
                fault = "failed without a reason"
            else:
                reasons = self._verdict.hurt if order.readable else self._verdict.refused
                reasons[reason] += 1
                self._verdict.failures.add(job_id)
        else:
            fault = "lost" if state is None else f"stuck as {state}"
        if fault:
            self._verdict.faults.append(f"{job_id}: {fault}")

    async def _end(self, order: Order) -> str | None:
        """The job's last state, None if there is no such job."""
        wanted = (order.conversion.format, order.conversion.quality)
        while True:
            answer = await self._connection.get(f"/status/{order.conversion.md5}")
            jobs = answer.json() if answer.status == 200 else []
            states = [job["status"] for job in jobs if (job["format"], job["quality"]) == wanted]
            state = states[0] if states else None
            if state in (None, "done", "failed") or time.monotonic() > self._deadline:
                return state
            await asyncio.sleep(0.1)

    async def _download(self, order: Order) -> str | None:
        """What is wrong with the result; None if nothing is."""
        if not order.readable:
            return "done, though it cannot be read"
        conversion = order.conversion
        query = f"format={conversion.format}&quality={conversion.quality}"
        answer = await self._connection.get(f"/download/{conversion.md5}?{query}")
        if answer.status != 200:
            return f"its result cannot be downloaded: {answer.status}"
        whole = await asyncio.to_thread(is_whole, bytes(answer.body), order.format)
        return None if whole else "its result is not a whole picture"

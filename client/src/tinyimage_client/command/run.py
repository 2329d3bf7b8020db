"""All pictures, several at a time."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tinyimage_client.asynchronous import AsyncClient
from tinyimage_client.command.ledger import Ledger, ledger_file
from tinyimage_client.command.names import shown
from tinyimage_client.command.places import Places
from tinyimage_client.command.plan import Plan
from tinyimage_client.command.report import Report
from tinyimage_client.command.settings import Settings
from tinyimage_client.command.work import Worker

THREADS = 4
"""That read and write files beside those of the pictures under way."""

_HANGUP = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()
"""Of a terminal that is closed; Windows has none."""


async def worker_for(
    client: AsyncClient, settings: Settings, report: Report, places: Places
) -> Worker:
    """What does pictures with the server of the client.

    Args:
        places: of the results.

    Raises:
        Unreachable, NotAServer, KeyRefused: if it cannot be asked.
        InvalidOption: if it does not understand what is asked for.
    """
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(settings.jobs + THREADS))
    about = await client.about()
    await client.check_conversion(settings.conversion)
    ledger = None
    if settings.in_place:
        ledger = Ledger(ledger_file(), settings.conversion.fields)
    return Worker(
        client,
        settings,
        max_size=about.max_upload_size_bytes,
        wait_seconds=report.wait_seconds,
        ledger=ledger,
        places=places,
    )


async def run(client: AsyncClient, plan: Plan, settings: Settings, report: Report) -> None:
    """Do all that is planned, as many at a time as the settings say.

    Raises:
        as `worker_for`.
    """
    _on_signals(_cancels(), signal.SIGTERM, *_HANGUP)
    async with client:
        for outcome in plan.others:
            report.end(None, outcome)
        if not plan.items:
            return
        worker = await worker_for(client, settings, report, plan.places)
        report.begin(len(plan.items))
        waiting = iter(plan.groups)

        async def lane() -> None:
            for group in waiting:
                for item in group:
                    report.end(item, await worker.compress(item, report.start(item)))

        with _first_error():
            async with asyncio.TaskGroup() as group:
                for _ in range(settings.jobs):
                    group.create_task(lane())


async def watch(client: AsyncClient, folder: Path, settings: Settings, report: Report) -> None:
    """Do what is in the folder and what comes into it, until a signal; then end what was begun. A
    second signal does not wait for that.

    Raises:
        OSError: if the folder cannot be watched.
        as `worker_for`.
    """
    from tinyimage_client.command.watch import Watch

    stop, cancel = asyncio.Event(), _cancels()

    def on_signal() -> None:
        if stop.is_set():
            cancel()
        else:
            report.note("stopping when all that was begun is done")
            stop.set()

    _on_signals(on_signal, signal.SIGINT, signal.SIGTERM, *_HANGUP)
    async with client:
        worker = await worker_for(client, settings, report, Places(frees=True))
        report.note(f"watching {shown(folder)}")
        watching = Watch(folder, settings.placement, settings.conversion.format, worker, report)
        with _first_error():
            await watching.run(stop, settings.jobs)


def _cancels() -> Callable[[], object]:
    """What a Ctrl-C does: it cancels all."""
    task = asyncio.current_task()
    assert task is not None
    return task.cancel


def _on_signals(does: Callable[[], object], *signals: signal.Signals) -> None:
    with contextlib.suppress(NotImplementedError):  # Windows
        for number in signals:
            # nohup has a closed terminal ignored.
            if number not in _HANGUP or signal.getsignal(number) is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, does)


@contextlib.contextmanager
def _first_error() -> Iterator[None]:
    """Of several errors the first, out of its group."""
    try:
        yield
    except BaseExceptionGroup as errors:
        first: BaseException = errors
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None

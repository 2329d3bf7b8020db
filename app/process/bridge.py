"""Asynchronous calls from blocking code."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


class Bridge:
    """An event loop for a process, or a thread, that makes one call at a time.

    Functions for a thread run at once in the current one, which has nothing else to do.

    RQ ends a job that takes too long by an exception out of the handler of SIGALRM, wherever Python
    happens to be. The loop's own code would swallow it, or lose its current
    task. So while a call runs the exception is kept, the call is cancelled, and the exception
    raised once the call has cleaned up. A function for a thread is interrupted at once, like any
    other blocking code.
    """

    def __init__(self) -> None:
        self._loop = _Loop()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What the call returns.

        Raises:
            BaseException: from the call, or from a signal handler meanwhile.
        """
        alarm = _Alarm(self._loop)
        asyncio._set_running_loop(None)  # an interrupted `run_at_once` may have left it
        try:
            alarm.hold()
            result = self._loop.run_until_complete(alarm.task_of(coroutine))
        except BaseException:
            alarm.let_go()
            self._end(alarm.task)
            if alarm.raised is not None:
                raise alarm.raised from None
            raise
        alarm.let_go()
        if alarm.raised is not None:
            raise alarm.raised
        return result

    def run_at_once(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a call returns that waits for nothing but functions for a thread: without a turn of
        the loop, which takes longer than a small file does.

        Such a call is interrupted like any other blocking code.

        Raises:
            BaseException: from the call, or from a signal handler meanwhile.
            RuntimeError: if it waits for something else.
        """
        try:
            asyncio._set_running_loop(self._loop)
            coroutine.send(None)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            asyncio._set_running_loop(None)
            coroutine.close()
        raise RuntimeError("the call waits for more than functions for a thread")

    def close(self) -> None:
        """End the loop, and its unfinished generators."""
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _end(self, task: asyncio.Task[Any] | None) -> None:
        """Cancel a call that another handler's exception has left behind, as Ctrl-C does."""
        if task is not None and not task.done():
            task.cancel()
            self._loop.run_until_complete(asyncio.wait({task}))


class _Loop(asyncio.SelectorEventLoop):
    """Runs functions for a thread in the calling one."""

    busy = False

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, call: Callable[..., T], *arguments: Any
    ) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self.create_future()
        self.busy = True
        try:
            future.set_result(call(*arguments))
        finally:
            self.busy = False
        return future


class _Alarm:
    """The handler of SIGALRM while a call runs."""

    def __init__(self, loop: _Loop) -> None:
        self.raised: BaseException | None = None
        self._loop = loop
        self.task: asyncio.Task[Any] | None = None
        self._handler: Callable[[int, FrameType | None], Any] | None = None
        self._over = False

    def hold(self) -> None:
        """Keep its exceptions. It runs only in the main thread."""
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGALRM)
            if callable(handler):
                self._handler = handler
                signal.signal(signal.SIGALRM, self._handle)

    def task_of(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """The call, cancelled when the handler raises, or if it has already raised."""
        self.task = task = self._loop.create_task(coroutine)
        if self.raised is not None:
            task.cancel()
        return task

    def let_go(self) -> None:
        """Let it raise as before, even in the middle of this."""
        self._over = True
        if self._handler is not None:
            signal.signal(signal.SIGALRM, self._handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        assert self._handler is not None
        try:
            self._handler(number, frame)
        except BaseException as error:
            if self._over or self._loop.busy:
                raise
            self.raised = self.raised or error
            if self.task is not None:
                self._loop.call_soon_threadsafe(self.task.cancel)

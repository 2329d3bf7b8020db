"""The warm child: kept, watched, and replaced when it fails or is worn."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from app.core.tally import Restart
from imaging.data import Data
from imaging.errors import PictureError
from imaging.frames import Closed, Unfit
from imaging.measures import Measures
from imaging.target import Target
from workers.child import Child, ChildLimits

SLICE_SECONDS = 0.25
"""How often a wait for the child looks at the clock and at `interrupt_after`."""

STARTS = 3
"""How often a child is started that ends before it is up, until it counts as unfit."""

START_SECONDS = 60.0
"""How long a child may take to be up on a machine under load."""

PATIENCE = 0.1
"""Seconds in which a child that has crashed ends."""


class ChildCrashed(Exception):
    """The child ended in the middle of a picture."""


class ConversionTimeout(PictureError):
    """The conversion took longer than it may."""


class Interrupted(Exception):
    """The worker stops and cannot wait for the picture any longer."""


class Sandbox:
    """Converts one picture after the other in a child, which it replaces when it fails or is worn.

    A worn one goes on until the next one is up, so that no picture waits for a start.
    """

    def __init__(self, timeout: float, limits: ChildLimits | None = None) -> None:
        """
        Args:
            timeout: seconds that one conversion may take.
            limits: of each child.
        """
        self._timeout = timeout
        self._limits = limits or ChildLimits()
        self._child: Child | None = None
        self._next: Child | None = None
        self._interrupt_at = float("inf")
        self.restarts: Counter[Restart] = Counter()
        """Children that were replaced, until whoever reports them takes them away."""

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is no child."""
        return self._child.pid if self._child else None

    @property
    def memory(self) -> int | None:
        """Bytes that the child holds now; None without a child or an answer of the kernel."""
        return self._child.memory if self._child else None

    def start(self) -> None:
        """Start the child if there is none."""
        self._current()

    def check(self) -> None:
        """Wait until the child is up, which it is once it has converted to every format.

        Raises:
            Unfit: if it cannot convert, or ends again and again.
        """
        deadline = time.monotonic() + START_SECONDS

        def check_time() -> None:
            if time.monotonic() > deadline:
                raise Unfit(f"the decoder was not up within {START_SECONDS:.0f} s")

        status: int | None = None
        for _ in range(STARTS):
            child = self._current()
            child.connection.settimeout(SLICE_SECONDS)
            try:
                child.wait(check_time)
                return
            except Unfit:
                self._drop()
                raise
            except Closed:
                status = self._drop()
        raise Unfit(f"the decoder ended with status {status} as it started; lines above say why")

    def convert(
        self, data: Data, target: Target, tell: Callable[[Measures], None] = lambda measures: None
    ) -> Data:
        """The picture in `data` as `target` describes it.

        Args:
            tell: called with the sizes that are known, also of a picture that cannot be converted;
                not if the child ends meanwhile.

        Raises:
            PictureError: if it cannot be read; ConversionTimeout if it takes too long.
            ChildCrashed: if the child ends meanwhile.
            Interrupted: if `interrupt_after` runs out.
        """
        child = self._current()
        deadline = time.monotonic() + self._timeout

        def check_time() -> None:
            now = time.monotonic()
            if now > deadline:
                raise self._took_too_long()
            if now > self._interrupt_at:
                raise Interrupted

        try:
            child.connection.settimeout(self._timeout)
            child.send(target, data)
            child.connection.settimeout(SLICE_SECONDS)
            fields, result = child.receive(check_time)
        except TimeoutError:
            # It did not even take the picture in.
            self._drop()
            raise self._took_too_long() from None
        except (Closed, OSError) as error:
            self.restarts[Restart.CRASHED] += 1
            status = self._drop()
            said = str(error) if isinstance(error, Unfit) else ""
            raise ChildCrashed(said or f"the decoder ended with status {status}") from error
        except BaseException:
            # In the middle of a frame: this child cannot be spoken to any more.
            self._drop()
            raise
        if self._next is None and child.worn:
            self.restarts[Restart.WORN] += 1
            self._next = Child(self._limits, self._timeout)
        tell(Measures.from_dict(fields.get("measures")))
        if "error" in fields:
            raise PictureError(fields["error"], fields["code"])
        return result

    def interrupt_after(self, seconds: float) -> None:
        """Let a conversion take `seconds` more from now; for a worker that is to stop."""
        self._interrupt_at = time.monotonic() + seconds

    def close(self) -> None:
        """End the child."""
        for child in (self._child, self._next):
            if child is not None:
                child.end()
        self._child = self._next = None

    def _current(self) -> Child:
        """The child for the next picture."""
        if self._child is not None and not self._child.running:
            self.restarts[Restart.DIED] += 1
            self._drop()
        if self._next is not None and (self._child is None or self._is_up(self._next)):
            if self._child is not None:
                self._child.end()
            self._child, self._next = self._next, None
        if self._child is None:
            self._child = Child(self._limits, self._timeout)
        return self._child

    def _is_up(self, child: Child) -> bool:
        """Whether the one that is to follow is ready. One that has ended is forgotten."""
        try:
            return child.ready
        except Closed:
            child.end()
            self._next = None
            return False

    def _took_too_long(self) -> ConversionTimeout:
        self.restarts[Restart.TIMED_OUT] += 1
        return ConversionTimeout(f"the conversion took longer than {self._timeout:g} s")

    def _drop(self) -> int | None:
        """End the child. Returns its status."""
        child, self._child = self._child, None
        return child.end(PATIENCE) if child is not None else None

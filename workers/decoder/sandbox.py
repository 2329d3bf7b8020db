"""The decoder that is kept between pictures: watched, and replaced when it fails or is worn."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from app.core.errors import ConversionInterrupted
from app.core.jobs.counted.counts import Restart
from imaging.data import Data
from imaging.errors import PictureError
from imaging.measures import Measures
from imaging.process.frames import Closed, Unfit
from imaging.target import Target
from workers.decoder.process import Decoder, DecoderLimits

SLICE_SECONDS = 0.25
"""How often a wait for the decoder looks at the clock and at `interrupt_after`."""

STARTS = 3
"""Starts of decoders that end before they are ready, until the worker counts as unfit."""

START_SECONDS = 60.0
"""How long a decoder may take to start on a machine under load."""

PATIENCE = 0.1
"""Seconds in which a decoder that has crashed ends."""


class DecoderCrashed(Exception):
    """The decoder ended in the middle of a picture."""


class ConversionTimeout(PictureError):
    """The conversion took longer than it may."""


class Interrupted(Exception):
    """The worker stops and cannot wait for the picture any longer."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A picture that the decoder has, and nobody waits for yet."""

    name: str
    data: Data
    target: Target
    at: float
    """When it was handed over, by the monotonic clock."""


class Sandbox:
    """Converts one picture after the other in a decoder, replaced when it fails or is worn.

    A worn one goes on until the next one is up, so that no picture waits for a start.
    """

    def __init__(self, timeout: float, limits: DecoderLimits | None = None) -> None:
        """
        Args:
            timeout: seconds that one conversion may take.
            limits: of each decoder.
        """
        self._timeout = timeout
        self._limits = limits or DecoderLimits()
        self._decoder: Decoder | None = None
        self._next: Decoder | None = None
        self._begun: Begun | None = None
        self._interrupt_at = float("inf")
        self.restarts: Counter[Restart] = Counter()
        """Replaced decoders that are not reported yet; the reporter removes them."""

    @property
    def pid(self) -> int | None:
        """The decoder's process id, None while there is no decoder."""
        return self._decoder.pid if self._decoder else None

    @property
    def memory(self) -> int | None:
        """Bytes that the decoder holds now; None without a decoder or an answer of the kernel."""
        return self._decoder.memory if self._decoder else None

    @property
    def look(self) -> str:
        """What computes SSIMULACRA2 in the decoder; "" while that is not known."""
        return self._decoder.tried.look if self._decoder else ""

    def start(self) -> None:
        """Start the decoder if there is none."""
        self._current()

    def check(self) -> None:
        """Wait until the decoder is up, which it is once it has converted to every format.

        Raises:
            Unfit: if it cannot convert, or ends again and again.
        """
        status: int | None = None
        for _ in range(STARTS):
            decoder = self._current()
            try:
                _wait(decoder)
                return
            except Unfit:
                self._drop()
                raise
            except Closed:
                status = self._drop()
        raise Unfit(f"the decoder ended with status {status} at its start; the lines above say why")

    def begin(self, name: str, data: Data, target: Target) -> None:
        """Hand a picture to the decoder, if that is up, before `convert` is called for it. If
        another picture comes there, this one is given up, and the decoder with it.

        Args:
            name: what `begun` finds it by.
        """
        self._give_up()
        at = time.monotonic()
        decoder = self._current()
        try:
            if not decoder.ready:
                return
            decoder.connection.settimeout(SLICE_SECONDS)
            decoder.send(target, data)
        except (Closed, OSError):
            self._drop()  # `convert` starts another one, and sees whether that is gone too
            return
        self._begun = Begun(name, data, target, at)

    def begun(self, name: str) -> Begun | None:
        """The picture of this name, if the decoder has it."""
        return self._begun if self._begun and self._begun.name == name else None

    def convert(
        self, data: Data, target: Target, tell: Callable[[Measures], None] = lambda measures: None
    ) -> Data:
        """The picture in `data` as `target` describes it.

        Args:
            tell: called with the sizes that are known, also of a picture that cannot be converted;
                not if the decoder ends meanwhile.

        Raises:
            PictureError: if it cannot be read; ConversionTimeout if it takes too long.
            DecoderCrashed: if the decoder ends meanwhile.
            Interrupted: if `interrupt_after` runs out.
        """
        begun, self._begun = self._begun, None
        if begun is not None and (begun.data is not data or begun.target != target):
            self._drop()
            begun = None
        # While the decoder has a picture it stays the one, even if it has ended.
        decoder = self._decoder if begun and self._decoder else self._current()
        deadline = float("inf")

        def check_time() -> None:
            now = time.monotonic()
            if now > deadline:
                raise self._took_too_long()
            if now > self._interrupt_at:
                raise Interrupted

        try:
            # The picture's time begins when the decoder is up: that of one that has just been
            # started in place of another is not part of it.
            if begun:
                deadline = begun.at + self._timeout
            else:
                _wait(decoder)
                deadline = time.monotonic() + self._timeout
                decoder.connection.settimeout(self._timeout)
                decoder.send(target, data)
            decoder.connection.settimeout(SLICE_SECONDS)
            fields, result = decoder.receive(check_time)
        except TimeoutError:
            # It did not even accept the picture.
            self._drop()
            raise self._took_too_long() from None
        except (Closed, OSError) as error:
            self.restarts[Restart.CRASHED] += 1
            status = self._drop()
            said = str(error) if isinstance(error, Unfit) else ""
            raise DecoderCrashed(said or f"the decoder ended with status {status}") from error
        except BaseException:
            # In the middle of a frame: this decoder cannot be used any more.
            self._drop()
            raise
        if self._next is None and decoder.worn:
            self.restarts[Restart.WORN] += 1
            self._next = Decoder(self._limits, self._timeout, decoder.tried)
        tell(Measures.from_dict(fields.get("measures")))
        if "error" in fields:
            raise PictureError(fields["error"], fields["code"])
        return result

    def interrupt_after(self, seconds: float) -> None:
        """Let a conversion take `seconds` more from now; for a worker that stops."""
        self._interrupt_at = time.monotonic() + seconds

    def close(self) -> None:
        """End the decoder."""
        for decoder in (self._decoder, self._next):
            if decoder is not None:
                decoder.end()
        self._decoder = self._next = None

    def _give_up(self) -> None:
        """End the decoder if it has a picture whose result nobody has waited for."""
        if self._begun is not None:
            self._begun = None
            self._drop()

    def _current(self) -> Decoder:
        """The decoder for the next picture."""
        if self._decoder is not None and not self._decoder.running:
            self.restarts[Restart.DIED] += 1
            self._drop()
        if self._next is not None and (self._decoder is None or self._is_up(self._next)):
            if self._decoder is not None:
                self._decoder.end()
            self._decoder, self._next = self._next, None
        if self._decoder is None:
            self._decoder = Decoder(self._limits, self._timeout)
        return self._decoder

    def _is_up(self, decoder: Decoder) -> bool:
        """Whether the next decoder is ready. An ended one is discarded."""
        try:
            return decoder.ready
        except Closed:
            decoder.end()
            self._next = None
            return False

    def _took_too_long(self) -> ConversionTimeout:
        self.restarts[Restart.TIMED_OUT] += 1
        message = f"the conversion took longer than {self._timeout:g} s"
        return ConversionTimeout(message, ConversionInterrupted.code)

    def _drop(self) -> int | None:
        """End the decoder. Returns its status."""
        decoder, self._decoder = self._decoder, None
        return decoder.end(PATIENCE) if decoder is not None else None


def _wait(decoder: Decoder) -> None:
    """Wait until it is up.

    Raises:
        Closed: if it has ended; Unfit if it cannot convert, or does not start in time.
    """
    deadline = time.monotonic() + START_SECONDS

    def check_time() -> None:
        if time.monotonic() > deadline:
            raise Unfit(f"the decoder did not start within {START_SECONDS:.0f} s")

    decoder.connection.settimeout(SLICE_SECONDS)
    decoder.wait(check_time)

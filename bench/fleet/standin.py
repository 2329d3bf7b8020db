"""Workers whose conversions only take time: all else they do as others do it.

`SECONDS_VARIABLE` says how much of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from bench.fleet.site import SECONDS_VARIABLE
from imaging.data import Data
from imaging.measures import Measures
from imaging.target import Target
from workers.__main__ import main
from workers.decoder.sandbox import Sandbox


def _start(sandbox: Sandbox) -> None:
    """Starts no decoder."""


def _convert(
    sandbox: Sandbox, data: Data, target: Target, tell: Callable[[Measures], None]
) -> Data:
    """The first half of the original, after a while."""
    time.sleep(float(os.environ[SECONDS_VARIABLE]))
    return bytes(data[: len(data) // 2])


if __name__ == "__main__":
    Sandbox.start = _start  # type: ignore[method-assign, assignment]
    Sandbox.check = _start  # type: ignore[method-assign, assignment]
    Sandbox.convert = _convert  # type: ignore[method-assign, assignment]
    main()

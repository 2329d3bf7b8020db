"""For script/coverage: measures decoders, which inherit no variable and open no file once confined.

`hook` lets the Python that runs this measure each decoder; `collect` makes data files of what they
have left, beside $COVERAGE_FILE.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import sysconfig
import time
import zlib
from pathlib import Path
from types import FrameType

from coverage import Coverage, CoverageData
from coverage.exceptions import CoverageException

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(sys.prefix) / "decoders"

SAVE_SECONDS = 0.3
"""How often a decoder writes what it has run."""


def hook() -> None:
    """Let each decoder that this Python runs begin with `measure`."""
    packages = Path(sysconfig.get_path("purelib"))
    begin = "sys.path.insert(0, {0!r}); import coverage_decoders; coverage_decoders.measure()"
    (packages / "tinyimage_decoder.py").write_text(
        "import sys\n\nif sys.orig_argv[1:3] == ['-m', 'imaging.decoder']:\n"
        f"    {begin.format(str(ROOT / 'script'))}; del sys.path[0]\n"
    )
    (packages / "tinyimage_decoder.pth").write_text("import tinyimage_decoder\n")


def measure() -> None:
    """Measure this process. Its data goes to a file that is opened now, again and again: a worker
    that needs a decoder no longer kills it."""
    name = FOLDER / f"{os.getpid()}-{time.monotonic_ns()}"
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC)
    coverage = Coverage(data_file=None, config_file=False, include=[f"{ROOT}/imaging/*"])
    written = b""

    def save(signum: int, frame: FrameType | None) -> None:
        nonlocal written
        lines = coverage.get_data().dumps()
        if lines != written:
            os.pwrite(file, lines, 0)
            os.truncate(file, len(lines))
            written = lines

    signal.signal(signal.SIGALRM, save)
    signal.setitimer(signal.ITIMER_REAL, SAVE_SECONDS, SAVE_SECONDS)
    coverage.start()


def collect() -> None:
    """Make data files of what the decoders have left."""
    measured = 0
    for path in FOLDER.iterdir():
        data = CoverageData(f"{os.environ['COVERAGE_FILE']}.decoder.{path.name}")
        # One that did not live long has left nothing, one killed while it wrote has left a part.
        with contextlib.suppress(CoverageException, zlib.error):
            data.loads(path.read_bytes())
            measured += 1
    print(f"{measured} decoders were measured")


if __name__ == "__main__":
    {"hook": hook, "collect": collect}[sys.argv[1]]()

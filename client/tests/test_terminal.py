"""What a terminal shows."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

from client.tests.command import SOURCES
from client.tests.standin import Answer, Request, Standin
from tests.pictures import photograph

COLOUR = re.compile(r"\x1b\[[\d;]*m")
CONTROL = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")


def on_terminal(folder: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """The status, and all that was shown."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tinyimage_client", *arguments],
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if name != "NO_COLOR"},
            **{"PYTHONPATH": str(SOURCES), "TERM": "xterm-256color", "COLUMNS": "100"},
            **variables,
        },
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:  # the end, on Linux
            break
        if not data:
            break
        shown += data
    os.close(master)
    return process.wait(20), shown.decode()


def test_bars_show_each_picture_and_the_whole(folder: Path, fake: Standin) -> None:
    asked: dict[str, int] = {}

    def hook(request: Request) -> Answer | None:
        name = request.path.rpartition("/")[2]
        if request.path.startswith("/status/") and (known := fake.jobs.get(name)):
            time.sleep(0.3)
            step = asked[name] = asked.get(name, 0) + 1
            if step == 1:
                return Answer(body=[{**known, "status": "queued", "place": 17}])
            if step == 2:
                return Answer(body=[{**known, "status": "processing"}])
        return None

    fake.hook = hook
    for name in ("one.jpg", "two[red].jpg"):
        # More than the buffers of a connection hold.
        (folder / name).write_bytes(photograph("rocket") + name.encode() + bytes(9_000_000))
    fake.reads_after = 0.5
    (folder / "bad.jpg").touch()
    status, shown = on_terminal(folder, ".", "--server", fake.url)
    assert status == 1
    assert COLOUR.search(shown)
    plain = CONTROL.sub("", shown)
    for expected in (
        *("0 of 3 pictures", "one.jpg", "two[red].jpg", "sending, ", " of 9.1 MB"),
        *("in the queue, place 17", "converting", "bad.jpg: failed: the file is empty"),
    ):
        assert expected in plain, plain
    assert re.search(r"\d:\d\d left", plain)
    # In the end the bars are gone, and two lines are left.
    last = plain.rpartition("bad.jpg: failed: the file is empty")[2].splitlines()
    assert last[-1] == "2 pictures: 18.2 MB → 50 B, −100.0 %, 2 sent, 1 failed"


def test_no_color_and_a_dumb_terminal_are_heeded(folder: Path, fake: Standin) -> None:
    (folder / "1.jpg").write_bytes(photograph("rocket"))
    status, shown = on_terminal(folder, "1.jpg", "--server", fake.url, NO_COLOR="1")
    assert status == 0
    assert not re.search(r"\x1b\[[\d;]*3[0-9][\d;]*m", shown), "no colours"
    status, shown = on_terminal(folder, "1.jpg", "--server", fake.url, TERM="dumb")
    assert "\x1b" not in shown
    assert shown.splitlines()[0].startswith("1.jpg → 1-tiny.webp  112.5 KB → 25 B")


def test_a_picture_is_not_written_to_a_terminal(folder: Path, fake: Standin) -> None:
    status, shown = on_terminal(folder, "-", "--server", fake.url)
    assert status == 2
    assert "which is a terminal" in shown

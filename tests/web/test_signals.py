"""A server is stopped by a signal, whenever that comes."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from bench.launch import ROOT

SERVER = """
import os, sys
from sanic import Sanic
from app.web.serve.signals import stop_once

app = Sanic("stopped")

@app.before_server_start
async def start(app):
    stop_once(app)

@app.listener("after_server_start", priority=100)  # before all others
async def stop(app, *_):
    os.kill(os.getpid(), int(sys.argv[1]))

@app.get("/")
async def unasked(request):
    pass

@app.after_server_stop
async def end(app):
    print("stopped")

app.prepare(host="127.0.0.1", port=0, single_process=True, register_sys_signals=False, motd=False)
Sanic.serve_single(app)
"""


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_server_still_starts_stops_it(sig: signal.Signals) -> None:
    # It listens by then, so somebody may have been answered.
    ended = subprocess.run(
        [sys.executable, "-c", SERVER, str(int(sig))],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "stopped" in ended.stdout.splitlines()

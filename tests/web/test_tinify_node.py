"""The official client of TinyPNG for Node, unmodified, over TLS: it speaks nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
import trustme

from tests.forward import Streams, forwarded
from tests.service import Service
from tests.web.keys import KEY
from tests.web.wordmark import COPYRIGHT, wordmark

CLIENT = "tinify@1.8.3"
PROGRAM = Path(__file__).parent / "tinify_node.js"


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the client and what it needs."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("there is no Node")
    folder = tmp_path_factory.mktemp("node")
    install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"]
    made = subprocess.run(
        [*install, str(folder), CLIENT], capture_output=True, text=True, check=False, timeout=120
    )
    if made.returncode:
        pytest.skip(f"the client cannot be installed: {made.stderr[-300:]}")
    return folder / "node_modules"


def test_the_client_for_node_works_with_nothing_but_its_address_changed(
    tinify_server: Service, modules: Path, tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    picture = tmp_path / "wordmark.png"
    picture.write_bytes(wordmark())

    async def to_server() -> Streams:
        return await asyncio.open_connection("127.0.0.1", tinify_server.port)

    with forwarded(to_server, context) as port:
        ran = subprocess.run(
            [
                *("node", str(PROGRAM), f"https://localhost:{port}", KEY),
                *(str(tmp_path / "authority.pem"), str(picture)),
            ],
            env={**os.environ, "NODE_PATH": str(modules)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = json.loads(ran.stdout)
    assert 1000 < told["plain"] < 1500
    assert (tmp_path / "wordmark.png.made.png").stat().st_size == told["plain"]
    width, height, size, media_type = told["small"]
    assert (width, height, media_type) == (50, 8, "image/png")
    assert 500 < size < 1000
    assert told["webp"][0] < told["plain"]
    assert told["webp"][1] == "webp"
    assert COPYRIGHT in told["copyright"]
    assert len(told["copyright"]) < 2000
    assert told["count"] == told["before"] + 3
    assert told["errors"] == [
        ["ClientError", 415],
        ["ClientError", 400],
        ["ClientError", 400],
        ["AccountError", 401],
    ]

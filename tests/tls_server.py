"""A redis-server that speaks TLS itself, where one is installed that can."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import trustme

from bench.launch import free_port
from tests.service import until

_PROGRAMS = ("redis-server", "redis-check-rdb")
"""The second is the same program under another name, as Debian's redis-tools has it: it is what the
name it is called by says."""


@contextlib.contextmanager
def tls_redis(folder: Path, authority: trustme.CA, password: str) -> Iterator[int]:
    """Start it with a password and on a port for TLS alone. Skips the test if there is none.

    Yields:
        the port, on 127.0.0.1.
    """
    folder.mkdir()
    program = next((path for name in _PROGRAMS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("no redis-server with TLS is installed")
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    port = free_port()
    process = subprocess.Popen(
        [
            *("redis-server", "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1"),
            *("--tls-cert-file", str(folder / "cert.pem")),
            *("--tls-key-file", str(folder / "key.pem")),
            *("--tls-ca-cert-file", str(folder / "ca.pem"), "--tls-auth-clients", "no"),
            *("--dir", str(folder), "--save", "", "--requirepass", password),
        ],
        executable=program,
        stdout=subprocess.DEVNULL,
    )

    def answers() -> bool:
        if process.poll() is not None:
            pytest.skip("the redis-server that is installed cannot do TLS")
        with contextlib.closing(
            redis.Redis(
                host="127.0.0.1",
                port=port,
                password=password,
                ssl=True,
                ssl_ca_certs=str(folder / "ca.pem"),
            )
        ) as connection:
            try:
                return bool(connection.ping())
            except redis.ConnectionError:
                return False

    try:
        until(answers, what="the redis-server with TLS answers")
        yield port
    finally:
        process.terminate()
        process.wait(10)

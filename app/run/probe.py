"""Checks that the web process of this machine answers."""

from __future__ import annotations

from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from app.core.config.sections import ServerSettings

ANSWER_SECONDS = 5
"""How long it may take."""

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104
"""The local addresses of a server that listens everywhere."""


def ask_web(server: ServerSettings) -> None:
    """Return if the web answers at the address that it listens on.

    Raises:
        OSError: if it does not.
    """
    host = _LOOPBACK.get(server.host, server.host)
    # Not urllib: it would ask the proxy that the environment names, and reads all certificates of
    # the machine before it asks anything, which leaves 9 MB in the supervisor.
    connection = HTTPConnection(host, server.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except HTTPException as error:
        raise OSError(f"the web does not answer in HTTP: {error}") from None
    finally:
        connection.close()
    if status != HTTPStatus.OK:
        raise OSError(f"the web answers with status {status}")

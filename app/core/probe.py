"""The web of this machine, asked whether it answers."""

from __future__ import annotations

import urllib.request

from app.core.settings import ServerSettings

ANSWER_SECONDS = 5
"""How long it may take."""

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Where a server that listens everywhere is reached from its own machine."""


def ask_web(server: ServerSettings) -> None:
    """Return if the web answers at the address that it listens on.

    Raises:
        OSError: if it does not.
    """
    host = _LOOPBACK.get(server.host, server.host)
    name = f"[{host}]" if ":" in host else host
    # A proxy that the environment names does not know this machine's own address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{name}:{server.port}/healthz", timeout=ANSWER_SECONDS):
        pass

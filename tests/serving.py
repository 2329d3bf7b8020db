"""A server of the standard library in a thread of a test."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer


@contextlib.contextmanager
def serving(server: ThreadingHTTPServer, stopped: threading.Event) -> Iterator[None]:
    """Have it serve meanwhile.

    Args:
        stopped: ends what its handlers wait for; set at the end.
    """
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()

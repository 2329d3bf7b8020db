"""The HTTP and WebSocket API, on Sanic."""

import sys

if "trustme" not in sys.modules:
    # Sanic imports it where it is installed, to make certificates for development, and with it the
    # cryptography of 8 MB.
    sys.modules["trustme"] = None  # type: ignore[assignment]  # to import it is an ImportError now
    import sanic  # noqa: F401

    del sys.modules["trustme"]

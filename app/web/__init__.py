"""The HTTP and WebSocket API, on Sanic."""

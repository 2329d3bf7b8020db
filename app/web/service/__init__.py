"""The work that HTTP and WebSocket API share: pictures, their status, their results."""

"""An upload byte by byte, for those who do not send all of it."""

from __future__ import annotations

UPLOAD_HEAD = (
    b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    b"Content-Length: 3000000\r\n\r\n"
)
PART = b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n'
"""The head of the picture's part."""

"""A client's side of RFC 6455, as far as `/ws` needs it."""

from __future__ import annotations

import re
import struct

from bench.launch import HOST

HANDSHAKE = (
    f"GET /ws HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
).encode()
SWITCHED = b"HTTP/1.1 101"

TEXT, PING, PONG = 0x1, 0x9, 0xA

STEP = re.compile(rb'\{"status": "(\w+)", (?:"message": "(\w+)", )?"md5": "([0-9a-f]{32})"')
"""How a message of the server begins."""


def encode_head(opcode: int, length: int) -> bytes:
    """What stands before a payload of `length` bytes. The mask is four zeros, under which the
    payload stays as it is."""
    if length < 126:
        head = struct.pack(">BB", 0x80 | opcode, 0x80 | length)
    elif length < 65536:
        head = struct.pack(">BBH", 0x80 | opcode, 0xFE, length)
    else:
        head = struct.pack(">BBQ", 0x80 | opcode, 0xFF, length)
    return head + bytes(4)


def find_frame(buffer: bytearray) -> tuple[int, int, int] | None:
    """Opcode, begin and end of the payload of the first frame, if it is there as a whole."""
    if len(buffer) < 2:
        return None
    length, start = buffer[1] & 0x7F, 2
    if length >= 126:
        start = 4 if length == 126 else 10
        if len(buffer) < start:
            return None
        length = int.from_bytes(buffer[2:start])
    return None if len(buffer) < start + length else (buffer[0] & 0xF, start, start + length)

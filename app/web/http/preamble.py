"""The preamble of a multipart body (RFC 2046, section 5.1.1)."""

from __future__ import annotations

from app.core.errors import InvalidForm

_BLANKS = b" \t"


class Preamble:
    """Passes a body on from its first boundary line, without the preamble and the blanks after the
    boundary: python-multipart accepts neither there. The rest it reads correctly."""

    def __init__(self, boundary: bytes) -> None:
        self._line = b"\r\n--" + boundary
        self._usual = b"--" + boundary + b"\r\n"
        self._held = b"\r\n"  # the body begins as a line does
        self._over = False

    def write(self, data: bytes) -> bytes:
        """Take the next bytes of the body.

        Returns:
            the bytes for the parser. Only an incomplete line is held back.

        Raises:
            InvalidForm: if lines end in LF alone.
        """
        if self._over:
            return data
        if self._held == b"\r\n" and data.startswith(self._usual):  # as nearly always: no copies
            self._over, self._held = True, b""
            return data
        held = self._held + data
        while (start := held.find(self._line)) != -1:
            rest = held[start + len(self._line) :]
            text = rest.lstrip(_BLANKS)
            if rest.startswith(b"--") or text.startswith(b"\r\n"):
                self._over, self._held = True, b""
                return self._line[2:] + (rest if rest.startswith(b"--") else text)
            if text in (b"", b"\r") or rest == b"-":  # more of it is to come
                self._held = self._line + (b" " if text != rest else b"") + text
                return b""
            if text.startswith(b"\n"):
                raise InvalidForm("The lines of the multipart body should end in CR LF, not LF")
            held = rest  # a line that begins as the boundary does, and goes on
        self._held = held[-len(self._line) + 1 :]
        return b""

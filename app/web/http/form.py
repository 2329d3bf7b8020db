"""One streamed multipart body: its picture spooled to disk, counted and hashed as it passes."""

from __future__ import annotations

import hashlib
import os
from typing import Self

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from app.core.errors import InvalidForm
from app.core.jobs.fetched.links import MAX_SOURCE_URL
from app.core.picture.batch import BATCH, clean_path
from app.core.picture.formats import FORMAT
from app.core.picture.presets import CHOICES, PRESET
from app.core.picture.recipients import WEBHOOK
from app.core.picture.widths import WIDTHS
from app.intake.picture import Picture
from app.web.http.part import PartHead, decode_text, read_head
from app.web.http.preamble import Preamble
from app.web.service.spool import Spool
from app.web.service.spooling import SPOOL_MEMORY, too_large
from imaging.formats.recognise import HEAD_SIZE, picture_type

URL = "url"
"""The field with the address of a picture, in place of its file."""

FIELDS = {"priority", URL, PRESET, FORMAT, WEBHOOK, BATCH, WIDTHS} | CHOICES
"""The fields that are read; others are ignored."""

CHARSET_FIELD = "_charset_"
"""The charset of the fields that do not name one (RFC 7578, section 4.6)."""

NO_PICTURE = "There is no picture: send it as the file 'picture'"
NOR_URL = f"{NO_PICTURE}, or its address as '{URL}'"
"""The same where pictures are fetched."""

MAX_PARTS = 32
MAX_FIELD_SIZE = 1024


class Form:
    """The fields of an upload and its picture, filled by the parser's callbacks.

    `with form:` closes the spooled file at the end, unless its picture has been taken out.
    """

    def __init__(self, boundary: bytes, max_size: int, spool_memory: int = SPOOL_MEMORY) -> None:
        self._texts: dict[str, tuple[bytes, str | None]] = {}
        """The bytes of each field, and their charset."""
        self._refusal = ""
        self.complete = False
        self._max_size = max_size
        self._spool_memory = spool_memory
        self._spool: Spool | None = None
        self._filename = ""
        self._path = ""
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._size = 0
        self._parts = 0
        self._header_name = b""
        self._header_value = b""
        self._headers: dict[bytes, bytes] = {}
        self._head: PartHead | None = None
        self._field: bytearray | None = None
        self._is_picture = False
        self._preamble = Preamble(boundary)
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begin,
                "on_header_field": self._header_field_data,
                "on_header_value": self._header_value_data,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._part_data,
                "on_part_end": self._part_end,
                "on_end": self._end,
            },
        )

    def write(self, data: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            InvalidForm: if they cannot be parsed or a field is too large.
            SizeExceeded: if the picture is larger than it may be.
        """
        try:
            self._parser.write(self._preamble.write(data))
        except FormParserError as error:
            raise InvalidForm(f"The multipart body cannot be read: {error}") from None

    @property
    def fields(self) -> dict[str, str]:
        """The fields that were sent.

        Raises:
            InvalidForm: if a field has an unknown charset.
        """
        given, _ = self._texts.get(CHARSET_FIELD, (b"", None))
        form_charset = given.decode("latin-1") or None
        return {
            name: decode_text(data, charset or form_charset)
            for name, (data, charset) in self._texts.items()
            if name in FIELDS
        }

    @property
    def has_picture(self) -> bool:
        """Whether there is a file."""
        return self._spool is not None

    def check_complete(self) -> None:
        """See whether the whole form has come.

        Raises:
            InvalidForm: if not.
        """
        if not self.complete:
            raise InvalidForm("The multipart body is incomplete")

    def picture(self, no_picture: str = NO_PICTURE) -> Picture:
        """The picture, which owns the file from here on.

        Args:
            no_picture: the message of the error without a picture.

        Raises:
            InvalidForm: if there is none, or the body ended too early.
        """
        self.check_complete()
        if self._spool is None:
            raise InvalidForm(self._refusal or no_picture)
        file, self._spool = self._spool.file, None
        return Picture(file, self._md5.hexdigest(), self._size, self._filename, self._path)

    def close(self) -> None:
        """Drop the spooled file, unless its picture has been taken out."""
        if self._spool is not None:
            self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _part_begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise InvalidForm(f"The form has more than {MAX_PARTS} parts")
        self._headers = {}
        self._field, self._is_picture = None, False

    def _header_field_data(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _header_value_data(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _headers_finished(self) -> None:
        self._head = head = read_head(self._headers)
        if head.name == "picture":
            if self._spool is None:
                head.check_encoding()
                self._is_picture = True
                self._filename, self._path = head.clean_filename, clean_path(head.filename or "")
                self._spool = Spool(self._spool_memory)
        elif head.name in FIELDS | {CHARSET_FIELD} and head.name not in self._texts:
            # Also one that has a file name: some clients give each part one, curl -F format=@file.
            head.check_encoding()
            self._field = bytearray()

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_picture and self._spool is not None:
            self._size += end - start
            if self._size > self._max_size:
                raise too_large(self._max_size)
            part = memoryview(data)[start:end]
            self._md5.update(part)
            self._spool.write(part)
        elif self._field is not None:
            self._field += data[start:end]
            assert self._head is not None
            limit = MAX_SOURCE_URL if self._head.name == URL else MAX_FIELD_SIZE
            if len(self._field) > limit:
                raise InvalidForm(f"The field '{self._head.name}' is longer than {limit} bytes")

    def _part_end(self) -> None:
        head = self._head
        if head is None:
            return
        if self._field is not None:
            self._texts[head.name] = bytes(self._field), head.charset
        elif self._is_picture and self._spool is not None and not head.filename:
            self._check_unnamed(self._spool, head)

    def _check_unnamed(self, spool: Spool, head: PartHead) -> None:
        """Drop a part `picture` without a file name that is an empty file field or a text. A later
        part may be the picture."""
        if self._size:
            file = spool.file
            file.seek(0)
            is_picture = picture_type(file.read(HEAD_SIZE)) is not None
            file.seek(0, os.SEEK_END)
            # With a media type other than text it is meant as a file, and refused as one.
            is_text = head.media_type is None or head.media_type.startswith("text/")
            if is_picture or not is_text:
                return
            self._refusal = "The part 'picture' is text, not a picture: send the file itself"
        spool.close()
        self._spool, self._size = None, 0
        self._md5 = hashlib.md5(usedforsecurity=False)

    def _end(self) -> None:
        self.complete = True

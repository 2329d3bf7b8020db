"""Forms as programs send them: RFC 7578 and 2046, read in pieces of any size."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import InvalidForm, SizeExceeded
from app.web.http import part
from app.web.http.form import Form
from tests.conftest import running_redis
from tests.pictures import md5, photograph, unique
from tests.web.alone import Web, web

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\r\n--b\r\n-\r\n--"
DISPOSITION = b'Content-Disposition: form-data; name="picture"'


def _part(headers: bytes, data: bytes) -> bytes:
    return b"--bound\r\n" + headers + b"\r\n\r\n" + data + b"\r\n"


PICTURE = _part(DISPOSITION + b'; filename="a.png"', PNG)
END = b"--bound--\r\n"


def _read(body: bytes, *cuts: int, boundary: bytes = b"bound") -> Form:
    form = Form(boundary, 1000)
    for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True):
        form.write(body[start:end])
    return form


def _check(form: Form, filename: str = "a.png", data: bytes = PNG) -> None:
    with form.picture() as picture:
        picture.file.seek(0)
        assert picture.file.read() == data
        assert (picture.md5, picture.size, picture.filename) == (md5(data), len(data), filename)
    assert picture.file.closed


def _refused(body: bytes, says: str) -> None:
    with Form(b"bound", 1000) as form, pytest.raises(InvalidForm, match=says):
        _take(form, body)


def _take(form: Form, body: bytes) -> None:
    form.write(body)
    with form.picture():
        _ = form.fields


@pytest.mark.parametrize(
    "body",
    [
        PICTURE + END,
        b"\r\n" + PICTURE + END,
        b"This is a message in MIME.\r\n--bou\r\n--boundary\r\n\r\n" + PICTURE + END,
        b"--bound \t \r\n" + PICTURE.partition(b"\r\n")[2] + END,
        PICTURE + END + b"--bound\r\nan epilogue\r\n" + PICTURE,
        PICTURE + b"--bound--",
        PICTURE + b"--bound-- \t\r\n",
        b"pre\r\n"
        + _part(b'content-disposition: form-data; name="q"', b"7").replace(
            b"--bound\r\n", b"--bound   \r\n"
        )
        + PICTURE.replace(b"--bound\r\n", b"--bound\t\r\n")
        + END,
        _part(b"CONTENT-DISPOSITION: Form-Data; NAME=picture; FileName=a.png", PNG) + END,
    ],
)
def test_a_form_is_read_wherever_it_is_cut(body: bytes) -> None:
    for cut in range(len(body) + 1):
        _check(_read(body, cut))
    _check(_read(body, *range(1, len(body))))


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    pieces=st.lists(
        st.sampled_from(
            [b"\r", b"\n", b"\r\n", b"-", b"--", b"--bound", b"bound", b"\r\n--boun", b" ", b"x"]
        ),
        max_size=12,
    ),
    preamble=st.sampled_from([b"", b"text\r\n", b"\r\n--boun\r\n", b"--boundx\r\n"]),
    padding=st.sampled_from([b"", b" ", b"\t \t"]),
    data=st.data(),
)
def test_bytes_that_look_like_a_boundary_stay_in_the_picture(
    pieces: list[bytes], preamble: bytes, padding: bytes, data: st.DataObject
) -> None:
    content = b"".join(pieces).replace(b"\r\n--bound", b"\r\n--bund") or b"x"
    if content.startswith(b"--bound"):
        content = b"x" + content
    body = preamble + b"--bound" + padding + b"\r\n" + DISPOSITION + b'; filename="a.png"\r\n\r\n'
    body += content + b"\r\n--bound" + padding + b"\r\n"
    body += b'Content-Disposition: form-data; name="q"\r\n\r\n50\r\n--bound--' + padding
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    form = _read(body, *cuts)
    assert form.fields == {"q": "50"}
    _check(form, data=content)


@pytest.mark.parametrize(
    ("headers", "filename"),
    [
        (DISPOSITION, "picture"),
        (DISPOSITION + b"\r\nContent-Type: image/png", "picture"),
        (DISPOSITION + b"\r\nContent-Type: application/octet-stream", "picture"),
        (DISPOSITION + b"\r\nContent-Type: text/plain; charset=utf-8", "picture"),
        (DISPOSITION + b'; filename=""', "picture"),
        (DISPOSITION + b"; filename*=UTF-8''na%C3%AFve%20%E2%82%AC.png", "naïve €.png"),
        (DISPOSITION + b"; filename*=iso-8859-1'en'%A3.png", "£.png"),
        (DISPOSITION + b"; filename=\"b.png\"; filename*=utf-8''%e6%9d%b1.png", "東.png"),
        (DISPOSITION + b"; filename*=utf-8''%e6%9d%b1.png; filename=b.png", "東.png"),
        (DISPOSITION + b"; filename*=utf-9''%ff; filename=b.png", "b.png"),
        (DISPOSITION + b"; filename*=utf-8''%ff%fe; filename=b.png", "b.png"),
        (DISPOSITION + b"; filename*=utf-8''..%2F..%2Fc.png", "c.png"),
        (DISPOSITION + b'; filename="a\\"b.png"', 'a"b.png'),
        (DISPOSITION + b'; filename="C:\\Users\\me\\cat.png"', "cat.png"),
        (DISPOSITION + b'; filename="a;b.png"', "a;b.png"),
        (DISPOSITION + b'; filename="a.png"\r\nContent-Transfer-Encoding: Binary', "a.png"),
        (DISPOSITION + b'; filename="a.png"\r\ncontent-transfer-encoding: 8bit', "a.png"),
    ],
)
def test_a_picture_is_one_with_a_file_name_or_without(headers: bytes, filename: str) -> None:
    _check(_read(_part(headers, PNG) + END), filename)


def test_what_is_no_picture_is_told_so() -> None:
    _refused(_part(DISPOSITION, b"C:\\cat.png") + END, "is text, not a picture")
    _refused(_part(DISPOSITION + b"\r\nContent-Type: text/plain", b"a") + END, "is text")
    _refused(_part(DISPOSITION + b'; filename=""', b"") + END, "There is no picture")
    _refused(_part(DISPOSITION, b"") + END, "There is no picture")
    encoded = DISPOSITION + b'; filename="a.png"\r\nContent-Transfer-Encoding: '
    _refused(_part(encoded + b"base64", base64.b64encode(PNG)) + END, "Content-Transfer-Encoding")
    _refused(_part(encoded + b"quoted-printable", b"=89PNG") + END, "Content-Transfer-Encoding")
    _refused((PICTURE + END).replace(b"\r\n", b"\n"), "LF")
    _refused(b"no boundary at all", "is incomplete")
    # One with a type of its own is a file, and refused as such by its first bytes.
    _check(
        _read(_part(DISPOSITION + b"\r\nContent-Type: image/png", b"no") + END), "picture", b"no"
    )


def test_of_several_pictures_the_first_file_counts() -> None:
    text, unchosen = _part(DISPOSITION, b"cat.png"), _part(DISPOSITION + b'; filename=""', b"")
    second = _part(DISPOSITION + b'; filename="second.png"', PNG + b"2")
    _check(_read(text + unchosen + PICTURE + second + END))


def test_a_field_may_look_like_a_file_and_come_in_any_charset() -> None:
    def field(name: bytes, rest: bytes, data: bytes) -> bytes:
        return _part(b'Content-Disposition: form-data; name="' + name + b'"' + rest, data)

    body = field(b"format", b'; filename="format.txt"\r\nContent-Type: text/plain', b"jpg\n")
    body += field(b"quality", b'; filename=""', b"70")
    body += field(
        b"keep", b"\r\nContent-Type: text/plain; charset=utf-16le", "icc".encode("utf-16le")
    )
    body += field(b"effort", b"\r\nContent-Type: text/plain; charset=UTF-8", b"fast")
    form = _read(body + PICTURE + END)
    assert form.fields == {"format": "jpg\n", "quality": "70", "keep": "icc", "effort": "fast"}
    _check(form)
    form = _read(
        field(b"fit", b"", "cover".encode("utf-16be")) + field(b"_charset_", b"", b"UTF-16BE") + END
    )
    assert form.fields == {"fit": "cover"}
    for charset in (b"klingon", b"zip", b"../x", b"x" * 500):
        head = b"\r\nContent-Type: text/plain; charset=" + charset
        _refused(field(b"q", head, b"7") + PICTURE + END, "charset")


def test_a_part_without_a_name_is_bounded_as_a_file_is() -> None:
    with Form(b"bound", 1000) as form, pytest.raises(SizeExceeded):
        form.write(_part(DISPOSITION, b"x" * 1001))


def test_blanks_and_preambles_of_any_size_take_no_memory() -> None:
    for filler in (b" ", b"x", b"\r\n--boun"):
        with Form(b"bound", 1000) as form:
            form.write(b"text\r\n--bound" if filler == b" " else b"")
            for _ in range(100):
                form.write(filler * 10_000)
                assert len(form._preamble._held) < 32


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("target")
    with running_redis(folder / "redis") as embedded, web(folder, embedded.url) as running:
        yield running
        assert running.troubles() == []


@pytest.mark.parametrize("quoted", [False, True])
def test_such_a_form_is_an_upload(target: Web, quoted: bool) -> None:
    data = unique(photograph("rocket"))
    body = (
        b"a preamble\r\n"
        + _part(DISPOSITION, data)
        + _part(b'Content-Disposition: form-data; name="format"; filename="f"', b" JPEG\n")
    )
    boundary = '"bound"' if quoted else "bound"
    response = target.client.http.post(
        "/upload",
        content=body + END,
        headers={"Content-Type": f"Multipart/Form-Data; Boundary={boundary}; charset=utf-8"},
    )
    assert (response.status_code, response.json()["format"]) == (202, "jpg")
    assert response.json()["md5"] == md5(data)
    response = target.client.http.post("/upload", data={"picture": "cat.jpg"}, files={"x": b""})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_form")


_USUAL = st.sampled_from([b"form-data", b"Form-Data", b"attachment"])
_NAMES = st.sampled_from([b"picture", b"q", b"", b"a b", b"\xc3\xa9", b"a%22", b"_charset_"])
_FILENAMES = st.sampled_from(
    [
        None,
        b"",
        b"a.png",
        b"a b.png",
        b"..",
        b"a%22.png",
        b"a\\b.png",
        b"\xc3\xa9.png",
        b"a;b",
        b"+-",
    ]
)
_TYPES = st.sampled_from(
    [
        None,
        b"image/png",
        b"IMAGE/PNG",
        b"image",
        b"text/plain; charset=latin-1",
        b"image/svg+xml",
        b"",
    ]
)


@given(_USUAL, _NAMES, _FILENAMES, _TYPES, st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_head_says_the_same_the_quick_way_and_the_long_one(
    kind: bytes, name: bytes, filename: bytes | None, media_type: bytes | None, encoded: bool
) -> None:
    disposition = kind + b'; name="' + name + b'"'
    if filename is not None:
        disposition += b'; filename="' + filename + b'"'
    headers = {b"content-disposition": disposition}
    if media_type is not None:
        headers[b"content-type"] = media_type
    if encoded:
        headers[b"content-transfer-encoding"] = b"base64"
    usual = part._read_usual(headers)
    assert usual is None or usual == part._read_head(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {b"content-disposition": b'form-data; name="quality"'},
        {
            b"content-disposition": b'form-data; name="picture"; filename="IMG_2024-02.jpg"',
            b"content-type": b"image/jpeg",
        },
    ],
)
def test_the_usual_head_is_read_the_quick_way(headers: dict[bytes, bytes]) -> None:
    assert part._read_usual(headers) is not None

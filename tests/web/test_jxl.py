"""JPEG XL over HTTP: a JPEG is packed, and comes again."""

from __future__ import annotations

from tests.pictures import as_format, md5, opened, photograph, unique
from tests.service import Client


def test_a_jpeg_is_packed_and_comes_again(client: Client) -> None:
    jpeg = as_format("coffee", "JPEG", quality=83)
    client.upload(jpeg, format="jxl", lossless="true")
    client.wait(md5(jpeg))
    packed = client.download(md5(jpeg), format="jxl", lossless="true")
    assert packed.headers["content-type"] == "image/jxl"
    assert packed.headers["content-disposition"].endswith('.jxl"')
    assert len(packed.content) < 0.9 * len(jpeg)
    client.upload(packed.content, format="jpg")
    client.wait(md5(packed.content))
    assert client.download(md5(packed.content), format="jpg").content == jpeg


def test_a_picture_becomes_a_jpeg_xl_and_that_another_picture(client: Client) -> None:
    data = unique(photograph("rocket"))
    client.upload(data, format="jxl", q="70", width="200")
    client.wait(md5(data))
    result = client.download(md5(data), format="jxl", q="70", width="200").content
    assert opened(result).size == (200, 133)
    client.upload(result, format="avif")
    client.wait(md5(result))
    assert opened(client.download(md5(result), format="avif").content).size == (200, 133)

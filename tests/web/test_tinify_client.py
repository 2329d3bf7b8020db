"""The official Python client of TinyPNG, unmodified, as its own suite uses it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import tinify
from PIL import Image, ImageDraw

from tests.imaging.animations import animation
from tests.pictures import encoded, opened, photograph, unique
from tests.service import Service
from tests.web.keys import KEY, WRONG
from tests.web.wordmark import COPYRIGHT, CREATED, WIDTH, wordmark


@pytest.fixture(autouse=True)
def _client(tinify_server: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The client, with this server in place of the service."""
    monkeypatch.setattr(tinify.Client, "API_ENDPOINT", tinify_server.url)
    tinify.key = KEY
    yield
    tinify.key = None


@pytest.fixture
def source() -> tinify.Source:
    return tinify.from_buffer(wordmark())


def _size(data: bytes) -> tuple[int, int]:
    return opened(data).size


def test_a_picture_from_a_file_becomes_a_smaller_file(tmp_path: Path) -> None:
    path = tmp_path / "wordmark.png"
    path.write_bytes(wordmark())
    with path.open("rb") as file:
        sources = [tinify.from_file(str(path)), tinify.from_file(file)]
    made = tmp_path / "made.png"
    for source in sources:
        source.to_file(str(made))
        data = made.read_bytes()
        assert 1000 < len(data) < 1500
        assert opened(data).format == "PNG"
        assert _size(data) == (WIDTH, 21)
        assert COPYRIGHT.encode() not in data


def test_a_picture_from_memory_is_read_and_written_there(source: tinify.Source) -> None:
    data = source.to_buffer()
    assert 1000 < len(data) < 1500
    stream = io.BytesIO()
    source.to_file(stream)
    assert stream.getvalue() == data


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"method": "fit", "width": 50, "height": 20}, (50, 8)),
        ({"method": "scale", "width": 50}, (50, 8)),
        ({"method": "scale", "height": 7}, (46, 7)),
        ({"method": "cover", "width": 20, "height": 20}, (20, 20)),
        ({"method": "scale", "width": 400}, (137, 21)),
        ({"method": "cover", "width": 400, "height": 10}, (137, 10)),
        ({"method": "cover", "width": 20, "height": 20, "gravity": "centre"}, (20, 20)),
    ],
)
def test_every_way_to_resize_gives_the_size_that_is_asked_for(
    source: tinify.Source, options: dict[str, object], size: tuple[int, int]
) -> None:
    result = source.resize(**options).result()
    assert (result.width, result.height) == size
    data = result.to_buffer()
    assert _size(data) == size
    assert (result.size, result.media_type, result.extension) == (len(data), "image/png", "png")
    assert COPYRIGHT.encode() not in data
    if size == (50, 8):
        assert 500 < len(data) < 1000


@pytest.mark.parametrize("type", ["image/webp", ["image/webp"]])
def test_a_conversion_says_what_it_gives(source: tinify.Source, type: object) -> None:
    result = source.convert(type=type).result()
    data = result.to_buffer()
    assert data[:4] == b"RIFF"
    assert data[8:12] == b"WEBP"
    assert 1000 < result.size < len(source.to_buffer())
    assert (result.media_type, result.extension) == ("image/webp", "webp")


def test_of_several_types_the_smallest_result_wins() -> None:
    picture = opened(photograph("rocket")).resize((200, 133))
    source = tinify.from_buffer(unique(encoded(picture, "JPEG", quality=95)))
    types = ["image/webp", "image/avif", "image/jpeg", "image/png"]
    sizes = {type: source.convert(type=type).result().size for type in types}
    for asked in (types, "*/*"):
        result = source.convert(type=asked).result()
        assert result.size == min(sizes.values())
        assert result.size == sizes[result.media_type]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_smallest_that_moves_wins(kind: str) -> None:
    source = tinify.from_buffer(animation(kind))
    for asked in ("*/*", ["image/png", "image/webp"], ["image/jpeg", "image/gif"]):
        assert getattr(opened(source.convert(type=asked).to_buffer()), "n_frames", 1) > 1
    assert opened(source.convert(type="image/avif").to_buffer()).format == "AVIF"


def test_a_transparent_picture_becomes_a_jpeg_only_on_a_background(source: tinify.Source) -> None:
    with pytest.raises(tinify.ClientError, match="transparent") as error:
        source.convert(type="image/jpeg").result()
    assert error.value.status == 400
    result = source.convert(type=["image/jpeg", "image/webp"]).result()
    assert result.media_type == "image/webp"
    on_black = source.convert(type="image/jpeg").transform(background="black").result()
    assert on_black.media_type == "image/jpeg"
    assert on_black.width == WIDTH
    assert opened(on_black.to_buffer()).getpixel((0, 20)) == (0, 0, 0)


def test_a_background_alone_leaves_the_type(source: tinify.Source) -> None:
    data = source.transform(background="#ff0000").to_buffer()
    assert opened(data).format == "PNG"
    assert opened(data).convert("RGBA").getpixel((0, 20)) == (255, 0, 0, 255)


def test_commands_are_taken_in_any_mix(source: tinify.Source) -> None:
    mixed = source.resize(width=50).convert(type="image/webp").transform(background="white")
    result = mixed.result()
    assert (result.width, result.height, result.media_type) == (50, 8, "image/webp")
    assert not opened(result.to_buffer()).has_transparency_data


def test_rights_and_time_stay_in_few_bytes_if_they_are_asked_for(source: tinify.Source) -> None:
    data = source.preserve("copyright", "creation").to_buffer()
    assert 1000 < len(data) < 2000
    assert COPYRIGHT.encode() in data
    assert CREATED[:10].encode() in data
    small = source.resize(method="fit", width=50, height=20).preserve("copyright", "location")
    assert 500 < len(small.to_buffer()) < 1150
    assert COPYRIGHT.encode() in small.to_buffer()
    with pytest.raises(tinify.ClientError, match="Metadata key 'author' not supported"):
        source.preserve("author").to_buffer()


def test_a_thumbnail_keeps_an_object_on_a_plain_background_whole() -> None:
    image = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(image).rectangle((20, 80, 280, 120), "navy")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    source = tinify.from_buffer(buffer.getvalue())
    result = source.resize(method="thumb", width=100, height=100).result()
    assert (result.width, result.height) == (100, 100)
    thumb = opened(result.to_buffer()).convert("L")
    # The sides are white: nothing of the object was cut off.
    for x in (0, 99):
        assert all(int(thumb.crop((x, y, x + 1, y + 1)).tobytes()[0]) > 200 for y in range(100))
    assert min(thumb.tobytes()) < 60


def test_options_of_this_server_pass_through_the_client() -> None:
    source = tinify.from_buffer(unique(photograph("rocket")))
    sizes = [
        source.convert(type="image/webp", quality=quality).result().size for quality in (20, 90)
    ]
    assert sizes[0] * 2 < sizes[1]
    drawn = tinify.from_buffer(wordmark())
    fast, small = (drawn.convert(effort=effort).result().size for effort in ("fast", "small"))
    assert small < fast
    most = sizes[0] // 2
    assert source.convert(type="image/webp", max_bytes=most).result().size <= most
    with pytest.raises(tinify.ClientError, match="of max_bytes"):
        source.convert(type="image/jpeg", max_bytes="0.1K").to_buffer()


def test_the_count_goes_up_by_what_is_made() -> None:
    assert tinify.validate()
    before = tinify.compression_count
    assert before is not None
    source = tinify.from_buffer(unique(photograph("rocket")))
    assert tinify.compression_count == before + 1
    source.to_buffer()
    assert tinify.compression_count == before + 1
    resized = source.resize(method="scale", width=50)
    resized.to_buffer()
    assert tinify.compression_count == before + 2
    resized.convert(type="image/webp").to_buffer()
    assert tinify.compression_count == before + 4
    with pytest.raises(tinify.ClientError):
        source.resize(method="fit", width=-1, height=5).to_buffer()
    assert tinify.compression_count == before + 4
    assert tinify.validate()
    assert tinify.compression_count == before + 4


def test_a_wrong_key_is_an_error_of_the_account() -> None:
    tinify.key = WRONG
    with pytest.raises(tinify.AccountError, match="Credentials are invalid") as error:
        tinify.validate()
    assert error.value.status == 401
    with pytest.raises(tinify.AccountError):
        tinify.from_buffer(wordmark())
    with pytest.raises(tinify.AccountError):
        tinify.from_url("http://example.org/wordmark.png")


@pytest.mark.parametrize(
    ("data", "status", "kind"),
    [
        (b"not a picture", 415, "Unsupported media type"),
        (b"", 400, "InputMissing"),
        (wordmark()[:60], 400, "Decode error"),
    ],
)
def test_a_file_that_is_no_picture_is_an_error_of_the_client(
    data: bytes, status: int, kind: str
) -> None:
    with pytest.raises(tinify.ClientError) as error:
        tinify.from_buffer(data)
    assert error.value.status == status
    assert error.value.kind == kind

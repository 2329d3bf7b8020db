"""How commands are read: strictly where a mistake would make another picture, leniently where
clients are known to mean it."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import InvalidJSON, InvalidOption, UnknownMetadata
from app.web.tinify.commands import NO_COMMANDS, parse_commands, parse_json
from app.web.tinify.resize import Method
from app.web.tinify.types import ANY
from imaging.formats import Format
from imaging.measures import Size

SHOWN = Size(200, 100)


def _fields(**given: Any) -> dict[str, object]:
    """What the commands ask for of a picture of 200 × 100."""
    fields = parse_commands(given).fields(SHOWN)
    return {name: value for name, value in fields.items() if value not in (None, [])}


@pytest.mark.parametrize("body", [b"", b"  \r\n", b"{}", b"null", b'{"resize": null}'])
def test_nothing_is_no_command(body: bytes) -> None:
    assert parse_commands(parse_json(body)) == NO_COMMANDS


@pytest.mark.parametrize(
    "body",
    [b"[]", b'"resize"', b"{", b"{'resize': 1}", b"\xff\xfe\x00", b"[" * 50_000, b'{"a":' * 9_000],
    ids=["list", "text", "cut off", "quotes", "no text", "deep list", "deep object"],
)
def test_what_is_no_object_in_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidJSON):
        parse_json(body)


@pytest.mark.parametrize(
    ("resize", "method", "size"),
    [
        ({"method": "scale", "width": 50}, Method.SCALE, {"width": 50}),
        ({"method": "fit", "width": 50, "height": 20}, Method.FIT, {"width": 50, "height": 20}),
        # As clients send it that know no method.
        ({"width": 50}, Method.SCALE, {"width": 50}),
        ({"width": 50, "height": 20}, Method.FIT, {"width": 50, "height": 20}),
        # 0 and null are a side that was not set.
        ({"method": "scale", "width": 50, "height": 0}, Method.SCALE, {"width": 50}),
        ({"method": "scale", "width": None, "height": 20}, Method.SCALE, {"height": 20}),
        ({"method": "SCALE", "width": "50"}, Method.SCALE, {"width": 50}),
        ({"method": "scale", "width": 50.0}, Method.SCALE, {"width": 50}),
    ],
)
def test_a_size_is_read_as_clients_mean_it(
    resize: dict[str, Any], method: Method, size: dict[str, int]
) -> None:
    commands = parse_commands({"resize": resize})
    assert commands.resize is not None
    assert commands.resize.method is method
    assert {name: value for name, value in _fields(resize=resize).items() if value} == size


@pytest.mark.parametrize(
    ("resize", "says"),
    [
        ({"method": "scale", "width": 50, "height": 20}, "either"),
        ({"method": "scale"}, "either"),
        ({"method": "fit", "width": 50}, "both"),
        ({"method": "cover", "height": 50}, "both"),
        ({"method": "thumb", "width": 0, "height": 50}, "both"),
        ({"method": "crop", "width": 50, "height": 20}, "resize.method"),
        ({"width": -1}, "resize.width"),
        ({"height": 1.5}, "resize.height"),
        ({"height": True}, "resize.height"),
        ({"height": "tall"}, "resize.height"),
        ({"widht": 50}, "widht"),
        ({"method": "fit", "width": 5, "height": 5, "gravity": "centre"}, "gravity"),
        ("50x20", "object"),
    ],
)
def test_a_size_that_cannot_be_is_refused_and_named(resize: Any, says: str) -> None:
    with pytest.raises(InvalidOption, match=says):
        parse_commands({"resize": resize})


@pytest.mark.parametrize(
    ("method", "width", "height", "expected"),
    [
        ("scale", 400, None, {}),
        ("fit", 400, 300, {}),
        ("cover", 400, 300, {}),
        ("thumb", 400, 300, {}),
        ("cover", 400, 50, {"width": 200, "height": 50}),
        ("cover", 100, 300, {"width": 100, "height": 100}),
        ("scale", 10**12, None, {}),
    ],
)
def test_no_picture_is_enlarged(
    method: str, width: int, height: int | None, expected: dict[str, int]
) -> None:
    fields = _fields(resize={"method": method, "width": width, "height": height})
    assert {name: fields[name] for name in fields if name in ("width", "height")} == expected


def test_cover_keeps_where_the_eye_goes_unless_it_is_told() -> None:
    size = {"method": "cover", "width": 50, "height": 50}
    assert _fields(resize=size)["gravity"] == "attention"
    assert _fields(resize={**size, "gravity": "centre"})["gravity"] == "centre"


@pytest.mark.parametrize(
    ("type", "formats"),
    [
        ("image/webp", (Format.WEBP,)),
        (["image/webp"], (Format.WEBP,)),
        (["image/webp", "image/jpg"], (Format.WEBP, Format.JPG)),
        (["image/jpeg", "image/jpg"], (Format.JPG,)),
        ("*/*", ANY),
        (["image/png", "*/*"], (Format.PNG, Format.AVIF, Format.WEBP, Format.JPG)),
        (["image/jxl", "image/webp"], (Format.WEBP,)),
        (" Image/AVIF ", (Format.AVIF,)),
    ],
)
def test_types_are_read_with_their_aliases(type: object, formats: tuple[Format, ...]) -> None:
    commands = parse_commands({"convert": {"type": type}})
    assert commands.formats == formats
    assert commands.compressions == 1


@pytest.mark.parametrize(
    "type", ["image/jxl", ["image/jxl"], "image/tiff", ["image/webp", "text/html"], 5, [None], [[]]]
)
def test_a_type_that_cannot_be_written_is_refused(type: object) -> None:
    with pytest.raises(InvalidOption, match=r"convert\.type"):
        parse_commands({"convert": {"type": type}})


@pytest.mark.parametrize(
    ("colour", "given"),
    [("white", "ffffff"), ("Black", "000000"), ("#FF00aa", "#FF00aa")],
)
def test_colours_have_two_names(colour: str, given: str) -> None:
    assert _fields(transform={"background": colour}) == {"background": given}


def test_metadata_that_is_not_kept_is_named() -> None:
    with pytest.raises(UnknownMetadata, match="Metadata key 'author' not supported"):
        parse_commands({"preserve": ["copyright", "author"]})


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"resize": {"width": 5}}, 1),
        ({"convert": {"type": "image/webp"}}, 1),
        ({"resize": {"width": 5}, "convert": {"type": ["image/webp", "image/avif"]}}, 2),
        ({"preserve": ["copyright"]}, 0),
        ({"transform": {"background": "white"}}, 0),
    ],
)
def test_sizes_and_types_count_and_all_else_is_free(given: dict[str, Any], count: int) -> None:
    assert parse_commands(given).compressions == count


def test_a_command_that_is_unknown_is_refused() -> None:
    with pytest.raises(InvalidOption, match="rezise"):
        parse_commands({"rezise": {"width": 5}})

"""The commands of a request: resize, convert, transform, preserve, store, in any mix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.core.errors import InvalidJSON, InvalidOption, UnknownMetadata
from app.web.service.json_body import parse
from app.web.tinify.delivery import Delivery, parse_delivery
from imaging.formats import Format
from imaging.measures import Size
from imaging.options import Fit
from imaging.values import shown

ANY_TYPE = "*/*"
"""All types that the service itself converts to."""

ANY = (Format.AVIF, Format.WEBP, Format.JPG, Format.PNG)

ALIASES = {"image/jpg": "image/jpeg"}

FOREIGN = frozenset({"image/jxl"})
"""Types of the service that are not written here: passed over among several, refused alone."""

COLOURS = {"white": "ffffff", "black": "000000"}

PRESERVED = {"copyright": "copyright", "creation": "creation", "location": "location"}
"""What the service keeps, and the names of it here."""

_MEMBERS = {
    "resize": {"method", "width", "height", "gravity"},
    "convert": {"type", "quality", "effort", "max_bytes", "preset"},
    "transform": {"background"},
}
_NAMES = {*_MEMBERS, "preserve", "store"}


class Method(StrEnum):
    """How to resize."""

    SCALE = "scale"  # one side
    FIT = "fit"  # within both
    COVER = "cover"  # exactly both
    THUMB = "thumb"  # the same, and what is shown stays whole


@dataclass(frozen=True, slots=True)
class Resize:
    """A new size. One larger than the picture is as large as the picture."""

    method: Method
    width: int | None
    height: int | None
    gravity: object = None

    def fields(self, original: Size) -> dict[str, object]:
        """As fields of an upload; {} where the picture stays as large as it is.

        Args:
            original: the picture as it is shown.
        """
        width = None if self.width is None else min(self.width, original.width)
        height = None if self.height is None else min(self.height, original.height)
        unchanged = width in (None, original.width) and height in (None, original.height)
        if unchanged:
            return {}
        size: dict[str, object] = {"width": width, "height": height}
        match self.method:
            case Method.SCALE | Method.FIT:
                return size
            case Method.COVER:
                return {**size, "fit": Fit.COVER, "gravity": self.gravity or "attention"}
            case Method.THUMB:
                return {**size, "fit": "thumb"}


@dataclass(frozen=True, slots=True)
class Commands:
    """What is to become of a picture."""

    resize: Resize | None = None
    converts: bool = False
    formats: tuple[Format, ...] = ()
    """Of which the smallest result counts; () for the picture's own."""
    quality: object = None
    effort: object = None
    max_bytes: object = None
    preset: object = None
    background: object = None
    keep: tuple[str, ...] = ()
    store: Delivery | None = None

    @property
    def compressions(self) -> int:
        """What a success counts for: keeping metadata, a background and storing are free."""
        return (self.resize is not None) + self.converts

    @property
    def makes(self) -> bool:
        """Whether the result is another one than that of the upload."""
        return any((self.resize, self.converts, self.background, self.keep))

    def fields(self, original: Size) -> dict[str, object]:
        """As fields of an upload, without a format.

        Args:
            original: the picture as it is shown.
        """
        return {
            **(self.resize.fields(original) if self.resize else {}),
            "q": self.quality,
            "background": self.background,
            "keep": list(self.keep),
            "max_bytes": self.max_bytes,
            "preset": self.preset,
        }

    def own(self, original: Size) -> dict[str, object]:
        """What of an upload's fields the client names itself.

        Args:
            original: as for `fields`.
        """
        named = {"format": list(self.formats), "effort": self.effort}
        return {**self.fields(original), **named}


NO_COMMANDS = Commands()


def parse_json(body: bytes) -> Mapping[str, Any]:
    """The members of an object in JSON; none for an empty body, and for null.

    Raises:
        InvalidJSON: if it is something else.
    """
    data = parse(body.strip() or b"{}")
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InvalidJSON("the body is not an object in JSON")
    return {name: value for name, value in data.items() if value is not None}


def parse_commands(given: Mapping[str, Any]) -> Commands:
    """The commands that a request names. Nothing, `{}` and null are no command.

    Raises:
        InvalidOption: if one is unknown or wrong. What is only passed on, such as a colour, is
            looked at when it becomes an option.
    """
    _only("the request", given, _NAMES)
    convert = _object("convert", given.get("convert"), shorthand="type")
    if convert.get("type") == []:  # as none
        convert = {name: value for name, value in convert.items() if name != "type"}
    background = _object("transform", given.get("transform"), shorthand="background").get(
        "background"
    )
    return Commands(
        resize=_resize(_object("resize", given.get("resize"))),
        converts=bool(convert),
        formats=_formats(convert.get("type")),
        quality=convert.get("quality"),
        effort=convert.get("effort"),
        max_bytes=convert.get("max_bytes"),
        preset=convert.get("preset"),
        background=_colour(background),
        keep=_preserved(given.get("preserve")),
        store=parse_delivery(given["store"]) if given.get("store") else None,
    )


def parse_source(given: Mapping[str, Any]) -> str:
    """The URL that a request names in place of a picture.

    Raises:
        InvalidOption: if it names none.
    """
    _only("the request", given, {"source"})
    source = given.get("source")
    url = source.get("url") if isinstance(source, dict) else None
    if not isinstance(url, str):
        raise InvalidOption("'source' should have a 'url'")
    return url


def _object(name: str, value: object, shorthand: str | None = None) -> Mapping[str, Any]:
    """The members of a command that are not null.

    Args:
        shorthand: the member that a value stands for that is not an object.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        if shorthand is None:
            raise InvalidOption(f"'{name}' should be an object (it is {shown(value)})")
        value = {shorthand: value}
    members = {key: member for key, member in value.items() if member is not None}
    if name in _MEMBERS:
        _only(f"'{name}'", members, _MEMBERS[name])
    return members


def _only(what: str, given: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(given.keys() - known):
        raise InvalidOption(f"{what} has no {shown(unknown[0])}; it has {', '.join(sorted(known))}")


def _resize(given: Mapping[str, Any]) -> Resize | None:
    width, height = _side("width", given.get("width")), _side("height", given.get("height"))
    sides = (width is not None) + (height is not None)
    named = given.get("method")
    if named is None:
        if not sides:
            if given.get("gravity") is not None:
                raise InvalidOption("'resize' should have a width or a height")
            return None
        # As clients mean it that name none.
        method = Method.SCALE if sides == 1 else Method.FIT
    else:
        method = _method(named)
    wanted = 1 if method is Method.SCALE else 2
    if sides != wanted:
        what = "either a width or a height" if wanted == 1 else "both a width and a height"
        raise InvalidOption(f"'resize' with method '{method}' should have {what}")
    gravity = given.get("gravity")
    if gravity is not None and method is not Method.COVER:
        raise InvalidOption(f"'resize.gravity' needs the method '{Method.COVER}'")
    return Resize(method, width, height, gravity)


def _method(named: object) -> Method:
    try:
        return Method(named.strip().lower() if isinstance(named, str) else "")
    except ValueError:
        raise InvalidOption(
            f"'resize.method' should be one of {', '.join(Method)} (it is {shown(named)})"
        ) from None


def _side(name: str, value: object) -> int | None:
    """Pixels; None where nothing or 0 is given, which some clients send for nothing."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:10])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or value == "":
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidOption(f"'resize.{name}' should be at least 1 (it is {shown(value)})")
    return value or None


def _formats(value: object) -> tuple[Format, ...]:
    if value is None:
        return ()
    named: Sequence[object] = value if isinstance(value, list) else [value]
    formats: list[Format] = []
    foreign = False
    for each in named:
        name = each.strip().lower() if isinstance(each, str) else ""
        name = ALIASES.get(name, name)
        if name == ANY_TYPE:
            formats += ANY
        elif name in _BY_TYPE:
            formats.append(_BY_TYPE[name])
        elif name in FOREIGN and len(named) > 1:
            foreign = True
        else:
            types = ", ".join((*_BY_TYPE, ANY_TYPE))
            raise InvalidOption(f"'convert.type' should be one of {types} (it is {shown(each)})")
    if foreign and not formats:
        raise InvalidOption(f"none of {shown(value)} can be written here")
    return tuple(dict.fromkeys(formats))


_BY_TYPE = {format.media_type: format for format in Format if format.media_type not in FOREIGN}


def _colour(value: object) -> object:
    return COLOURS.get(value.strip().lower(), value) if isinstance(value, str) else value


def _preserved(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list):
        raise InvalidOption(f"'preserve' should be a list (it is {shown(value)})")
    kept = []
    for each in names:
        name = each.strip().lower() if isinstance(each, str) else each
        if name == "":
            continue
        if not isinstance(name, str) or name not in PRESERVED:
            raise UnknownMetadata(f"Metadata key {shown(each)} not supported")
        kept.append(PRESERVED[name])
    return tuple(dict.fromkeys(kept))

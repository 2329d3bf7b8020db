"""The commands of a request: resize, convert, transform, preserve, store, in any mix."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from app.core.errors import InvalidJSON, InvalidOption, UnknownMetadata
from app.web.service.json_body import parse
from app.web.tinify.delivery import STORE, Delivery, parse_delivery
from app.web.tinify.described import NUMBER, TEXT, an_object
from app.web.tinify.resize import RESIZE, Resize, parse_resize
from app.web.tinify.types import TYPES, parse_types
from imaging.formats import Format
from imaging.measures import Size
from imaging.options import Effort
from imaging.options.values import shown

COLOURS = {"white": "ffffff", "black": "000000"}

PRESERVED = {"copyright": "copyright", "creation": "creation", "location": "location"}
"""What the service keeps, and the names of it here."""

COMMANDS = an_object(
    {},
    {
        "resize": RESIZE,
        "convert": {
            **an_object(
                {},
                {
                    "type": TYPES,
                    "quality": {"type": "integer", "minimum": 1, "maximum": 100},
                    "effort": {"type": "string", "enum": [str(effort) for effort in Effort]},
                    "max_bytes": {"oneOf": [NUMBER, TEXT]},
                    "preset": TEXT,
                },
            ),
            "description": "`quality`, `effort`, `max_bytes` and `preset` are of this server "
            "alone.",
        },
        "transform": an_object({}, {"background": {**TEXT, "example": "#ffffff"}}),
        "store": STORE,
        "preserve": {"type": "array", "items": {"type": "string", "enum": list(PRESERVED)}},
    },
)
"""Their schema."""

_NAMES = COMMANDS["properties"].keys()
_MEMBERS = {
    name: COMMANDS["properties"][name]["properties"].keys()
    for name in ("resize", "convert", "transform")
}


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
    """The commands that a request names. Nothing, `{}` and null are not a command.

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
        resize=parse_resize(_object("resize", given.get("resize"))),
        converts=bool(convert),
        formats=parse_types(convert.get("type")),
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
        InvalidOption: if it names no URL.
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


def _only(what: str, given: Mapping[str, Any], known: Collection[str]) -> None:
    if unknown := sorted(given.keys() - set(known)):
        raise InvalidOption(f"{what} has no {shown(unknown[0])}; it has {', '.join(sorted(known))}")


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

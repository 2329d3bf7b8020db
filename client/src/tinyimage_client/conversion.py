"""What is asked of a picture, as fields of an upload and as a query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tinyimage_client.errors import InvalidOption

OptionValue = str | int | float | bool | Iterable[str | int] | None
"""Of an option: text, a number, a flag, or several words or numbers. None, like a list of nothing,
is an option that is not given."""

DEFAULT_FORMAT = "webp"
"""What the server makes without a format."""

DEFAULT_QUALITY = 80
"""What the server takes without a quality."""

AUTO = ("auto", "auto:high", "auto:low")
"""The looks at which a server finds the quality by itself."""

OPEN = "auto"
"""What leaves the format to the server."""

FORMATS = "formats"
"""The option that is a format of several names."""

UPLOADED = frozenset({"preset", "batch", "webhook"})
"""Options that only an upload has: a batch and a webhook are told of it, and what a preset stands
for the server alone knows."""

UNTOLD = frozenset({"alpha", "damaged", "effort", "fit", "gravity", "lossless", "priority"})
"""Options that the server's details of a conversion may leave out although they were given: the
details have what differs from the defaults, and a priority is not part of a conversion."""

UNFIT = {
    "url": "url is not an option here: it stands in place of a picture",
    "widths": "widths has several results: compress the picture once for each width instead",
}
"""Fields of an upload whose answer is none that is read here, and why each is refused."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A format, a quality and options."""

    format: str
    """One, `same`, `OPEN`, or several with commas; nothing for the server's default, or that of a
    preset."""
    q: str | None
    """1 to 100, or one of `AUTO`; None for the server's default."""
    options: Mapping[str, str]

    @classmethod
    def of(
        cls,
        format: str | Iterable[str] | None,
        q: int | str | None,
        options: Mapping[str, OptionValue],
    ) -> Conversion:
        """The conversion with these options, each as text.

        Raises:
            InvalidOption: if one cannot be sent.
        """
        texts = {
            name: text
            for name, value in options.items()
            if (text := _text(name, value)) is not None
        }
        if FORMATS in texts:
            texts[FORMATS] = _names(texts[FORMATS])
        named = _names(_text("format", format) or "")
        if named and texts.get(FORMATS):
            raise InvalidOption("format and formats exclude each other")
        for name, reason in UNFIT.items():
            if name in texts:
                raise InvalidOption(reason)
        return cls(named, _text("q", q), texts)

    @property
    def is_open(self) -> bool:
        """Whether the server chooses the format."""
        return self.format == OPEN or "," in self.format or FORMATS in self.options

    @property
    def named_format(self) -> str:
        """The format, or that which the server makes without one."""
        return self.format or DEFAULT_FORMAT

    @property
    def is_uploaded(self) -> bool:
        """Whether the picture has to be sent even if the server has the result."""
        return not UPLOADED.isdisjoint(self.options)

    @property
    def told_options(self) -> frozenset[str]:
        """The options that are in the server's details of the conversion, whatever values they
        have."""
        return frozenset(self.options) - UNTOLD

    @property
    def fields(self) -> dict[str, str]:
        """The fields of an upload."""
        format = {"format": self.format} if self.format else {}
        return {**format, **self._quality, **self.options}

    @property
    def query(self) -> dict[str, str]:
        """The query of the download that gets this result and no other, whatever the server has
        made of the picture. There is none of a conversion that `is_uploaded`."""
        # Without a single option it would also be answered with a result that has some.
        fields = {**self.fields, "lossless": self.options.get("lossless", "false")}
        if not self.is_open:  # by name, too: without it a download finds any format
            return {**fields, "format": self.named_format}
        # A download with `format=auto` is another choice.
        format = fields.pop("format", None)
        return fields if format is None else {**fields, FORMATS: format}

    @property
    def _quality(self) -> dict[str, str]:
        if self.q is not None:
            return {"q": self.q}
        if "preset" in self.options:  # whose own it would replace
            return {}
        # By name: without it a download finds any quality.
        return {"quality": str(DEFAULT_QUALITY)}


def _names(text: str) -> str:
    """Formats with commas between them, each as the server names it."""
    names = [name.strip().lower() for name in text.split(",")]
    return ",".join({"jpeg": "jpg"}.get(name, name) for name in names if name)


def _text(name: str, value: object) -> str | None:
    """The value of an option as a form has it; None if it is not given.

    Raises:
        InvalidOption: if it has none.
    """
    if value is None:
        return None
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | bytearray | Mapping):
        parts = list(value)
        if not parts:
            return None
    else:
        parts = [value]
    for part in parts:
        if not isinstance(part, str | int | float):
            raise InvalidOption(
                f"{name} should be text, a number, or a list of these (it is {value!r})"
            )
    text = ",".join(_word(part) for part in parts)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidOption(f"{name} should be Unicode (it is {text!r})") from None
    return text


def _word(part: object) -> str:
    return str(part).lower() if isinstance(part, bool) else str(part)

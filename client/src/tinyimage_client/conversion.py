"""What is asked of a picture, as fields of an upload and as a query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

OptionValue = str | int | float | bool | Iterable[str] | None
"""Of an option: text, a number, a flag, or several words. None is an option that is not given."""

DEFAULT_FORMAT = "webp"

DEFAULT_QUALITY = 80
"""What the server takes without a quality."""

AUTO = ("auto", "auto:high", "auto:low")
"""The looks at which a server finds the quality by itself."""


OPEN = "auto"
"""What leaves the format to the server."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A format, a quality and options."""

    format: str
    """One, `same`, `OPEN`, or several with commas."""
    q: int | str | None
    """1 to 100, or one of `AUTO`; None for the server's default."""
    options: Mapping[str, str]

    @classmethod
    def of(cls, format: str, q: int | str | None, options: Mapping[str, OptionValue]) -> Conversion:
        """The conversion with these options, each as text."""
        texts = {name: _text(value) for name, value in options.items() if value is not None}
        names = [name.strip().lower() for name in format.split(",")]
        return cls(",".join({"jpeg": "jpg"}.get(name, name) for name in names if name), q, texts)

    @property
    def is_open(self) -> bool:
        """Whether the server chooses the format."""
        return self.format == OPEN or "," in self.format

    @property
    def fields(self) -> dict[str, str]:
        """The fields of an upload."""
        return {"format": self.format, **self._quality, **self.options}

    @property
    def query(self) -> dict[str, str]:
        """The query of the download that gets this result and no other, whatever the server has
        made of the picture."""
        # Without a single option it would also be answered with a result that has some.
        fields = {**self.fields, "lossless": self.options.get("lossless", "false")}
        if self.is_open:  # a download with `format=auto` is another choice
            fields["formats"] = fields.pop("format")
        return fields

    @property
    def _quality(self) -> dict[str, str]:
        if self.q is None:
            # By name: without it a download finds any quality.
            return {"quality": str(DEFAULT_QUALITY)}
        return {"q": str(self.q)}


def _text(value: str | int | float | bool | Iterable[str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return ",".join(value)

"""Presets: sets of options that the operator names, and what clients may ask for themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import InvalidOption, NotAllowed, TinyImageError, told
from app.core.picture.conversion import parse_conversion_request
from app.core.picture.formats import FORMAT, FORMATS, is_nothing, opened
from imaging.formats import AUTO_FORMATS, Format
from imaging.options import OPTION_NAMES, Effort
from imaging.options.values import Number, shown

PRESET = "preset"
"""The field that names one."""

CHOICES = frozenset({"quality", *OPTION_NAMES})
"""The fields of a client that are not its format."""

_QUALITIES = frozenset({"quality", "q", "lossless"})
"""The fields of the quality: one that a client gives replaces all those of a preset."""

_FORMATS = frozenset({FORMAT, FORMATS})
"""The fields of the format, likewise."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_ANY_KIND = "image/png"
"""A kind of picture that `same` can do all with."""

Preset = Mapping[str, Any]
"""Fields as an upload has them."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The formats and options that clients of an API key may ask for; None is any."""

    formats: frozenset[Format] | None = None
    """The formats of their results."""
    options: frozenset[str] | None = None
    """The fields that they may give themselves; a preset may hold any."""

    def check_format(self, format: Format) -> None:
        """See whether a result may be of this format.

        Raises:
            NotAllowed: if not.
        """
        if self.formats is not None and format not in self.formats:
            names = ", ".join(each for each in Format if each in self.formats)
            raise NotAllowed(f"This API key gives {names}, and not {format}")


ANYTHING = Allowed()


@dataclass(frozen=True, slots=True)
class Presets:
    """The presets, and the limits of what is asked for."""

    sets: Mapping[str, Preset] = field(default_factory=dict)
    only: bool = False
    """Whether clients name a preset, and nothing beside it."""
    allowed: Mapping[str, Allowed] = field(default_factory=dict)
    """By the names of the API keys."""
    auto: tuple[Format, ...] = AUTO_FORMATS
    """The formats that `auto` may become."""

    def of_key(self, key: str | None) -> Allowed:
        """The formats and options that clients of the key with this name may ask for."""
        return self.allowed.get(key, ANYTHING) if key is not None else ANYTHING

    def expanded(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """The fields with those of the preset that they name. A field of their own wins.

        Raises:
            InvalidOption: if there is no such preset.
        """
        name = given.get(PRESET)
        if is_nothing(name):
            return given
        preset = self.sets.get(name.strip()) if isinstance(name, str) else None
        if preset is None:
            known = f"one of {', '.join(self.sets)}" if self.sets else "left out: there are none"
            raise InvalidOption(f"preset should be {known} (it is {shown(name)})")
        own = {key: value for key, value in given.items() if not is_nothing(value)}
        replaced = {n for group in (_QUALITIES, _FORMATS) if group & own.keys() for n in group}
        return {**{k: v for k, v in preset.items() if k not in replaced}, **own}

    def opened(self, given: Mapping[str, Any], key: str | None) -> Mapping[str, Any]:
        """The fields, with the preset in them, as `formats.opened` has them for a client.

        Args:
            key: the name of its API key.

        Raises:
            as that.
        """
        return opened(given, self.auto, self.of_key(key).formats)

    @property
    def _names(self) -> str:
        return ", ".join(self.sets)

    def check_named(self, given: Mapping[str, Any]) -> None:
        """See whether a preset is named where one has to be.

        Raises:
            NotAllowed: if not.
        """
        if self.only and is_nothing(given.get(PRESET)):
            raise NotAllowed(f"This server takes presets alone: name one of {self._names}")

    def check(self, given: Mapping[str, Any], key: str | None) -> None:
        """See whether a client may ask for this, before a preset is put in.

        Raises:
            NotAllowed: if not; it says what.
        """
        chosen = [name for name in (FORMAT, *sorted(CHOICES)) if not is_nothing(given.get(name))]
        if self.only and chosen:
            raise NotAllowed(f"This server takes presets alone ({self._names}): no {chosen[0]}")
        options = self.of_key(key).options
        refused = [] if options is None else [n for n in chosen if n not in _FORMATS | options]
        if refused and options is not None:
            known = ", ".join(sorted(options)) or "no options"
            raise NotAllowed(f"This API key allows {known}, and not {refused[0]}")


def parse_presets(value: object) -> object:
    """The mapping of names to sets, also as JSON.

    Raises:
        ValueError: if a text is not JSON.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return {}
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError("should be names and sets of options, in JSON") from None


def check_presets(
    presets: Mapping[str, Mapping[str, Any]],
    effort: Effort,
    max_pixels: int,
    auto: Sequence[Format],
) -> Mapping[str, Preset]:
    """The presets, if an upload could ask for each.

    Args:
        effort: of pictures without one.
        max_pixels: pixels of the largest picture that may be asked for.
        auto: what the format `auto` may become.

    Raises:
        ValueError: if not; it says which, and why.
    """
    for name, fields in presets.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name}: names should be letters, digits, '.', '_' and '-'")
        known = sorted({FORMAT, *CHOICES})
        if unknown := [field for field in fields if field not in known]:
            raise ValueError(f"{name}: {unknown[0]} is not an option; there are {', '.join(known)}")
        try:
            if (quality := fields.get("quality")) is not None:
                with told():
                    Number(1, 100).parse("quality", quality)
            request = parse_conversion_request(opened(fields, auto), effort, max_pixels)
            request.conversion("", _ANY_KIND)
        except TinyImageError as error:
            raise ValueError(f"{name}: {error}") from None
    return presets


def allowed_formats(names: Iterable[str] | None) -> frozenset[Format] | None:
    """The formats of these names, None for any.

    Raises:
        ValueError: if there is no such format.
    """
    if names is None:
        return None
    try:
        return frozenset(Format(name) for name in names)
    except ValueError:
        raise ValueError(f"formats should be some of {', '.join(Format)}") from None


def allowed_options(names: Iterable[str] | None) -> frozenset[str] | None:
    """The options of these names, None for any.

    Raises:
        ValueError: if there is no such option.
    """
    if names is None:
        return None
    chosen = frozenset(names)
    if not chosen <= CHOICES:
        raise ValueError(f"options should be some of {', '.join(sorted(CHOICES))}")
    return chosen

"""How options are declared, and what follows from a declaration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Generic, Self, TypeVar, cast

from imaging.options.values import Kind

T = TypeVar("T")


@dataclass(frozen=True)
class Option(Generic[T]):
    """The declaration of an option."""

    kind: Kind[T]
    default: T | None
    """What counts without it; None where something else decides, as the sentence says."""
    sentence: str
    """For the docs."""
    example: str
    """As a form has it."""
    changes_pixels: bool
    """Whether a picture's own pixels are another result than what is asked for."""
    looks_first: bool = False
    """Whether the pixels, all of them and at their full size, say what the result shows: how large
    that is, and how much of the picture, is not known before."""
    resizes: bool = False
    """Whether it is of the size that the picture gets, and of what is cut off or added for that."""


def option(
    kind: Kind[Any],
    default: T,
    sentence: str,
    example: str,
    *,
    changes_pixels: bool = True,
    looks_first: bool = False,
    resizes: bool = False,
) -> T:
    """A field of `Options`. One that does not say so changes pixels: it is not answered with the
    picture as it came."""
    declared = Option(kind, default, sentence, example, changes_pixels, looks_first, resizes)
    declared_field: T = field(default=default, metadata={"option": declared})
    return declared_field


class Declared:
    """A frozen dataclass whose fields are options."""

    __slots__ = ()

    @property
    def changes_pixels(self) -> bool:
        """Whether a picture's own pixels are another result than what is asked for."""
        return any(option.changes_pixels for option, _ in self._chosen().values())

    @property
    def looks_first(self) -> bool:
        """Whether the pixels say which part of the picture the result shows."""
        return any(option.looks_first for option, _ in self._chosen().values())

    def to_dict(self) -> dict[str, Any]:
        """What differs from the defaults, as JSON data; {} if nothing does."""
        return {name: o.kind.to_json(value) for name, (o, value) in self._chosen().items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The options that `to_dict` described."""
        declared = declared_by(cls)  # type: ignore[arg-type]
        return cls(**{name: declared[name].kind.from_json(value) for name, value in data.items()})

    @property
    def name(self) -> str:
        """The options as a part of a job id: letters, digits, - and _; "" for the defaults."""
        texts = {name: o.kind.text(value, "_") for name, (o, value) in self._chosen().items()}
        return "-".join(f"{name}_{_escaped(text)}" for name, text in texts.items())

    def __str__(self) -> str:
        """The options for people, as they would be asked for; "" for the defaults."""
        return " ".join(f"{name}={value}" for name, value in self.to_text().items())

    def to_text(self) -> dict[str, str]:
        """What differs from the defaults, as it would be asked for in a form or a query."""
        return {name: o.kind.text(value) for name, (o, value) in self._chosen().items()}

    def _chosen(self) -> Mapping[str, tuple[Option[Any], Any]]:
        """Declaration and value of each option that differs from its default."""
        return _chosen_of(self)


@lru_cache
def _chosen_of(options: Declared) -> Mapping[str, tuple[Option[Any], Any]]:
    # Kept, as it is asked for several times in each request, and most have the same options.
    return {
        name: (option, value)
        for name, option in declared_by(type(options)).items()  # type: ignore[arg-type]
        if (value := getattr(options, name)) != option.default
    }


@lru_cache
def declared_by(options: type[Declared]) -> Mapping[str, Option[Any]]:
    """The options that a class declares, by their names."""
    return {field.name: field.metadata["option"] for field in fields(cast(Any, options))}


def _escaped(text: str) -> str:
    """Text for a job id, different for different texts: what a storage key or RQ may take for
    something else is written as X and the two hex digits of each of its bytes."""
    return re.sub("[^a-z0-9_]", lambda match: _in_hex(match[0]), text)


def _in_hex(character: str) -> str:
    return "".join(f"X{byte:02x}" for byte in character.encode())

"""The kinds of value that an option can have: how it is asked for, and how it is kept."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar

from imaging.errors import InvalidOption

T = TypeVar("T")
C = TypeVar("C", bound=StrEnum)

MOST_BYTES = 999_999_999
"""The most that may be asked for."""

Schema = dict[str, Any]
"""JSON Schema, as OpenAPI 3.0 has it."""

_COLOUR = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_DIGITS = re.compile(r"[0-9]{1,9}")
_REAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,20})?")
_BYTES = re.compile(
    r"(?:(?P<whole>[0-9]{1,9}) ?|(?P<number>[0-9]{1,9}(?:\.[0-9]{1,9})?) ?(?P<unit>[KM]))B?",
    re.IGNORECASE,
)
_UNITS = {"K": 1000, "M": 1_000_000}
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Kind(ABC, Generic[T]):
    @abstractmethod
    def parse(self, name: str, given: object) -> T:
        """The value that a client gives the option `name`: text without blanks around it, or what
        JSON knows; never nothing.

        Raises:
            InvalidOption: if it is another kind of value.
        """

    @abstractmethod
    def schema(self) -> Schema:
        """The value as a client asks for it in a form or a query."""

    def kept(self) -> Schema:
        """The value as JSON keeps it, and answers tell it."""
        return self.schema()

    @abstractmethod
    def allowed(self) -> str:
        """The values, in a few words for a table."""

    def to_json(self, value: T) -> Any:
        """The value as JSON keeps it."""
        return value

    def from_json(self, data: Any) -> T:
        """The value that `to_json` gave."""
        value: T = data
        return value

    def text(self, value: T, separator: str = ",") -> str:
        """The value as it would be asked for in a form."""
        return str(value).lower()


class Flag(Kind[bool]):
    """Yes or no."""

    def parse(self, name: str, given: object) -> bool:
        if isinstance(given, bool):
            return given
        flag = _WORDS.get(str(given).lower()) if isinstance(given, str | int) else None
        if flag is None:
            raise InvalidOption(f"{name} should be true or false (it is {shown(given)})")
        return flag

    def schema(self) -> Schema:
        return {"type": "boolean"}

    def allowed(self) -> str:
        return "true, false"


@dataclass(frozen=True)
class Number(Kind[int]):
    """A whole number between two others."""

    minimum: int
    maximum: int
    what: str = "a number"
    """What it should be, in the sentence that refuses another one."""

    def parse(self, name: str, given: object) -> int:
        number = int(given) if isinstance(given, str) and _DIGITS.fullmatch(given) else given
        whole = isinstance(number, int) and not isinstance(number, bool)
        if not whole or not self.minimum <= number <= self.maximum:  # type: ignore[operator]
            raise InvalidOption(
                f"{name} should be {self.what} from {self.minimum} to {self.maximum} "
                f"(it is {shown(given)})"
            )
        return number  # type: ignore[return-value]

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}

    def allowed(self) -> str:
        return f"{self.minimum} to {self.maximum}"


class Bytes(Kind[int]):
    """A whole number of bytes, or any with K or M, a thousand or a million of them: the file also
    fits where K is 1024. A fraction without either is most likely one whose unit is missing."""

    def parse(self, name: str, given: object) -> int:
        whole = isinstance(given, int) and not isinstance(given, bool)
        match = _BYTES.fullmatch(str(given)) if whole or isinstance(given, str) else None
        number = 0
        if match is not None:
            digits, unit = match["whole"], match["unit"]
            number = int(digits or Decimal(match["number"]) * _UNITS[unit.upper()])
        if not 1 <= number <= MOST_BYTES:
            raise InvalidOption(
                f"{name} should be a whole number of bytes from 1 to {MOST_BYTES}, or one with K "
                f"or M, such as 200K or 1.5M "
                f"(it is {shown(given)})"
            )
        return number

    def schema(self) -> Schema:
        return {
            "type": "string",
            "pattern": "^([1-9][0-9]{0,8}|([1-9][0-9]{0,2}(\\.[0-9]{1,3})?|0\\.[0-9]{0,2}[1-9])"
            " ?[kKmM])[bB]?$",
        }

    def kept(self) -> Schema:
        return {"type": "integer", "minimum": 1, "maximum": MOST_BYTES}

    def allowed(self) -> str:
        return "whole bytes; 200K, 1.5M"


@dataclass(frozen=True)
class Real(Kind[float]):
    """A number between two others, of which two decimals count."""

    minimum: float
    maximum: float

    def parse(self, name: str, given: object) -> float:
        text = str(given) if isinstance(given, str | int | float) else ""
        number = round(float(text), 2) if _REAL.fullmatch(text) else math.nan
        if not self.minimum <= number <= self.maximum:  # nor is NaN
            raise InvalidOption(
                f"{name} should be a number from {self.minimum:g} to {self.maximum:g} "
                f"(it is {shown(given)})"
            )
        return number

    def schema(self) -> Schema:
        return {"type": "number", "minimum": self.minimum, "maximum": self.maximum}

    def allowed(self) -> str:
        return f"{self.minimum:g} to {self.maximum:g}"

    def text(self, value: float, separator: str = ",") -> str:
        return f"{value:g}"


@dataclass(frozen=True)
class Choice(Kind[C]):
    """One of several words."""

    choices: type[C]
    sentence: str
    """What they mean, for the docs."""
    aliases: Mapping[str, C] = field(default_factory=dict)

    def parse(self, name: str, given: object) -> C:
        word = self.aliases.get(given, given) if isinstance(given, str) else ""
        try:
            return self.choices(word.lower())
        except ValueError:
            raise InvalidOption(
                f"{name} should be one of {', '.join(self.choices)} (it is {shown(given)})"
            ) from None

    def schema(self) -> Schema:
        return {"type": "string", "enum": [str(choice) for choice in self.choices]}

    def allowed(self) -> str:
        return ", ".join(self.choices)

    def from_json(self, data: Any) -> C:
        return self.choices(data)


@dataclass(frozen=True)
class NumberOr(Kind[int | C]):
    """A whole number, or one of several words. Kept is a word alone: a number has another place."""

    number: Number
    choice: Choice[C]

    def parse(self, name: str, given: object) -> int | C:
        try:
            is_word = isinstance(given, str) and _DIGITS.fullmatch(given) is None
            return (self.choice if is_word else self.number).parse(name, given)
        except InvalidOption:
            raise InvalidOption(
                f"{name} should be {self.number.what} from {self.number.minimum} to "
                f"{self.number.maximum}, or one of {self.choice.allowed()} (it is {shown(given)})"
            ) from None

    def schema(self) -> Schema:
        return {"oneOf": [self.number.schema(), self.choice.schema()]}

    def kept(self) -> Schema:
        return self.choice.schema()

    def allowed(self) -> str:
        return f"{self.number.allowed()}, {self.choice.allowed()}"

    def from_json(self, data: Any) -> C:
        return self.choice.from_json(data)


@dataclass(frozen=True)
class Several(Kind[tuple[C, ...]]):
    """Some of several words: without repetition, in their own order."""

    choices: type[C]
    sentence: str
    """What they mean, for the docs."""
    aliases: Mapping[str, C] = field(default_factory=dict)

    def parse(self, name: str, given: object) -> tuple[C, ...]:
        words = given.split(",") if isinstance(given, str) else given
        if not isinstance(words, list | tuple):
            raise InvalidOption(
                f"{name} should be some of {', '.join(self.choices)} (it is {shown(given)})"
            )
        one = Choice(self.choices, self.sentence, self.aliases)
        wanted = {one.parse(name, w.strip() if isinstance(w, str) else w) for w in words}
        return tuple(choice for choice in self.choices if choice in wanted)

    def schema(self) -> Schema:
        words = "|".join(self.choices)
        return {"type": "string", "pattern": f"^({words})(,({words}))*$"}

    def kept(self) -> Schema:
        return {"type": "array", "items": Choice(self.choices, self.sentence).schema()}

    def allowed(self) -> str:
        return f"some of {', '.join(self.choices)}"

    def to_json(self, value: tuple[C, ...]) -> list[C]:
        return list(value)

    def from_json(self, data: Any) -> tuple[C, ...]:
        return tuple(self.choices(word) for word in data)

    def text(self, value: tuple[C, ...], separator: str = ",") -> str:
        return separator.join(value)


class Colour(Kind[str]):
    """A colour, kept as six lower-case hex digits."""

    def parse(self, name: str, given: object) -> str:
        match = _COLOUR.fullmatch(given) if isinstance(given, str) else None
        if match is None:
            raise InvalidOption(
                f"{name} should be a colour such as ffffff or #fff (it is {shown(given)})"
            )
        digits = match[1].lower()
        return digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{_COLOUR.pattern}$"}

    def kept(self) -> Schema:
        return {"type": "string", "description": "Six hex digits.", "pattern": "^[0-9a-f]{6}$"}

    def allowed(self) -> str:
        return "ffffff, #fff"


def shown(value: object) -> str:
    """A client's value in a sentence, cut off where it is long."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"

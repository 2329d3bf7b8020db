"""Whatever option is declared, and whatever value it has: nothing else has to be told of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st

from app.core.picture import paths
from app.core.picture.conversion import Conversion
from imaging.errors import InvalidOption
from imaging.formats import Format
from imaging.limits import Limits
from imaging.options import DEFAULTS, OPTIONS, Options
from imaging.options.declared import declared_by, option
from imaging.options.values import Kind, NumberOr, Schema
from imaging.results import own
from imaging.source import Source
from imaging.target import Target

MD5 = "0123456789abcdef" * 2
TOKEN = "00ff"
ID = re.compile(r"[A-Za-z0-9_-]+")
"""What RQ takes for an id."""


class Text(Kind[str]):
    """The most that a value can hold."""

    def parse(self, name: str, given: object) -> str:
        return str(given)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"[\s\S]+"}

    def allowed(self) -> str:
        return "any text"

    def text(self, value: str, separator: str = ",") -> str:
        return value


@dataclass(frozen=True, slots=True)
class Toy(Options):
    """With an option of which nothing is said but what has to be."""

    toy: str | None = option(Text(), None, "A toy.", "1.5")


DECLARED = declared_by(Toy)


def _asked(schema: Schema) -> st.SearchStrategy[Any]:
    """What a client may ask for, by the schema it is told."""
    match schema:
        case {"enum": values}:
            return st.sampled_from(values)
        case {"type": "boolean"}:
            return st.booleans()
        case {"type": "integer"}:
            return st.integers(schema["minimum"], schema["maximum"])
        case {"type": "number"}:
            return st.floats(schema.get("minimum", 0.01), schema["maximum"])
        case {"type": "string", "pattern": pattern}:
            return st.from_regex(pattern.encode().decode(), fullmatch=True)
    raise AssertionError(f"a kind of value that this test does not make: {schema}")


def _value(name: str) -> st.SearchStrategy[Any]:
    kind = DECLARED[name].kind
    if isinstance(kind, NumberOr):  # a number is kept as the quality
        kind = kind.choice
    return _asked(kind.schema()).map(lambda given: kind.parse(name, given))


def _options() -> st.SearchStrategy[Toy]:
    """Any options, whether or not they go together."""
    values = {name: st.just(declared.default) | _value(name) for name, declared in DECLARED.items()}
    return st.builds(Toy, **values)


@given(_options(), st.sampled_from(Format), st.integers(0, 100))
def test_a_storage_key_tells_whose_it_is_whatever_the_options(
    options: Toy, format: Format, quality: int
) -> None:
    conversion = Conversion(MD5, format, quality, options)
    owner = paths.Owner(conversion.job_id, TOKEN)
    assert paths.owner(paths.original(conversion, TOKEN)) == owner
    assert paths.owner(paths.result(conversion, TOKEN)) == owner
    assert ID.fullmatch(conversion.job_id)


@given(_options(), _options())
def test_other_options_are_another_job(one: Toy, other: Toy) -> None:
    first, second = (Conversion(MD5, Format.PNG, 0, options).job_id for options in (one, other))
    assert (first == second) == (one == other)


@given(_options())
def test_options_come_back_from_json_as_they_were(options: Toy) -> None:
    assert Toy.from_dict(json.loads(json.dumps(options.to_dict()))) == options


@pytest.mark.parametrize("name", DECLARED)
def test_a_picture_as_it_came_is_no_answer_to_an_option_that_changes_pixels(name: str) -> None:
    declared = DECLARED[name]
    source = Source("image/png", pyvips.Image.black(1, 1))

    @given(_value(name))
    def check(value: Any) -> None:
        options = replace(Toy(), **{name: value})
        target = Target(Format.PNG, 0, Limits(), options=options)
        untouched = value == declared.default or not declared.changes_pixels
        assert own.is_replaceable(source, target) == untouched

    check()


def test_what_does_not_say_that_it_keeps_the_pixels_changes_them() -> None:
    assert DECLARED["toy"].changes_pixels
    kept = {name for name, declared in OPTIONS.items() if not declared.changes_pixels}
    assert kept == {
        *("formats", "lossless", "alpha", "damaged", "effort", "keep", "placeholder"),
        *("max_bytes", "q"),
    }


@pytest.mark.parametrize("name", OPTIONS)
def test_the_example_of_an_option_is_one_of_its_values(name: str) -> None:
    declared = OPTIONS[name]
    value = declared.kind.parse(name, declared.example)
    assert value != declared.default
    assert declared.kind.text(value) == declared.example
    assert getattr(DEFAULTS, name) == declared.default
    with pytest.raises(InvalidOption, match=name):
        declared.kind.parse(name, object())

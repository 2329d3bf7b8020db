"""The client knows which options the server's details of a conversion leave out: else it would send
a picture that the server is converting already."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tinyimage_client.conversion import UNTOLD, Conversion

from imaging.limits import Limits
from imaging.options import OPTIONS, Effort
from imaging.options.asked import parse_options

AROUND = {
    "fit": {"width": "9", "height": "9"},
    "gravity": {"width": "9", "height": "9", "fit": "cover"},
}
"""Options without which others are invalid."""

NAMES = sorted(OPTIONS.keys() - {"q"})
"""All but that of the quality, which is an argument of its own."""


def _values(name: str) -> Iterator[str]:
    """Values of an option, of which one is its default if a client can ask for that."""
    option, schema = OPTIONS[name], OPTIONS[name].kind.schema()
    yield option.example
    if option.default not in (None, ()):
        yield option.kind.text(option.default)
    yield from schema.get("enum", ())


def _told(name: str, value: str) -> bool:
    """Whether the server tells an option that has this value."""
    asked = {**AROUND.get(name, {}), name: value}
    return name in parse_options(asked, Effort.BALANCED, Limits().max_pixels).to_dict()


@pytest.mark.parametrize("name", NAMES)
def test_the_client_waits_for_an_option_to_be_told_only_if_it_always_is(name: str) -> None:
    always = all(_told(name, value) for value in _values(name))
    conversion = Conversion.of(None, None, {name: OPTIONS[name].example})
    assert (name in conversion.told_options) is always


def test_no_other_option_but_the_priority_is_left_out() -> None:
    assert UNTOLD - OPTIONS.keys() == {"priority"}

"""Whether the Python that is measured says how it was built."""

from __future__ import annotations

import platform

import pytest

from bench.interpreter import DEBIAN_SCHEME, is_optimised, python_named

PLAIN = "-Wsign-compare -DNDEBUG -g -fwrapv -O3 -Wall"


@pytest.mark.parametrize(
    ("variables", "schemes", "optimised"),
    [
        (["'--prefix=/usr/local' '--enable-shared'", PLAIN, ""], ["posix_prefix"], False),
        (["'--enable-optimizations' '--with-lto'", PLAIN, ""], ["posix_prefix"], True),
        (["'--prefix=/opt'", f"{PLAIN} -fprofile-use", ""], ["posix_prefix"], True),
        (["'--prefix=/opt'", PLAIN, "-flto -fuse-linker-plugin"], ["posix_prefix"], True),
        (["'--prefix=/usr'", PLAIN, ""], [DEBIAN_SCHEME, "posix_prefix"], True),
    ],
    ids=["plain", "configured", "by a flag", "while linking", "Debian"],
)
def test_an_optimised_build_is_told_from_a_plain_one(
    variables: list[str], schemes: list[str], optimised: bool
) -> None:
    assert is_optimised(variables, schemes) is optimised


def test_it_is_told_with_the_version() -> None:
    version, _, build = python_named().partition(" (")
    assert version == f"Python {platform.python_version()}"
    assert build in ("optimised)", "not optimised)")

"""The Python that is measured: its version, and how it was built."""

from __future__ import annotations

import platform
import sysconfig
from collections.abc import Collection, Iterable

OPTIONS = ("--enable-optimizations", "--with-lto")
"""Of CPython's `configure`: optimisation by a profile, and while linking."""

FLAGS = ("-fprofile-use", "-fprofile-instr-use", "-flto")
"""The same as options of GCC and clang."""

VARIABLES = ("CONFIG_ARGS", "PY_CORE_CFLAGS", "PY_CORE_LDFLAGS")
"""Of `sysconfig`, which may have one of these."""

DEBIAN_SCHEME = "deb_system"
"""A scheme of paths that Debian and Ubuntu add. They optimise with options of `make` (`profile-opt`
in debian/rules), of which nothing is left in the build's own variables."""


def python_named() -> str:
    """The version of this Python, and whether its build is optimised: one that is not takes up to a
    third more CPU in the web process (docs/performance.md)."""
    variables = [str(sysconfig.get_config_var(name) or "") for name in VARIABLES]
    optimised = is_optimised(variables, sysconfig.get_scheme_names())
    return f"Python {platform.python_version()} ({'' if optimised else 'not '}optimised)"


def is_optimised(variables: Iterable[str], schemes: Collection[str]) -> bool:
    """Whether a build of CPython is optimised.

    Args:
        variables: the values of `VARIABLES`.
        schemes: of its paths.
    """
    said = " ".join(variables)
    return DEBIAN_SCHEME in schemes or any(option in said for option in (*OPTIONS, *FLAGS))

"""An error as CONTRIBUTING says one is added: a class, and somebody who raises it.

`python -m tests.toy_error` is `python -m app web` where every picture meets it.
"""

from __future__ import annotations

from typing import Any, NoReturn

from app.__main__ import main
from app.core.errors import TinyImageError, Where
from app.web.service.conversions import Conversions


class TooBlue(TinyImageError):
    """The picture is bluer than this server likes."""

    code = "too_blue"
    status = 451
    where = Where.UPLOAD | Where.MESSAGE
    example = "The picture is 99 % blue"
    retry_after = 7


async def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise TooBlue("The picture is 100 % blue")


if __name__ == "__main__":
    Conversions.submit_all = _refuse  # type: ignore[method-assign]
    main()

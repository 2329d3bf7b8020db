"""`storage.url`: its syntax, and the settings beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from pydantic import create_model, field_validator

from app.core.section import Section
from app.core.storage.common import CommonSettings
from app.core.storage.kind import Kind, Place
from app.core.storage.kinds import KINDS


def parse_storage_url(url: str) -> Place:
    """The place in the URL.

    Raises:
        ValueError: if it is not one of a storage; the message repeats nothing, as there may be a
            password.
    """
    forms = [kind.form for kind in KINDS]
    expected = f"should be {', '.join(forms[:-1])} or {forms[-1]}"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(expected) from None
    for kind in KINDS:
        if parts.scheme in kind.schemes and (place := kind.parse(parts)) is not None:
            return place
    raise ValueError(expected)


def check_storage_url(url: str | None) -> str | None:
    """The URL, if it is one of a storage; None for none.

    Raises:
        ValueError: if it is not; as `parse_storage_url`.
    """
    if url is None or not url.strip():
        return None
    parse_storage_url(url.strip())
    return url.strip()


def _settings_of(kinds: tuple[Kind, ...]) -> type[CommonSettings]:
    """The section `storage`: settings of all kinds, then those that each declares."""
    own = [kind.settings for kind in kinds if kind.settings is not None]
    models: list[type[Section]] = [CommonSettings, *own]
    names = [name for model in models for name in model.model_fields]
    assert len(names) == len(set(names)), f"a setting of the storage is declared twice: {names}"
    # Fields come in the order of the bases from behind.
    return cast(
        type[CommonSettings],
        create_model(
            "StorageSettings",
            __base__=tuple(reversed(models)),
            __module__=__name__,
            __validators__={"check_url": field_validator("url")(check_storage_url)},
        ),
    )


if TYPE_CHECKING:
    StorageSettings = CommonSettings
else:
    StorageSettings = _settings_of(KINDS)

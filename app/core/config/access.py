"""The settings of keys, origins and rates: their syntax and checks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import limits
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from app.core.picture.presets import Allowed, allowed_formats, allowed_options

MIN_KEY_LENGTH = 16
"""Characters of the shortest API key: 16 random hex digits are 64 bits."""

DEFAULT_NAME = "default"
"""The name of a key without one."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KEY = re.compile(r"[!-~]+")
"""Characters that fit into a header unescaped: visible ASCII."""

_ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]+", re.IGNORECASE)


class ApiKey(BaseModel):
    """A key, and the formats and options that its clients may ask for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: SecretStr
    formats: tuple[str, ...] | None = None
    """The formats of results that clients of the key may have; any without it."""
    options: tuple[str, ...] | None = None
    """The options that they may give; any without it."""

    @field_validator("formats")
    @classmethod
    def _check_formats(cls, formats: tuple[str, ...] | None) -> tuple[str, ...] | None:
        allowed_formats(formats)
        return formats

    @field_validator("options")
    @classmethod
    def _check_options(cls, options: tuple[str, ...] | None) -> tuple[str, ...] | None:
        allowed_options(options)
        return options

    @property
    def allowed(self) -> Allowed:
        """The same, for requests."""
        return Allowed(allowed_formats(self.formats), allowed_options(self.options))


def parse_api_keys(value: object) -> object:
    """The mapping of names to keys, or to keys with their limits. A text is `{"name": "key"}` or
    `name:key,name:key`, or a single key, as platforms generate it.

    Raises:
        ValueError: if a text is neither; it does not repeat the text.
    """
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {name: _with_limits(key) for name, key in value.items()}
    if not isinstance(value, str):
        return value
    if not value.strip():
        return {}
    if value.lstrip().startswith("{"):
        try:
            return parse_api_keys(json.loads(value))
        except ValueError:
            raise ValueError("should be JSON or name:key,name:key") from None
    if not re.search(r"[:,]", value):
        return {DEFAULT_NAME: _with_limits(value.strip())}
    keys: dict[str, object] = {}
    for item in value.split(","):
        name, colon, key = item.strip().partition(":")
        if not colon or name in keys:
            raise ValueError("should be name:key,name:key, each name once")
        keys[name] = _with_limits(key)
    return keys


def _with_limits(key: object) -> object:
    return {"key": key} if isinstance(key, str) else key


def check_api_keys(keys: dict[str, ApiKey]) -> dict[str, ApiKey]:
    """The keys, if all can be used.

    Raises:
        ValueError: if not; it names no key.
    """
    for name, limited in keys.items():
        key = limited.key.get_secret_value()
        if not _NAME.fullmatch(name):
            raise ValueError("names should be letters, digits, '.', '_' and '-', 64 at most")
        if not _KEY.fullmatch(key) or len(key) < MIN_KEY_LENGTH:
            raise ValueError(
                f"the key of {name} should be {MIN_KEY_LENGTH} or more visible ASCII characters"
            )
    if len({limited.key.get_secret_value() for limited in keys.values()}) < len(keys):
        raise ValueError("each name should have a key of its own")
    return keys


def parse_list(value: object) -> object:
    """The list in `a,b` or `["a", "b"]`."""
    if value is None:
        return []
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError("should be a list") from None
    return [item.strip() for item in value.split(",") if item.strip()]


def check_formats(names: list[str]) -> list[str]:
    """The names of formats.

    Raises:
        ValueError: if none is given, or one is unknown.
    """
    if not names:
        raise ValueError("should be one format or more")
    allowed_formats(names)
    return names


def check_origins(origins: list[str]) -> list[str]:
    """The origins as browsers send them.

    Raises:
        ValueError: if one is not an origin.
    """
    for origin in origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise ValueError("should be * or origins such as https://example.org, without a path")
    return [origin.lower() for origin in origins]


def parse_rate(value: object) -> object:
    """The rate, if it is valid; "" for no limit.

    Raises:
        ValueError: if it is not a rate.
    """
    rate = "" if value is None else str(value).strip()
    if not rate:
        return ""
    try:
        items = limits.parse_many(rate)
    except ValueError:
        items = []
    if len(items) != 1 or items[0].amount < 1:
        raise ValueError("should be a rate such as 100/minute, 10/second or 1000 per 2 hours")
    return rate

"""Where settings come from: config.yaml, the environment, the variables of platforms."""

from __future__ import annotations

import os
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic_settings import PydanticBaseSettingsSource, YamlConfigSettingsSource

DEFAULT_CONFIG = Path("config.yaml")
CONFIG_VARIABLE = "TINYIMAGE_CONFIG"
"""Names the configuration file for processes that are started without `--config`."""

CLIENT_VARIABLE = "TINYIMAGE_SERVER"
"""Names the server for the command of client/, which may have the same environment."""

PLATFORM_VARIABLES = {
    "PORT": ("server", "port"),
    "WEB_CONCURRENCY": ("server", "processes"),
    "REDIS_URL": ("redis", "url"),
}
"""The variables of platforms such as Heroku, and their settings."""

PREFIX, DELIMITER = "TINYIMAGE_", "__"


class ConfigError(Exception):
    """A setting is wrong. The message is one line that names it."""


def config_file() -> Path:
    """The configuration file of this process, which may not be there."""
    return Path(os.environ.get(CONFIG_VARIABLE) or DEFAULT_CONFIG)


class FileSource(YamlConfigSettingsSource):
    """config.yaml, where an empty section counts as missing."""

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__call__().items() if value is not None}

    def _read_file(self, file_path: Path | Traversable) -> dict[str, Any]:
        try:
            data: object = super()._read_file(file_path)
        except UnicodeDecodeError as error:
            raise ConfigError(f"{file_path} is not text in UTF-8: {error.reason}") from None
        if not isinstance(data, dict):
            raise ConfigError(
                f"{file_path} should hold sections such as server, not a list or text"
            )
        # pydantic-settings trips over a name that YAML does not read as text, as 1 or yes.
        return {str(name): value for name, value in data.items()}


class PlatformSource(PydanticBaseSettingsSource):
    """PORT, WEB_CONCURRENCY and REDIS_URL, as platforms set them."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        values: dict[str, dict[str, str]] = {}
        for variable, (section, name) in PLATFORM_VARIABLES.items():
            if value := os.environ.get(variable):
                values.setdefault(section, {})[name] = value
        return values


def is_the_clients(variable: str, value: str | None) -> bool:
    """Whether this is the address that the command of client/ talks to, and not a section."""
    is_section = (value or "").lstrip().startswith("{")
    return variable.upper() == CLIENT_VARIABLE and not is_section

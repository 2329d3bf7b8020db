"""The settings of a process, read and checked, and what is said of a wrong one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from app.core.config.settings import Settings
from app.core.config.sources import CONFIG_VARIABLE, DELIMITER, PREFIX, ConfigError
from app.core.section import Section


def load_settings(config: Path | None = None) -> Settings:
    """The settings of this process.

    Args:
        config: the configuration file; it must exist. Without one `TINYIMAGE_CONFIG` names it, and
            without that config.yaml of the working directory is read if it is there. The choice is
            left in the environment, so that the processes started from here read the same file.

    Raises:
        ConfigError: if the file cannot be read or a value is wrong.
    """
    if config is not None:
        os.environ[CONFIG_VARIABLE] = str(config.absolute())
    named = os.environ.get(CONFIG_VARIABLE)
    if named and not Path(named).is_file():
        raise ConfigError(f"there is no configuration file {named}")
    if unknown := [name for name in os.environ if _names_no_section(name)]:
        raise ConfigError("; ".join(f"{name} is not a setting" for name in sorted(unknown)))
    try:
        return Settings()
    except ValidationError as error:
        raise ConfigError("; ".join(_describe(dict(item)) for item in error.errors())) from None
    except (OSError, yaml.YAMLError, ValueError) as error:
        # pydantic-settings raises ValueError subclasses of its own for a variable or a file it
        # cannot parse; their first line says which.
        raise ConfigError(" ".join(str(error).split())) from None


def _names_no_section(variable: str) -> bool:
    """Whether a variable seems to be a setting of an unknown section.

    pydantic-settings ignores it. A variable without the two underscores may not be ours:
    Kubernetes sets TINYIMAGE_PORT and others for a service called tinyimage.
    """
    name = variable.upper()
    if not name.startswith(PREFIX) or DELIMITER not in name:
        return False
    section, _, _ = name.removeprefix(PREFIX).partition(DELIMITER)
    return section.lower() not in Settings.model_fields


def _may_hold_a_password(place: tuple[str | int, ...]) -> bool:
    """Whether the value of the setting must not be shown."""
    section, name = (str(part) for part in (*place, "", "")[:2])
    model = section in Settings.model_fields and Settings.model_fields[section].annotation
    if not (isinstance(model, type) and issubclass(model, Section)):
        return False
    return name in model.model_fields and not model.model_fields[name].repr


def _describe(error: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["loc"][:1] == ("auth",):  # a key is never shown, nor a value that may be one
        known = [part for part in error["loc"][:2] if part in ("auth", "api_keys")]
        what = "has a setting it does not know" if error["type"] == "extra_forbidden" else message
        return f"{'.'.join(known)}: {what[0].lower()}{what[1:]}"
    if error["loc"] == ("webhooks",):
        return f"webhooks.{message}" if error["type"] == "value_error" else f"webhooks: {message}"
    if error["loc"][:2] == ("webhooks", "endpoints") and error["type"] == "extra_forbidden":
        # Its name may be a secret that lost its own.
        return f"{'.'.join(map(str, error['loc'][:3]))} has a setting it does not know"
    if error["type"] == "extra_forbidden":
        return f"{name} is not a setting"
    if error["loc"] == ("presets",):
        return f"{name}.{message}" if error["type"] == "value_error" else f"{name}: {message}"
    if _may_hold_a_password(error["loc"]):
        return f"{name}: {message[0].lower()}{message[1:]}"
    return f"{name}: {message[0].lower()}{message[1:]} (it is {error['input']!r})"

"""All settings, composed of their sections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.core.config import sections
from app.core.config.sources import (
    DELIMITER,
    PREFIX,
    FileSource,
    PlatformSource,
    config_file,
    is_the_clients,
)
from app.core.config.webhooks import WebhookSettings
from app.core.jobs import keys
from app.core.picture.presets import Preset, Presets, check_presets, parse_presets
from app.core.storage.address import StorageSettings
from app.outgoing.rules import Rules


class Settings(BaseSettings):
    """All settings, checked. Build it with `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=DELIMITER, extra="forbid", frozen=True
    )

    server: sections.ServerSettings = sections.ServerSettings()
    upload: sections.UploadSettings = sections.UploadSettings()
    workers: sections.WorkerSettings = sections.WorkerSettings()
    storage: StorageSettings = StorageSettings()
    download: sections.DownloadSettings = sections.DownloadSettings()
    redis: sections.RedisSettings = sections.RedisSettings()
    cleanup: sections.CleanupSettings = sections.CleanupSettings()
    engine: sections.EngineSettings = sections.EngineSettings()
    tinify: sections.TinifySettings = sections.TinifySettings()
    fetch: sections.FetchSettings = sections.FetchSettings()
    limits: sections.LimitSettings = sections.LimitSettings()
    auth: sections.AuthSettings = sections.AuthSettings()
    webhooks: WebhookSettings = WebhookSettings()
    cors: sections.CorsSettings = sections.CorsSettings()
    logs: sections.LogSettings = sections.LogSettings()
    presets: Annotated[dict[str, dict[str, Any]], NoDecode, BeforeValidator(parse_presets)] = Field(
        {}
    )
    """Sets of options by their names, which clients give as `preset`. [Presets](#presets)."""
    presets_only: bool = False
    """Whether clients may ask for a preset, and for nothing beside it. [Presets](#presets)."""

    @field_validator("presets")
    @classmethod
    def _check_presets(
        cls, presets: dict[str, dict[str, Any]], info: ValidationInfo
    ) -> Mapping[str, Preset]:
        engine = info.data.get("engine", sections.EngineSettings())
        limits = info.data.get("limits", sections.LimitSettings())
        return check_presets(presets, engine.effort, limits.max_pixels, engine.auto)

    @field_validator("presets_only")
    @classmethod
    def _check_only(cls, only: bool, info: ValidationInfo) -> bool:
        if only and not info.data.get("presets", True):
            raise ValueError("needs presets")
        return only

    @field_validator("webhooks")
    @classmethod
    def _check_webhooks(cls, webhooks: WebhookSettings, info: ValidationInfo) -> WebhookSettings:
        if "fetch" in info.data and "auth" in info.data:
            webhooks.check(info.data["fetch"].rules, info.data["auth"].api_keys)
        return webhooks

    @property
    def webhook_rules(self) -> Rules:
        """Where messages may go."""
        return replace(self.fetch.rules, seconds=self.webhooks.timeout)

    @property
    def downloads(self) -> str:
        """The start of the addresses of downloads where no request is answered, as in messages:
        with `server.public_url` absolute, else relative to the root of this server."""
        path, public = self.download.download_url, self.server.public_url
        if "://" in path or not public:
            return path
        return f"{public.rstrip('/')}/{path.removeprefix('/')}"

    @cached_property  # for each download
    def asked(self) -> Presets:
        """The presets, formats and options that clients may ask for."""
        allowed = {name: key.allowed for name, key in self.auth.api_keys.items()}
        return Presets(self.presets, self.presets_only, allowed, self.engine.auto)

    @property
    def served_queues(self) -> tuple[str, ...]:
        """The queues that `python -m workers` serves, highest priority first."""
        return keys.in_use(self.workers.queues, webhooks=self.webhooks.enabled)

    @property
    def worker_count(self) -> int:
        """Workers that `python -m workers` runs: as many for pictures as `max_concurrent_tasks`, if
        it serves them, and one for each other queue."""
        others = set(self.served_queues) - set(keys.PICTURE_QUEUES)
        serves_pictures = len(others) < len(self.served_queues)
        return self.upload.max_concurrent_tasks * serves_pictures + len(others)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The sources, strongest first: our variables, the platform's, the file."""
        assert isinstance(env_settings, EnvSettingsSource)
        env_settings.env_vars = {
            name: value
            for name, value in env_settings.env_vars.items()
            if not is_the_clients(name, value)
        }
        return (
            env_settings,
            PlatformSource(settings_cls),
            FileSource(settings_cls, yaml_file=config_file()),
        )

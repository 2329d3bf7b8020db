"""The settings: config.yaml, then the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from app.core.config.access import (
    ApiKey,
    check_api_keys,
    check_formats,
    check_origins,
    parse_api_keys,
    parse_list,
    parse_rate,
)
from app.core.config.logs import LogFormat
from app.core.config.webhooks import WebhookSettings
from app.core.jobs import keys
from app.core.picture.presets import Preset, Presets, check_presets, parse_presets
from app.core.redis.tls import without_check
from app.core.redis.url import check_redis_url
from app.core.sections import Section, Size, Text
from app.core.storage.address import StorageSettings
from app.core.storage.common import check_endpoint
from app.outgoing.rules import Rules, check_hosts, check_networks
from imaging.formats import AUTO_FORMATS, Format
from imaging.options import Effort

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

_PREFIX, _DELIMITER = "TINYIMAGE_", "__"


class ConfigError(Exception):
    """A setting is wrong. The message is one line that names it."""


class ServerSettings(Section):
    host: str = "0.0.0.0"  # noqa: S104 - a server is there to be reached
    """The address to listen on."""
    port: int = Field(8080, ge=1, le=65535)
    """The port to listen on."""
    public_url: Annotated[Text, AfterValidator(check_endpoint)] = None
    """The public address of this server, such as `https://img.example.org`, for URLs in answers
    of the Tinify API. By default it comes from the request, including `X-Forwarded-Proto` and
    `X-Forwarded-Host`."""
    processes: int = Field(1, ge=1, le=64)
    """Web processes that share the port."""
    output_dir: Path = Path("output")
    """The folder of originals and results, which web and workers share, unless `storage.url` is
    set."""
    proxies_count: int = Field(0, ge=0, le=16)
    """The number of your proxies in front, such as nginx or Heroku's router: a client's address is
    that many entries from the right of `X-Forwarded-For`; with 0 the header is ignored."""


class UploadSettings(Section):
    max_upload_size: Size = 10 * 1024**2
    """The largest accepted picture, in B, K, M or G; `10M` is the same as `10MB`."""
    max_concurrent_tasks: int = Field(3, ge=1, le=256)
    """Pictures that each `python -m workers` converts at once; best the number of
    processors."""
    max_age: float = Field(24.0, gt=0)  # pydantic leaves a default as it is
    """Hours that a picture is kept after its conversion."""

    @property
    def max_age_seconds(self) -> float:
        """`max_age` in seconds."""
        return self.max_age * 3600


class WorkerSettings(Section):
    queues: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(parse_list), AfterValidator(keys.check_queues)
    ] = keys.QUEUES
    """The queues that `python -m workers` serves, highest priority first: some of
    `maintenance,interactive,bulk,webhooks`. Every queue needs a worker somewhere, so this may
    differ from process to process; [queues.md](queues.md)."""


class DownloadSettings(Section):
    download_url: str = "download/"
    """The address of results that `GET /` names."""
    redirect: bool = False
    """Whether a download is answered with a presigned URL of the bucket;
    [storage.md](storage.md#downloads-from-the-bucket)."""


class RedisSettings(Section):
    verify_certificate: bool = True
    """Whether an authority must have signed the certificate of a `rediss://`; `false` accepts
    a self-signed one, as Heroku's Redis has."""
    url: Text = Field(None, repr=False)
    """`redis://`, `rediss://` or `unix://`; needed by every role but `python -m app`, which
    starts a Redis of its own without it."""
    data_dir: Path = Path("data")
    """The folder in which the embedded Redis keeps its data."""

    @field_validator("url")
    @classmethod
    def _apply_verify_certificate(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is None:
            return None
        url = check_redis_url(url.strip())
        return url if info.data.get("verify_certificate") else without_check(url)


class CleanupSettings(Section):
    interval: int = Field(600, ge=1)
    """Seconds between two cleanups."""


class EngineSettings(Section):
    effort: Effort = Effort.BALANCED
    """How long encoders search for a smaller file, for uploads without `effort`: `fast`,
    `balanced` or `small`; [engine.md](engine.md)."""
    auto_formats: Annotated[
        list[str], NoDecode, BeforeValidator(parse_list), AfterValidator(check_formats)
    ] = Field([*AUTO_FORMATS])
    """What the format `auto` may become; [engine.md](engine.md#the-smallest-format)."""

    @property
    def auto(self) -> tuple[Format, ...]:
        """`auto_formats` as formats."""
        return tuple(map(Format, self.auto_formats))


class TinifySettings(Section):
    effort: Effort = Effort.SMALL
    """How long encoders search for a smaller file, for pictures of the Tinify API;
    [tinify.md](tinify.md)."""
    wait: int = Field(55, ge=1, le=60)
    """Seconds that a request of the Tinify API waits for its picture before it gets a 503.
    The conversion continues. Heroku's router waits for 30."""


class FetchSettings(Section):
    enabled: bool = False
    """Whether pictures are fetched from URLs that clients send, and results sent to addresses that
    they name. [security.md](security.md#requests-to-other-servers)"""
    allowed_hosts: Annotated[
        list[str], NoDecode, BeforeValidator(parse_list), AfterValidator(check_hosts)
    ] = Field([])
    """Names of hosts that may be anywhere, such as `media.example.org` in a private network."""
    allowed_networks: Annotated[
        list[str], NoDecode, BeforeValidator(parse_list), AfterValidator(check_networks)
    ] = Field([])
    """Networks that count as public, such as `10.1.0.0/16`."""
    connect_timeout: int = Field(5, ge=1)
    """Seconds for a connection."""
    timeout: int = Field(20, ge=1, le=300)
    """Seconds for all of a request, from the look-up of the name to the last byte. A worker is busy
    with it so long."""

    @property
    def rules(self) -> Rules:
        """Where requests may go."""
        return Rules(
            frozenset(self.allowed_hosts),
            tuple(self.allowed_networks),
            self.connect_timeout,
            self.timeout,
        )


class LimitSettings(Section):
    conversion_timeout: int = Field(60, ge=1)
    """Seconds that one conversion may take."""
    max_pixels: int = Field(50_000_000, ge=1)
    """Pixels of the largest picture decoded, width × height × frames, counted from its header."""
    max_frames: int = Field(1000, ge=1)
    """Frames or pages of a file, counted from its header."""
    max_side: int = Field(65_535, ge=1)
    """Pixels of the longest side of a picture that is decoded."""
    decoder_memory: Size = 4 * 1024**3
    """Address space of a decoder, the process that decodes and encodes; 50 megapixels with alpha
    need up to 2.6 GB of it, and 1.6 GB of memory."""
    decoder_pictures: int = Field(500, ge=1)
    """Pictures after which a decoder is replaced."""
    decoder_growth: Size = 256 * 1024**2
    """Memory that a decoder may gain over its start before it is replaced."""
    max_queue: int = Field(10_000, ge=0)
    """Pictures of each priority that may wait for a worker; 0 for any number."""
    rate: Annotated[str, BeforeValidator(parse_rate)] = ""
    """Pictures of one key, or of one address without a key (a /64 of IPv6 is one), such as
    `100/minute`, `10/second` or `1000 per 2 hours`."""
    compressions: int = Field(0, ge=0)
    """Compressions of one key in a calendar month (UTC) over the Tinify API, which then answers
    429 as TinyPNG does; 0 for any number. [tinify.md](tinify.md)"""
    request_timeout: int = Field(60, ge=1)
    """Seconds for the head of a request, from its first byte to its last."""
    upload_timeout: int = Field(300, ge=1)
    """Seconds for the body of an upload, or for one message of a socket."""
    send_timeout: int = Field(60, ge=1)
    """Seconds without progress in sending to a client, after which it is cut off."""
    sockets: int = Field(4_000, ge=1)
    """Open sockets and event streams of each web process."""
    sockets_per_address: int = Field(1_000, ge=1)
    """Open sockets and event streams of each web process from one address."""
    socket_pictures: int = Field(500, ge=1)
    """Pictures of one socket in work; further messages stay unread."""
    socket_idle: int = Field(3_600, ge=1)
    """Seconds until a socket without messages and pictures in work is closed."""
    socket_memory: Size = 256 * 1024**2
    """Bytes of incoming messages, over all sockets of a web process."""

    @model_validator(mode="before")
    @classmethod
    def _named_as_before(cls, given: Any) -> Any:
        """0.2.0 said `child` for the decoder."""
        if not isinstance(given, dict):
            return given
        return {name.replace("child_", "decoder_"): value for name, value in given.items()}


class AuthSettings(Section):
    api_keys: Annotated[
        dict[str, ApiKey],
        NoDecode,
        BeforeValidator(parse_api_keys),
        AfterValidator(check_api_keys),
    ] = Field({})
    """Keys of 16 or more characters by their names, which are logged; without keys the
    server is open to everyone. [API keys](#api-keys)."""


class CorsSettings(Section):
    origins: Annotated[
        list[str], NoDecode, BeforeValidator(parse_list), AfterValidator(check_origins)
    ] = Field([])
    """Sites whose pages may use this server from a browser, such as
    `https://example.org,https://example.com`; `*` for all."""


class LogSettings(Section):
    format: LogFormat = LogFormat.AUTO
    """`json`, one object a line, or `text`; `auto` is text on a terminal and JSON elsewhere."""


class Settings(BaseSettings):
    """All settings, checked. Build it with `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter=_DELIMITER, extra="forbid", frozen=True
    )

    server: ServerSettings = ServerSettings()
    upload: UploadSettings = UploadSettings()
    workers: WorkerSettings = WorkerSettings()
    storage: StorageSettings = StorageSettings()
    download: DownloadSettings = DownloadSettings()
    redis: RedisSettings = RedisSettings()
    cleanup: CleanupSettings = CleanupSettings()
    engine: EngineSettings = EngineSettings()
    tinify: TinifySettings = TinifySettings()
    fetch: FetchSettings = FetchSettings()
    limits: LimitSettings = LimitSettings()
    auth: AuthSettings = AuthSettings()
    webhooks: WebhookSettings = WebhookSettings()
    cors: CorsSettings = CorsSettings()
    logs: LogSettings = LogSettings()
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
        engine = info.data.get("engine", EngineSettings())
        limits = info.data.get("limits", LimitSettings())
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

    @property
    def asked(self) -> Presets:
        """What clients may ask for."""
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
        config = os.environ.get(CONFIG_VARIABLE)
        assert isinstance(env_settings, EnvSettingsSource)
        env_settings.env_vars = {
            name: value
            for name, value in env_settings.env_vars.items()
            if not _is_the_clients(name, value)
        }
        return (
            env_settings,
            _PlatformSource(settings_cls),
            _FileSource(settings_cls, yaml_file=Path(config) if config else DEFAULT_CONFIG),
        )


class _FileSource(YamlConfigSettingsSource):
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


class _PlatformSource(PydanticBaseSettingsSource):
    """PORT, WEB_CONCURRENCY and REDIS_URL, as platforms set them."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        values: dict[str, dict[str, str]] = {}
        for variable, (section, name) in PLATFORM_VARIABLES.items():
            if value := os.environ.get(variable):
                values.setdefault(section, {})[name] = value
        return values


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
    if not name.startswith(_PREFIX) or _DELIMITER not in name:
        return False
    section, _, _ = name.removeprefix(_PREFIX).partition(_DELIMITER)
    return section.lower() not in Settings.model_fields


def _is_the_clients(variable: str, value: str | None) -> bool:
    """Whether this is the address that the command of client/ talks to, and not a section."""
    is_section = (value or "").lstrip().startswith("{")
    return variable.upper() == CLIENT_VARIABLE and not is_section


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

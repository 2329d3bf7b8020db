"""The sections of the settings, and each setting in them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode

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
from app.core.jobs import keys
from app.core.redis.url import check_redis_url, without_check
from app.core.section import Section, Size, Text
from app.core.storage.common import check_endpoint
from app.outgoing.rules import Rules, check_hosts, check_networks
from imaging.formats import AUTO_FORMATS, Format
from imaging.options import Effort


class ServerSettings(Section):
    host: str = "0.0.0.0"  # noqa: S104 - a server is there to be reached
    """The address to listen on."""
    port: int = Field(8080, ge=1, le=65535)
    """The port to listen on."""
    public_url: Annotated[Text, AfterValidator(check_endpoint)] = None
    """The public address of this server, such as `https://img.example.org`, for URLs in answers
    of the Tinify API. By default it comes from the request, including `X-Forwarded-Proto`,
    `X-Forwarded-Host` and `X-Forwarded-Prefix`."""
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
    """The formats that `auto` may become; [engine.md](engine.md#the-smallest-format)."""

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

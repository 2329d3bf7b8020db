"""config.yaml and the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from app.core.config.load import load_settings
from app.core.config.settings import Settings
from app.core.config.sources import ConfigError
from app.core.jobs import keys
from app.core.section import parse_size
from app.core.storage.address import StorageSettings, parse_storage_url
from app.core.storage.clouds import BucketPlace
from app.core.storage.kind import Place
from app.core.storage.kinds import azure, google, s3
from app.core.storage.kinds.file import FilePlace
from app.core.storage.kinds.redis import RedisPlace
from tests.receiver import SECRET

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("TINYIMAGE_CONFIG", "PORT", "REDIS_URL", "WEB_CONCURRENCY"):
        monkeypatch.delenv(name, raising=False)


def _config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "other.yaml"
    path.write_text(text)
    return path


def test_the_repositorys_config_yaml_holds_the_defaults() -> None:
    defaults = load_settings()
    assert load_settings(ROOT / "config.yaml") == defaults
    assert defaults.upload.max_upload_size == 10 * 1024**2


def test_the_file_of_the_older_server_is_read(tmp_path: Path) -> None:
    settings = load_settings(
        _config(
            tmp_path,
            "server:\n  port: 9000\n  output_dir: out\nupload:\n  max_upload_size: 5MB\n"
            "  max_concurrent_tasks: 2\n  max_age: 48\ndownload:\n  download_url: files/\n",
        )
    )
    assert (settings.server.port, settings.server.output_dir) == (9000, Path("out"))
    assert settings.upload.max_upload_size == 5 * 1024**2
    assert (settings.upload.max_concurrent_tasks, settings.upload.max_age) == (2, 48)
    assert settings.download.download_url == "files/"


def test_the_limits_of_a_decoder_have_their_older_names_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _config(tmp_path, "limits: {child_pictures: 7, decoder_growth: 1MB}")
    monkeypatch.setenv("TINYIMAGE_LIMITS__CHILD_MEMORY", "3GB")
    limits = load_settings(config).limits
    assert limits.decoder_pictures == 7
    assert (limits.decoder_growth, limits.decoder_memory) == (1024**2, 3 * 1024**3)


def test_the_repositorys_config_yaml_names_every_setting() -> None:
    named = yaml.safe_load((ROOT / "config.yaml").read_text())
    sections = Settings().model_dump()
    assert named.keys() == sections.keys()
    for section, settings in sections.items():
        if isinstance(settings, dict):
            assert named[section].keys() == settings.keys()
        else:
            assert named[section] == settings


def test_config_yaml_of_the_working_directory_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("upload: {max_age: 7}\ncleanup:\n")
    assert load_settings().upload.max_age == 7


def test_the_environment_wins_over_the_platform_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _config(tmp_path, "server: {port: 1111, processes: 4}\nredis: {url: 'redis://a'}")
    assert load_settings(config).server.port == 1111
    monkeypatch.setenv("PORT", "2222")
    monkeypatch.setenv("REDIS_URL", "redis://b")
    assert load_settings(config).server.port == 2222
    monkeypatch.setenv("TINYIMAGE_SERVER__PORT", "3333")
    settings = load_settings(config)
    assert (settings.server.port, settings.server.processes) == (3333, 4)
    assert settings.redis.url == "redis://b"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("10MB", 10 * 1024**2),
        ("1G", 1024**3),
        ("2 gb", 2 * 1024**3),
        ("512K", 512 * 1024),
        ("3KB", 3072),
        ("7B", 7),
        ("1.5M", 1572864),
        (42, 42),
        ("42", 42),
    ],
)
def test_sizes_are_read_with_any_of_their_units(text: object, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("upload: {max_age: -1}", "upload.max_age"),
        ("upload: {max_age: soon}", "upload.max_age"),
        ("upload: {max_upload_size: 10XB}", "10XB"),
        ("upload: {max_upload_size: 0}", "upload.max_upload_size"),
        ("upload: {max_concurrent_tasks: 0}", "upload.max_concurrent_tasks"),
        ("server: {port: 70000}", "server.port"),
        ("server: {prot: 80}", "server.prot is not a setting"),
        ("serverr: {}", "serverr is not a setting"),
        ("server: 5", "server"),
        ("upload: [1", "line 1"),
        ("just text", "other.yaml should hold sections"),
        ("- server: {port: 80}", "other.yaml should hold sections"),
        ("1: 2", "1 is not a setting"),
        ("server: {1: 2}", "server.1"),
        ("workers: {queues: pictures}", "workers.queues: there is no queue 'pictures'"),
        ("workers: {queues: [bulk, bulk]}", "workers.queues: the queue bulk is named twice"),
        ("workers: {queues: 5}", "workers.queues"),
        ("workers: {queues: [1]}", "workers.queues"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_it(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_settings(_config(tmp_path, text))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "queues", "workers"),
    [
        ("{}", keys.QUEUES, 4),
        ("workers: {queues: }", keys.QUEUES, 4),
        (f"webhooks: {{any: true, secret: {SECRET}}}", keys.QUEUES, 5),
        ("workers: {queues: 'bulk, interactive'}", ("bulk", "interactive"), 3),
        ("workers: {queues: [maintenance]}", ("maintenance",), 1),
        ("workers: {queues: [webhooks]}", ("webhooks",), 1),
    ],
)
def test_the_queues_that_are_named_say_how_many_workers_there_are(
    tmp_path: Path, text: str, queues: tuple[str, ...], workers: int
) -> None:
    settings = load_settings(_config(tmp_path, text))
    assert (settings.workers.queues, settings.worker_count) == (queues, workers)


def test_a_file_that_is_no_text_is_one_line_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_bytes(b"server: \xff")
    with pytest.raises(ConfigError, match=r"other\.yaml is not text"):
        load_settings(path)


@pytest.mark.parametrize("name", ["TINYIMAGE_UPLOADS__X", "tinyimage_uploads__max_age"])
def test_a_variable_of_a_section_that_is_not_there_is_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(ConfigError, match=f"^{name} is not a setting$"):
        load_settings()


def test_a_variable_of_a_setting_that_is_not_there_is_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TINYIMAGE_UPLOAD__X", "1")
    with pytest.raises(ConfigError, match=r"^upload\.x is not a setting$"):
        load_settings()


def test_variables_that_are_no_settings_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TINYIMAGE_CONFIG", str(_config(tmp_path, "server: {port: 9000}")))
    monkeypatch.setenv("TINYIMAGE_PARENT", "1")
    # As Kubernetes does for a service called tinyimage.
    monkeypatch.setenv("TINYIMAGE_PORT", "tcp://10.0.0.1:80")
    monkeypatch.setenv("TINYIMAGE_SERVICE_HOST", "10.0.0.1")
    # Of the command in client/.
    monkeypatch.setenv("TINYIMAGE_SERVER", "http://localhost:8080")
    monkeypatch.setenv("TINYIMAGE_API_KEY", "key")
    assert load_settings().server.port == 9000
    monkeypatch.setenv("TINYIMAGE_SERVER", '{"port": 9001}')
    assert load_settings().server.port == 9001


def test_a_configuration_file_that_is_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        load_settings(tmp_path / "nowhere.yaml")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().server.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("file://output", FilePlace(Path("output"))),
        ("file://out/pictures", FilePlace(Path("out/pictures"))),
        ("file:///var/a%20b", FilePlace(Path("/var/a b"))),
        ("s3://pictures", BucketPlace(s3.CLOUD, "pictures")),
        ("s3://pictures/a/b/", BucketPlace(s3.CLOUD, "pictures", "a/b")),
        ("gs://pictures/a", BucketPlace(google.CLOUD, "pictures", "a")),
        ("az://pictures/a", BucketPlace(azure.CLOUD, "pictures", "a")),
        ("redis://", RedisPlace()),
        ("redis://u:p@host:1/2", RedisPlace("redis://u:p@host:1/2")),
        ("rediss://host/2", RedisPlace("rediss://host/2")),
    ],
)
def test_a_storage_url_says_where_the_objects_are(url: str, place: Place) -> None:
    assert parse_storage_url(url) == place


@pytest.mark.parametrize(
    "url",
    [
        "output",
        "ftp://secret@pictures",
        "s3://",
        "s3:///prefix",
        "s3://key:secret@pictures",
        "s3://pictures?token=secret",
        "gs://pictures:80",
        "az://pictures#secret",
        "file://",
        "redis://:secret@",
        "redis://:secret@host:port",
        "rediss://",
        "redis://:secret@host/0?db=secret",
    ],
)
def test_a_storage_url_that_is_none_is_one_line_without_what_may_be_secret(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYIMAGE_STORAGE__URL", url)
    with pytest.raises(ConfigError, match=r"^storage\.url: should [^\n]+$") as error:
        load_settings()
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://:secret@host",
        "host:6379",
        "redis://:secret@host:99999/0",
        "redis://:secret@host/0?db=secret",
        "unix://",
    ],
)
@pytest.mark.parametrize("variable", ["TINYIMAGE_REDIS__URL", "REDIS_URL"])
def test_a_redis_url_that_is_none_is_one_line_without_what_may_be_secret(
    variable: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, url)
    with pytest.raises(ConfigError, match=r"^redis\.url: should [^\n]+$") as error:
        load_settings()
    assert "secret" not in str(error.value)


def test_a_redis_that_is_passed_on_and_not_set_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYIMAGE_REDIS__URL", " ")
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert load_settings().redis.url is None


def test_a_storage_that_is_passed_on_and_not_set_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "ENDPOINT", "REGION", "REDIS_LIMIT"):
        monkeypatch.setenv(f"TINYIMAGE_STORAGE__{name}", " ")
    assert load_settings().storage == StorageSettings()
    monkeypatch.setenv("TINYIMAGE_STORAGE__REDIS_LIMIT", "20MB")
    assert load_settings().storage.model_dump()["redis_limit"] == 20 * 1024**2
    monkeypatch.setenv("TINYIMAGE_STORAGE__ENDPOINT", "https://user:secret@host")
    with pytest.raises(ConfigError, match=r"^storage\.endpoint: should") as error:
        load_settings()
    assert "secret" not in str(error.value)

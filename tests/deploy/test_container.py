"""The entry point of the image: roles, the older server's folders and file, and no root."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from bench.launch import free_port
from tests import rq_keys
from tests.deploy.conftest import LOOPBACK, ONE_TASK
from tests.deploy.containers import Container, check_command, in_rootfs, run_alone
from tests.deploy.dockerfile import GROUP, USER, stages
from tests.deploy.rootfs import WORKDIR, Rootfs
from tests.pictures import md5, photograph
from tests.service import Client, until

CONFIG_FILE = Path("/config/config.yaml")
"""Where the older server had its configuration."""

SHOW_STATUS = ["grep", "-E", "Uid|Groups|CapBnd|NoNewPrivs", "/proc/self/status"]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The working directory of the image."""
    return stages()["server"].unpack(tmp_path / "app")


def run_image(
    image: Path, *arguments: str, root: Rootfs | None = None, **values: str
) -> tuple[int, str, str]:
    """`docker run`, to its end: the status and what was printed."""
    command = [*stages()["server"].entrypoint, *arguments]
    result = run_alone(command, image, {**LOOPBACK, **values}, root or Rootfs())
    return result.returncode, result.stdout, result.stderr


def needs_root() -> None:
    if not in_rootfs():
        pytest.skip("only root can start containers as root")


def ready(container: Container) -> Callable[[], bool]:
    return lambda: "is ready at" in container.log or not container.running()


def is_users(container: Container) -> bool:
    """Whether all that runs in it is the image's user's, and cannot become root again."""
    for process in container.family():
        if "unshare" in process.name():
            continue
        status = Path(f"/proc/{process.pid}/status").read_text()
        if not re.search(rf"^Uid:(\t{USER}){{4}}$", status, re.MULTILINE):
            return False
        if not re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE):
            return False
    return True


def test_another_command_is_run_as_it_is_and_not_as_root(image: Path) -> None:
    needs_root()
    status, output, _ = run_image(image, *SHOW_STATUS)
    assert status == 0
    assert f"Uid:\t{USER}\t{USER}\t{USER}\t{USER}" in output
    assert re.search(r"^Groups:\s*$", output, re.MULTILINE), "root's groups are gone too"
    assert "NoNewPrivs:\t1" in output


def test_a_container_that_has_a_user_keeps_it(image: Path) -> None:
    needs_root()
    status, output, _ = run_image(image, *SHOW_STATUS, root=Rootfs(user="1234:1234"))
    assert status == 0
    assert "Uid:\t1234\t1234\t1234\t1234" in output


def test_a_command_that_is_not_there_is_one_line(image: Path) -> None:
    status, _, errors = run_image(image, "nonsense")
    assert status == 1
    assert errors == "tinyimage: nonsense cannot be run: No such file or directory\n"


@pytest.mark.parametrize("role", ["web", "worker", "scheduler"])
def test_a_role_without_redis_is_one_line(image: Path, role: str) -> None:
    status, _, errors = run_image(image, role)
    assert status == 2
    assert errors.count("\n") == 1, errors
    assert "needs a running Redis" in errors


def test_a_wrong_setting_is_one_line(image: Path) -> None:
    status, _, errors = run_image(image, "all", TINYIMAGE_UPLOAD__MAX_AGE="soon")
    assert status == 2
    assert errors.startswith("tinyimage: upload.max_age: ")
    assert errors.count("\n") == 1


def test_root_that_may_not_become_another_user_is_told_what_to_do(image: Path) -> None:
    needs_root()
    status, _, errors = run_image(image, "all", root=Rootfs(unprivileged=True))
    assert status == 1
    assert errors.count("\n") == 1, errors
    assert f'user "{USER}:{GROUP}"' in errors


def older(tmp_path: Path, port: int) -> tuple[Path, Path]:
    """What the older server's compose file mounts, as root's: its file and its output folder."""
    config, output = tmp_path / "config.yaml", tmp_path / "output"
    config.write_text(
        f"server:\n  port: {port}\n  output_dir: output\nupload:\n  max_upload_size: 5MB\n"
        "  max_concurrent_tasks: 1\n  max_age: 48\ndownload:\n  download_url: files/\n"
    )
    config.chmod(0o600)
    output.mkdir(mode=0o755)
    (output / "picture.webp").write_bytes(b"of the older server")
    return config, output


@pytest.mark.parametrize("init", [False, True], ids=["as pid 1", "behind an init"])
def test_the_compose_file_of_the_older_server_changes_only_its_image(
    tmp_path: Path, image: Path, init: bool
) -> None:
    """Port, ./config.yaml and ./output as before, everything in one container, no user given."""
    needs_root()
    port = free_port()
    config, output = older(tmp_path, port)
    root = Rootfs(binds={config: CONFIG_FILE, output: WORKDIR / "output"}, own_pids=not init)
    stage = stages()["server"]
    with Container(stage.command, image, LOOPBACK, root) as container:
        until(ready(container), 60)
        assert is_users(container), "nothing of root's is left"
        client = Client(f"http://127.0.0.1:{port}")
        with client.http:
            about = client.http.get("/").json()
            assert about["max_upload_size_bytes"] == 5 * 1024**2
            assert (about["max_concurrent_tasks"], about["download_url"]) == (1, "files/")
            picture = photograph("rocket")
            assert client.upload(picture).status_code == 202
            assert [job["status"] for job in client.wait(md5(picture))] == ["done"]
        assert container.passes(stage.healthcheck), "at the port that its file names"
        family = container.family()
        container.request_stop()
        assert container.wait(10) == 0, "docker stop kills after 10 s"
        until(lambda: not any(process.is_running() for process in family), what="all have ended")
        log = container.log
    (result,) = [path for path in (output / "results").rglob("*") if path.is_file()]
    assert result.stat().st_uid == output.stat().st_uid == USER
    assert (output / "picture.webp").stat().st_uid == 0, "it is not the server's"
    assert config.stat().st_uid == 0
    assert config.stat().st_mode & 0o777 == 0o600
    assert "/app/data is no volume" in log
    assert "Traceback" not in log


def test_the_folder_that_storage_url_names_becomes_the_users(tmp_path: Path, image: Path) -> None:
    needs_root()
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    values = {**LOOPBACK, **ONE_TASK, "PORT": str(free_port())}
    values["TINYIMAGE_STORAGE__URL"] = "file:///pictures"
    root = Rootfs(binds={pictures: Path("/pictures")})
    with Container(stages()["server"].command, image, values, root) as container:
        until(ready(container), 60)
        container.request_stop()
        assert container.wait(10) == 0
    assert pictures.stat().st_uid == USER


def test_the_variable_that_names_a_file_wins_over_the_older_servers_place(
    tmp_path: Path, image: Path
) -> None:
    needs_root()
    config, _ = older(tmp_path, 9000)
    other = tmp_path / "other.yaml"
    other.write_text("server:\n  port: 9001\n")
    root = Rootfs(binds={config: CONFIG_FILE, other: Path("/other.yaml")})
    show = [
        "python",
        "-c",
        "from app.core.config.load import *; print(load_settings().server.port)",
    ]
    assert run_image(image, *show, root=root)[1] == "9000\n"
    assert run_image(image, *show, root=root, TINYIMAGE_CONFIG="/other.yaml")[1] == "9001\n"


def test_the_health_check_knows_what_the_arguments_say(tmp_path: Path, image: Path) -> None:
    """A file that root alone can read, and that no variable names."""
    needs_root()
    port = free_port()
    config, output = older(tmp_path, port)
    root = Rootfs(binds={config: Path("/own.yaml"), output: WORKDIR / "output"})
    stage = stages()["server"]
    command = [*stage.entrypoint, "all", "--config", "/own.yaml"]
    with Container(command, image, LOOPBACK, root) as container:
        until(ready(container), 60)
        assert f":{port}" in container.log
        assert container.passes(stage.healthcheck), "at the port of that file"
        container.request_stop()
        assert container.wait(10) == 0


def test_a_worker_of_some_queues_is_healthy_when_these_are_served(
    image: Path, empty_redis: str
) -> None:
    stage = stages()["server"]
    command = [*stage.entrypoint, "worker", "--queues", "bulk"]
    values = {**ONE_TASK, "REDIS_URL": empty_redis}
    with Container(command, image, values, Rootfs()) as container:
        with contextlib.closing(redis.Redis.from_url(empty_redis)) as connection:
            until(lambda: connection.scard(rq_keys.WORKERS), what="it has come")
        assert container.passes(stage.healthcheck)
        container.request_stop()
        assert container.wait(10) == 0


def test_a_named_volume_for_the_queue_is_not_warned_of(tmp_path: Path, image: Path) -> None:
    needs_root()
    data = tmp_path / "data"
    data.mkdir()
    root = Rootfs(binds={data: WORKDIR / "data"}, read_only=True)
    values = {**LOOPBACK, **ONE_TASK, "PORT": str(free_port())}
    # The output folder is part of the file system that cannot be written.
    values["TINYIMAGE_SERVER__OUTPUT_DIR"] = "/tmp/output"
    with Container(stages()["server"].command, image, values, root) as container:
        until(ready(container), 60)
        assert is_users(container)
        assert "is no volume" not in container.log
        container.request_stop()
        assert container.wait(10) == 0
    assert data.stat().st_uid == USER


def test_an_output_folder_that_cannot_be_written_is_one_line(tmp_path: Path, image: Path) -> None:
    needs_root()
    status, _, errors = run_image(
        image, "all", root=Rootfs(user="1234:1234"), PORT=str(free_port())
    )
    assert status == 1
    assert "the output folder /app/output cannot be written" in errors.splitlines()[-1]


def test_tini_is_the_first_process_and_takes_in_orphans(image: Path) -> None:
    needs_root()
    tini = shutil.which("tini")
    if tini is None:
        pytest.skip("tini, which the image has, is not installed here")
    show = ["sh", "-c", "cat /proc/1/comm; id -u"]
    root = Rootfs(own_pids=True, binds={Path(tini): Path("/usr/local/bin/tini")})
    assert run_image(image, *show, root=root)[1] == f"tini\n{USER}\n"
    assert run_image(image, "sh", "-c", "exit 7", root=root)[0] == 7


def test_the_health_check_of_another_command_passes(image: Path) -> None:
    command = [*stages()["server"].entrypoint, "sleep", "60"]
    with Container(command, image, LOOPBACK, Rootfs()) as container:
        until(lambda: container.main.name() == "sleep", what="the command runs")
        assert container.passes(stages()["server"].healthcheck)
        container.main.kill()
        container.wait(10)


def test_the_health_check_gives_up_root_as_well(tmp_path: Path, image: Path) -> None:
    """Docker runs it as the user of the image, whatever its processes have become."""
    needs_root()
    (tmp_path / "roots.yaml").write_text("{}")
    (tmp_path / "roots.yaml").chmod(0o600)
    result = run_alone(
        check_command(stages()["server"].healthcheck),
        image,
        {"TINYIMAGE_CONFIG": "/roots.yaml"},
        Rootfs(binds={tmp_path / "roots.yaml": Path("/roots.yaml")}),
    )
    assert result.returncode == 1
    assert "Permission denied" in result.stderr
    assert result.stderr.count("\n") == 1

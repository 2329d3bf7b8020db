"""Folders of root's that the image's entry point gives to its user."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bench.launch import ROOT
from tests.deploy.containers import environment
from tests.deploy.dockerfile import GROUP, USER

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root gives folders away")

OURS, ROOTS = (USER, GROUP), (0, 0)


def owner(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_uid, status.st_gid


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output folder of root's with a stored file in it, and with somebody's own file."""
    folder = tmp_path / "out put"
    (folder / "originals" / "ab").mkdir(parents=True)
    (folder / "originals" / "ab" / "a picture").write_bytes(b"1")
    (folder / "holiday.jpg").write_bytes(b"2")
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of the queue; it is not there yet."""
    return tmp_path / "new" / "data"


def start(output: Path, data: Path) -> str:
    """Start the entry point as root, which gives the folders away before all else. Returns what it
    says of that."""
    values = {
        "TINYIMAGE_SERVER__OUTPUT_DIR": str(output),
        "TINYIMAGE_REDIS__DATA_DIR": str(data),
    }
    result = subprocess.run(
        [str(ROOT / "entrypoint.sh"), "all", "--version"],
        cwd=ROOT,
        env=environment(values),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return "".join(line for line in result.stderr.splitlines(True) if "given to the user" in line)


def test_the_folder_and_what_is_the_servers_in_it_become_the_users(
    output: Path, data: Path
) -> None:
    (output / "originals" / "ab").chmod(0o500)
    assert start(output, data) == ""
    for path in (output, output / "originals", *(output / "originals").rglob("*")):
        assert owner(path) == OURS, path
    assert owner(output / "holiday.jpg") == ROOTS, "it is not the server's"
    assert owner(data) == OURS, "it was made"


def test_all_of_the_queues_folder_becomes_the_users(output: Path, data: Path) -> None:
    (data / "appendonlydir").mkdir(parents=True)
    (data / "appendonlydir" / "1.aof").write_bytes(b"1")
    os.mkfifo(data / "redis.sock")
    start(output, data)
    assert {owner(path) for path in (data, *data.rglob("*.aof"), data / "appendonlydir")} == {OURS}


@pytest.mark.parametrize(("user", "mode"), [(USER, 0o700), (1000, 0o777)])
def test_a_folder_that_the_user_can_write_to_is_left_as_it_is(
    output: Path, data: Path, user: int, mode: int
) -> None:
    os.chown(output, user, 0)
    output.chmod(mode)
    start(output, data)
    assert owner(output) == (user, 0)
    assert owner(output / "originals") == ROOTS


def test_a_folder_of_another_user_and_one_that_was_cut_off_become_the_users(
    output: Path, data: Path
) -> None:
    os.chown(output, 1000, 1000)
    os.chown(output / "originals", USER, GROUP)
    output.chmod(0o555)
    start(output, data)
    assert owner(output) == owner(output / "originals" / "ab" / "a picture") == OURS
    assert output.stat().st_mode & 0o777 == 0o755


def test_what_links_point_to_stays_as_it_is(output: Path, data: Path, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "key").write_text("1")
    (output / "originals" / "folder").symlink_to(secrets)
    (output / "originals" / "file").symlink_to(secrets / "key")
    (output / "originals" / "second name").hardlink_to(secrets / "key")
    (output / "results").symlink_to(secrets)
    start(output, data)
    assert owner(secrets) == owner(secrets / "key") == ROOTS
    assert owner(output / "originals" / "file") == ROOTS
    assert owner(output) == OURS


def test_a_folder_that_is_a_link_is_refused(output: Path, data: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(output)
    assert "it is a link" in start(tmp_path / "link", data)
    assert owner(output) == ROOTS

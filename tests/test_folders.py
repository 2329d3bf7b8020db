"""A folder of root's that is given to the image's user."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.folders import hand_over

USER, GROUP = 10001, 10002

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root gives folders away")


def owner(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_uid, status.st_gid


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An output folder of root's with a stored file in it, and with somebody's own file."""
    folder = tmp_path / "output"
    (folder / "originals" / "ab").mkdir(parents=True)
    (folder / "originals" / "ab" / "picture").write_bytes(b"1")
    (folder / "holiday.jpg").write_bytes(b"2")
    return folder


def test_the_folder_and_what_is_the_servers_in_it_become_the_users(folder: Path) -> None:
    hand_over(folder, USER, GROUP, ["originals", "results"])
    for path in (folder, folder / "originals", *(folder / "originals").rglob("*")):
        assert owner(path) == (USER, GROUP), path
    assert owner(folder / "holiday.jpg") == (0, 0), "it is not the server's"


def test_without_names_everything_becomes_the_users(folder: Path) -> None:
    hand_over(folder, USER, GROUP)
    assert {owner(path) for path in folder.rglob("*")} == {(USER, GROUP)}


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    hand_over(tmp_path / "new" / "output", USER, GROUP, ["originals"])
    assert owner(tmp_path / "new" / "output") == (USER, GROUP)
    assert list((tmp_path / "new" / "output").iterdir()) == []


@pytest.mark.parametrize(("user", "mode"), [(USER, 0o700), (1000, 0o777)])
def test_a_folder_that_the_user_can_write_to_is_left_as_it_is(
    folder: Path, user: int, mode: int
) -> None:
    os.chown(folder, user, 0)
    folder.chmod(mode)
    hand_over(folder, USER, GROUP)
    assert owner(folder) == (user, 0)
    assert owner(folder / "originals") == (0, 0)


def test_a_folder_of_another_user_becomes_the_users(folder: Path) -> None:
    os.chown(folder, 1000, 1000)
    folder.chmod(0o555)
    hand_over(folder, USER, GROUP)
    assert owner(folder) == (USER, GROUP)
    assert folder.stat().st_mode & 0o777 == 0o755


def test_what_links_point_to_stays_as_it_is(folder: Path, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "key").write_text("1")
    (folder / "originals" / "folder").symlink_to(secrets)
    (folder / "originals" / "file").symlink_to(secrets / "key")
    (folder / "originals" / "second name").hardlink_to(secrets / "key")
    (folder / "results").symlink_to(secrets)
    hand_over(folder, USER, GROUP)
    assert owner(secrets) == (0, 0)
    assert owner(secrets / "key") == (0, 0)
    assert owner(folder) == (USER, GROUP)


def test_a_folder_that_is_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(OSError, match="link"):
        hand_over(tmp_path / "link", USER, GROUP)
    assert owner(folder) == (0, 0)


def test_what_was_cut_off_is_done_again(folder: Path) -> None:
    os.chown(folder / "originals", USER, GROUP)
    hand_over(folder, USER, GROUP, ["originals"])
    assert owner(folder / "originals" / "ab" / "picture") == (USER, GROUP)


def test_a_socket_in_it_is_no_hindrance(folder: Path) -> None:
    os.mkfifo(folder / "redis.sock")
    hand_over(folder, USER, GROUP)
    assert owner(folder) == (USER, GROUP)

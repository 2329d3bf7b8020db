"""The Dockerfile: what hadolint says of it, and what its image runs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from app.core.config.load import load_settings
from bench.launch import ROOT, free_port
from tests.deploy.compose import WORKDIR, services
from tests.deploy.conftest import LOOPBACK, ONE_TASK
from tests.deploy.containers import BIN, Container
from tests.deploy.dockerfile import DOCKERFILE, GROUP, USER, stages
from tests.deploy.rootfs import Rootfs
from tests.pictures import md5, photograph
from tests.service import Client, until

PINNED = re.compile(r"^([\w-]+)==(\S+)", re.MULTILINE)


def test_hadolint_has_nothing_to_say() -> None:
    result = subprocess.run(
        [BIN / "hadolint", DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_image_alone_takes_and_converts_a_picture(tmp_path: Path) -> None:
    stage = list(stages().values())[-1]
    folder = stage.unpack(tmp_path / "app")
    port = free_port()
    values = {**LOOPBACK, **ONE_TASK, "PORT": str(port)}
    with Container(stage.command, folder, values, Rootfs()) as container:
        client = Client(f"http://127.0.0.1:{port}")
        until(lambda: "is ready at" in container.log or not container.running(), 60)
        assert container.passes(stage.healthcheck), container.log
        with client.http:
            picture = photograph("rocket")
            assert client.upload(picture).status_code == 202
            assert [job["status"] for job in client.wait(md5(picture))] == ["done"]
        family = container.family()
        container.request_stop()
        assert container.wait(10) == 0, "docker stop kills after 10 s"
        until(lambda: not any(process.is_running() for process in family), what="all have ended")
    # What it writes is in the two folders that the image's user owns.
    kept = {path.name for path in folder.iterdir()} - {target for _, target in stage.sources}
    assert kept == set(stage.own_folders) == {"output", "data"}


def test_all_that_is_copied_reaches_the_build() -> None:
    allowed = (ROOT / ".dockerignore").read_text().split("\n")
    assert "*" in allowed, "only what is named is sent to the build"
    for stage in stages().values():
        for source, _ in stage.sources:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in allowed, source


def test_the_user_of_the_image_is_the_one_that_the_code_knows() -> None:
    (run,) = [run for run in stages()["base"].values("RUN") if "useradd" in run]
    assert re.findall(r"--(?:u|g)id (\d+)", run) == [str(GROUP), str(USER), str(GROUP)]
    assert f"user={USER} " in (ROOT / "entrypoint.sh").read_text()
    assert stages()["dashboard"].user == f"{USER}:{GROUP}"
    for service in services().values():
        if service.name != "redis":
            assert service.root.user == f"{USER}:{GROUP}"


def test_the_port_that_the_image_names_is_the_servers() -> None:
    assert stages()["server"].values("EXPOSE") == [str(load_settings().server.port)]


def test_the_working_directory_is_the_one_that_compose_mounts_into() -> None:
    assert stages()["base"].values("WORKDIR") == [str(WORKDIR)]


def test_the_platforms_and_the_image_have_the_same_python() -> None:
    version = (ROOT / ".python-version").read_text().strip()
    assert stages()["base"].base.startswith(f"python:{version}-slim")


def test_the_image_installs_what_the_scripts_install() -> None:
    (install,) = [run for run in stages()["build"].values("RUN") if "/pip " in run]
    script = (ROOT / "script" / "common.sh").read_text()
    blind = "PKG_CONFIG_PATH='' PKG_CONFIG_LIBDIR=/nonexistent"
    for part in ("--only-binary :all: --no-binary pyvips,crontab", blind):
        assert part in install
        assert part in script


def test_rq_dashboard_is_the_version_that_is_tested() -> None:
    tested = dict(PINNED.findall((ROOT / "requirements-dev.txt").read_text()))
    (install,) = [run for run in stages()["build-dashboard"].values("RUN") if "/pip " in run]
    pinned = dict(PINNED.findall("\n".join(install.split())))
    assert set(pinned) == {"rq-dashboard", "six"}
    assert pinned == {name: tested[name] for name in pinned}

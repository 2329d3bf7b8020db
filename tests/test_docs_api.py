"""The examples of docs/api.md and docs/webhooks.md for clients of the HTTP API do what they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.core.config.webhooks import WebhookSettings
from bench.launch import ROOT
from tests.hosts import Host, host
from tests.pictures import as_format, md5, opened, photograph, unique
from tests.receiver import OTHER_SECRET, SECRET, Receiver, receiver, webhook_settings
from tests.service import Client, Service, service, until

ROCKET = "511130d2072cc744a1fa5015bc23557a"
"""The MD5 of the picture of the examples, rocket.jpg."""

COFFEE = "096c389689b44fef5b50580ccef82e05"
"""That of another in the examples, for which there is a stand-in here."""


def section(name: str, file: str = "api.md") -> str:
    """What is below a heading of the second level."""
    text = (ROOT / "docs" / file).read_text("utf-8")
    return text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def blocks(text: str, language: str) -> list[str]:
    """The examples in a language."""
    found = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert found, f"an example in {language}"
    return found


@pytest.fixture(scope="module")
def site() -> Iterator[Host]:
    with host() as running:
        running.files["rocket.jpg"] = photograph("rocket")
        yield running


@pytest.fixture(scope="module")
def hooks() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, hooks: Receiver) -> Iterator[Service]:
    settings = webhook_settings(any="true", secret=OTHER_SECRET)
    with service(tmp_path_factory.mktemp("docs"), FETCH__ENABLED="true", **settings) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Service) -> Client:
    return server.client()


@pytest.fixture
def run(server: Service, site: Host, hooks: Receiver, tmp_path: Path) -> Any:
    """Runs a line of an example in a folder with the pictures. Gives what it prints."""
    (tmp_path / "rocket.jpg").write_bytes(photograph("rocket"))

    def run(line: str, **replaced: str) -> str:
        for name, value in {
            "http://localhost:8080": server.url,
            "https://example.org/rocket.jpg": f"{site.url}/files/rocket.jpg",
            "https://example.org/hooks": f"{hooks.url}/docs",
            **replaced,
        }.items():
            line = line.replace(name, value)
        assert "example.org" not in line
        ended = subprocess.run(
            ["bash", "-c", line.replace("curl ", "curl -sS --fail-with-body ")],
            cwd=tmp_path,
            env={**os.environ, "no_proxy": "*"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    return run


def lines_of(block: str) -> list[str]:
    """The commands of an example."""
    return block.replace("\\\n", " ").strip().splitlines()


def test_an_upload_by_its_url_is_answered_and_followed_as_it_is_told(
    run: Any, client: Client
) -> None:
    text = section("Uploads by URL")
    sends, status = blocks(text, "sh")
    (told,) = (json.loads(block) for block in blocks(text, "json"))
    for line in lines_of(sends):
        answer = json.loads(run(line))
        assert {**answer, "id": told["id"]} == told
    (taken,) = json.loads(run(status, **{told["id"]: answer["id"]}))
    assert taken == {
        "id": answer["id"],
        "md5": ROCKET,
        "status": "done",
        "format": "webp",
        "quality": 0,
        "options": {"keep": ["icc"]},
    }
    assert {("avif", 300)} <= {
        (job["format"], job.get("options", {}).get("width")) for job in client.status(ROCKET)
    }


def test_several_widths_are_answered_as_it_is_told(run: Any, client: Client) -> None:
    text = section("Several widths")
    (line,) = lines_of(*blocks(text, "sh"))
    answer, entry = (json.loads(block) for block in blocks(text, "json"))
    given = json.loads(run(line))
    for image in given["images"]:
        image["status"] = "queued"
    assert given == answer
    open_format = client.upload(photograph("rocket"), widths="320", format="avif,webp").json()
    assert {**open_format["images"][0], "status": "queued"} == entry


def test_a_batch_is_told_and_packed_as_it_is_told(run: Any, client: Client, tmp_path: Path) -> None:
    text = section("Batches")
    calls, archive = blocks(text, "sh")
    send, ask = lines_of(calls)
    (told,) = (json.loads(block) for block in blocks(text, "json"))
    run(send)
    until(lambda: client.http.get("/batch/holiday").json()["unfinished"] == 0)
    assert json.loads(run(ask)) == told
    run(archive)
    with zipfile.ZipFile(tmp_path / "holiday.zip") as packed:
        assert packed.namelist() == ["rocket.webp"]


def test_an_archive_has_the_files_that_are_listed(run: Any, client: Client, tmp_path: Path) -> None:
    coffee = as_format("coffee", "JPEG")
    client.upload(photograph("rocket"), "webp", width="300")
    client.upload(coffee, "jpg", quality="70")
    for data in (photograph("rocket"), coffee):
        client.http.get(f"/status/{md5(data)}?wait=60")
    (example,) = blocks(section("Archives"), "sh")
    run(example, **{COFFEE: md5(coffee)})
    with zipfile.ZipFile(tmp_path / "pictures.zip") as packed:
        assert packed.namelist() == ["beach/rocket.webp", "beach/coffee.jpg"]
        assert opened(packed.read("beach/rocket.webp")).width == 300


def test_events_are_as_they_are_told(run: Any, client: Client) -> None:
    text = section("Events")
    (line,) = lines_of(*blocks(text, "sh"))
    told = text[text.index("\nretry: ") : text.index("\n```\n\n```js")]
    data = unique(photograph("rocket"))  # which no other example has converted
    client.upload(data, "webp")
    given = run(line, **{ROCKET: md5(data)}).replace(md5(data), ROCKET)

    def events(stream: str) -> list[list[str]]:
        """The names of the fields of each event; of data its status."""
        found = []
        for event in stream.strip().split("\n\n"):
            fields = dict(each.split(": ", 1) for each in event.splitlines())
            status = re.search(r'"status": ?"(\w+)"', fields.get("data", ""))
            found.append([*fields, *(status.groups() if status else ())])
        return found

    assert events(told)[0] == events(given)[0] == ["retry"]
    count = len(events(given)) - 1  # it may be done already
    assert events(given)[1:] == events(told)[-count:]
    assert re.search(r'"download_url": ?"([^"]*)"', given)[1] in told  # type: ignore[index]


def test_a_webhook_of_an_upload_gets_the_message_that_is_told(
    run: Any, client: Client, hooks: Receiver
) -> None:
    text = section("Whom it tells", "webhooks.md")
    (line,) = lines_of(*blocks(text, "sh"))
    run(line)
    whole = (ROOT / "docs" / "webhooks.md").read_text("utf-8")
    told = json.loads(blocks(whole, "json")[0])
    (came,) = hooks.of(ROCKET)
    assert came.path == "/hooks/docs"
    assert came.is_signed_by(OTHER_SECRET)
    plain = {name: value for name, value in told["data"].items() if name != "options"}
    assert set(came.data) == set(plain)
    same = ("md5", "format", "quality", "status", "filename", "original_bytes")
    assert {name: came.data[name] for name in same} == {name: plain[name] for name in same}
    settings = yaml.safe_load(*blocks(text, "yaml"))
    named = WebhookSettings.model_validate(settings["webhooks"]).endpoints
    assert set(named) == {"shop", "alarm"}
    assert SECRET not in str(named)

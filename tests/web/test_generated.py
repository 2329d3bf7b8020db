"""A client that another project's generator makes of the schema works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

from imaging.formats import Format
from tests.pictures import opened, snapshot
from tests.service import service
from tests.web.contract import Contract
from tests.web.keys import KEY, KEYS

PROGRAM = Path(__file__).parent / "generated.py"


def test_a_generated_client_uploads_waits_downloads_and_knows_errors(tmp_path: Path) -> None:
    with service(tmp_path, AUTH__API_KEYS=KEYS) as server:
        schema = tmp_path / "openapi.json"
        schema.write_text(json.dumps(Contract(server.url).schema))
        config = tmp_path / "config.yaml"
        # The generator has to be told what files are; its formatting is left out.
        files = [*(format.media_type for format in Format), "application/zip"]
        kinds = dict.fromkeys(files, "application/octet-stream")
        config.write_text(yaml.safe_dump({"content_type_overrides": kinds, "post_hooks": []}))
        package = tmp_path / "generated_client"
        generator = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
        made = subprocess.run(
            [
                *generator,
                *("--path", str(schema)),
                *("--config", str(config)),
                *("--output-path", str(package)),
                "--fail-on-warning",
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert made.returncode == 0, made.stdout + made.stderr

        picture = tmp_path / "rocket.jpg"
        picture.write_bytes(snapshot())
        used = subprocess.run(
            [sys.executable, str(PROGRAM), server.url, KEY, str(picture)],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert used.returncode == 0, used.stdout + used.stderr
    result = json.loads(used.stdout)
    assert sorted(result["formats"]) == ["avif", "webp"]
    assert result["errors"] == [[400, "invalid_option"], [415, "not_an_image"], [404, "not_found"]]
    assert result["part"] == [206, 10]
    assert result["head"] == 200
    plain, small = tmp_path / "plain.webp", tmp_path / "small.avif"
    assert opened(plain.read_bytes()).format == "WEBP"
    assert opened(plain.read_bytes()).size == opened(picture.read_bytes()).size
    assert small.stat().st_size < plain.stat().st_size

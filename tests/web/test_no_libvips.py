"""A web process has no libvips, nor anything else that decodes pictures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.run.embedded import EmbeddedRedis
from tests.pictures import md5, photograph, unique
from tests.web.alone import Web

_IMPORTED = re.compile(r"import time: +\d+ \| +\d+ \| +([\w.]+)")
"""What Python says of a module that it has imported, with `PYTHONPROFILEIMPORTTIME`."""

DECODERS = ("pyvips", "_libvips", "PIL", "pillow_heif", "oxipng", "mozjpeg_lossless_optimization")


def test_a_web_process_imports_facts_about_pictures_and_no_decoder(
    session_redis: EmbeddedRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Web, "forked", False)
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    web = Web(tmp_path, session_redis.url).ready()
    try:
        data = unique(photograph("rocket"))
        assert web.client.upload(data, "webp", width="99").status_code == 202
        assert web.client.status(md5(data))
        assert web.client.http.get("/docs/openapi.json").status_code == 200
        mapped = "".join(
            Path(f"/proc/{process.pid}/maps").read_text()
            for process in web.family()
            if Path("/proc/self/maps").exists()
        )
    finally:
        web.client.http.close()
        web.terminate()
    imported = {match[1] for line in web.log if (match := _IMPORTED.match(line))}
    assert {"imaging.formats.facts", "imaging.options", "sanic"} <= imported
    assert not {name for name in imported if name.split(".")[0] in DECODERS}
    assert not {"imaging.codec", "imaging.codecs", "imaging.decode"} & imported
    assert not {name for name in DECODERS if name in mapped}
    assert "libvips" not in mapped

"""`script/bench corpus`: pictures out of packages, into folders for `script/bench scale`."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.__main__ import main
from bench.scale import corpus
from bench.scale.corpus import Source
from bench.scale.pictures import Group, Kind, pictures_in
from tests.pictures import encoded, in_colour

SOURCES = (
    Source(Kind.PHOTOGRAPH, "some", "some-data", "backgrounds", ("nature/*.jpg", "*/a.png")),
    Source(Kind.PHOTOGRAPH, "game", "some-data", "game", ("*.rcc",)),
    Source(Kind.GRAPHIC, "few", "some-data", "drawn", ("*.png",), most=2),
)


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def test_the_pictures_of_a_package_that_are_large_enough(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "SOURCES", SOURCES)
    image = in_colour("chelsea")
    large, small = image.resize((520, 520)), image.resize((500, 500))
    share = folder / "packages/some-data/usr/share"
    _write(share / "backgrounds/nature/large.jpg", encoded(large, "JPEG", quality=30))
    _write(share / "backgrounds/nature/small.jpg", encoded(small, "JPEG", quality=30))
    _write(share / "backgrounds/one/a.png", encoded(small, "PNG"))
    _write(share / "backgrounds/two/a.png", encoded(image.resize((255, 300)), "PNG"))
    webps = [encoded(each, "WEBP", quality=30) for each in (large, small, large.rotate(90))]
    _write(share / "game/set.rcc", b"qres" + webps[0] + b"RIFF" + webps[1] + webps[2] + b"end")
    for name in "abc":
        _write(share / f"drawn/{name}.png", encoded(small, "PNG"))
    for _ in range(2):
        assert main(["corpus", str(folder)]) == 0
        found = {picture.name: picture for picture in pictures_in(folder)}
        kept = {name for name in found if name.startswith(f"{Kind.PHOTOGRAPH}/some/")}
        assert kept == {"photographs/some/nature-large.jpg", "photographs/some/one-a.png"}
        assert found["photographs/game/set-000.webp"].file.read_bytes() == webps[0]
        assert found["photographs/game/set-002.webp"].file.read_bytes() == webps[2]
        assert "photographs/game/set-001.webp" not in found
        assert sum(picture.group is Group.GRAPHICS for picture in found.values()) == 2
        assert "photographs/scikit-image/coffee.png" in found


def test_without_debian_it_says_where_the_pictures_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(folder))
    assert main(["corpus", str(folder)]) == 1
    assert "Debian" in capsys.readouterr().err

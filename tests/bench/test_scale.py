"""`script/bench scale`: how far from a plain JPEG's look formats are, and the tables that fit."""

from __future__ import annotations

import json
import shutil
from argparse import ArgumentParser
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import pyvips

from bench.pictures import shipped
from bench.scale import command, measured, report, ways
from bench.scale.fit import FLOOR, fitted, with_table
from bench.scale.measured import QUALITIES, Looks
from bench.scale.pictures import LEAST_SIDE, Group, Kind, pictures_in, prepared
from bench.scale.report import engine_table, way_table
from bench.scale.ways import HALVED, Way
from imaging.formats import Format
from tests.bench.command import TIMEOUT, bench
from tests.imaging.samples import photo
from tests.pictures import encoded

pytestmark = TIMEOUT

SCALE = ((1, 1), *((quality, quality) for quality in HALVED), (90, 95), (100, 100))


def _way() -> Way:
    return Way("one", Format.WEBP, lambda image, number: b"", SCALE, (0, 50, 100))


def _looks(name: str, better: float, *, held_out: bool = False, less: float = 0) -> Looks:
    """Of an encoder that looks better by so much at each number, as those of `plain` do."""
    plain = {quality: float(quality - less) for quality in QUALITIES}
    ways = {"one": [(number, number + better - less) for number in (0.0, 50.0, 100.0)]}
    engine = {"webp, fast": {80: 80 + better - less}}
    return Looks(name, Kind.PHOTOGRAPH, held_out, True, 90_000, plain, ways, engine)


def test_a_table_gives_the_mean_look_of_a_plain_jpeg() -> None:
    pictures = [_looks("x/a", 4), _looks("x/b", 8)]
    scale = dict(fitted(_way(), pictures))
    assert {quality: scale[quality] for quality in HALVED} == pytest.approx(
        {quality: quality - 6 for quality in HALVED}, abs=0.2
    )
    assert (scale[1], scale[90], scale[100]) == (1, 95, 100)
    assert with_table(_way(), list(scale.items()), pictures, 60) == pytest.approx([-2, 2], abs=0.5)


def test_a_distance_that_falls_is_fitted_too() -> None:
    looks = Looks(
        *("a", Kind.PHOTOGRAPH, False, True, 90_000),
        plain=dict.fromkeys(QUALITIES, 50.0),
        ways={"one": [(10.0, 0.0), (0.0, 100.0)]},
    )
    way = Way("one", Format.JXL, lambda image, number: b"", SCALE, (10, 0), digits=2)
    assert dict(fitted(way, [looks]))[80] == pytest.approx(5, abs=0.01)


def test_what_is_nothing_but_blocks_does_not_outweigh_all_others() -> None:
    looks = _looks("x/a", 4, less=200)
    assert with_table(_way(), SCALE, [looks], 80) == [0]
    assert FLOOR > 0


def test_a_mean_that_is_too_far_off_is_named() -> None:
    pictures = [_looks("x/a", 0.2), _looks("x/b", 0.4)]
    held_out = [_looks("x/c", 1, held_out=True), _looks("x/d", 2, held_out=True)]
    table = engine_table("webp, fast", pictures + held_out)
    assert table.splitlines()[-1] == "Held out beyond 0.5: 80 (+1.50)"
    assert "+0.30" in table
    assert "Held out beyond 0.5: none" in engine_table("webp, fast", pictures)
    assert "2 photographs fitted, 2 held out" in way_table(_way(), pictures + held_out)


def test_a_quarter_of_each_source_is_held_out_whichever_other_sources_there_are(
    folder: Path,
) -> None:
    counts = {"lake": 60, "town": 13, "coast": 1}
    for source, count in counts.items():
        place = folder / Kind.PHOTOGRAPH / source
        place.mkdir(parents=True)
        for number in range(count):
            (place / f"{number}.png").touch()
    drawn = folder / Kind.GRAPHIC / "drawn"
    drawn.mkdir(parents=True)
    (drawn / "a.png").touch()
    before = pictures_in(folder)
    held_out = [picture for picture in before if picture.group is Group.HELD_OUT]
    assert Counter(picture.source for picture in held_out) == {"lake": 15, "town": 4, "coast": 1}
    assert [picture.source for picture in before if picture.group is Group.GRAPHICS] == ["drawn"]
    shutil.rmtree(folder / Kind.PHOTOGRAPH / "town")
    after = [picture for picture in pictures_in(folder) if picture.group is Group.HELD_OUT]
    assert after == [picture for picture in held_out if picture.source != "town"]


def test_the_first_pictures_are_of_all_sources(folder: Path) -> None:
    for source, count in (("lake", 8), ("town", 4)):
        place = folder / Kind.PHOTOGRAPH / source
        place.mkdir(parents=True)
        for number in range(count):
            (place / f"{number}.png").touch()
    assert {picture.source for picture in pictures_in(folder)[:2]} == {"lake", "town"}


def test_a_lossy_picture_loses_its_blocks_and_a_small_one_is_left_out(folder: Path) -> None:
    place = folder / Kind.PHOTOGRAPH / "some"
    place.mkdir(parents=True)
    (place / "large.jpg").write_bytes(encoded(photo(900, 700), "JPEG", quality=30))
    (place / "small.jpg").write_bytes(encoded(photo(500, 500), "JPEG", quality=30))
    (place / "whole.png").write_bytes(encoded(photo(400, 300), "PNG"))
    made = {picture.file.stem: image for picture, image in prepared(pictures_in(folder))}
    assert set(made) == {"large", "whole"}
    assert max(made["large"].width, made["large"].height) <= 450
    assert all(min(image.width, image.height) >= LEAST_SIDE for image in made.values())


def test_it_measures_and_what_was_measured_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # In this process and at few qualities: without vszip each look takes a fifth of a second.
    points = (40, 80)
    for module in (measured, report):
        monkeypatch.setattr(module, "PROMISED", points)
    monkeypatch.setattr(measured, "QUALITIES", points)
    klein = next(way for way in ways.WAYS if "Klein" in way.name)
    monkeypatch.setattr(ways, "WAYS", [replace(klein, numbers=(5, 60, 95), points=points)])
    parser = ArgumentParser()
    command.register(parser.add_subparsers())
    place = folder / "pictures" / Kind.PHOTOGRAPH / "some"
    place.mkdir(parents=True)
    for name in ("astronaut.png", "coffee.png", "chelsea.png"):
        image = pyvips.Image.new_from_file(str(shipped([name])[0]))
        image.crop(20, 20, LEAST_SIDE, LEAST_SIDE).pngsave(str(place / name))
    kept = folder / "kept.jsonl"
    chosen = ("--pictures", str(folder / "pictures"), "--formats", "jpg", "--kept", str(kept))
    for _ in range(2):
        command.run(parser.parse_args(["scale", *chosen, "--groups", "fitted"]))
        told = capsys.readouterr().out
        assert "jpg, the table of Klein" in told
        assert "2 photographs fitted, 0 held out" in told
    command.run(
        parser.parse_args(["scale", *chosen, "--groups", "held-out,graphics", "--count", "2"])
    )
    assert "2 pictures" in capsys.readouterr().out
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    assert len(lines) == 4
    assert {line["kind"] for line in lines} == {"photographs", "graphics"}
    first = next(picture for picture in pictures_in(folder / "pictures") if not picture.is_held_out)
    first.file.unlink()
    command.run(parser.parse_args(["scale", *chosen, "--groups", "fitted,held-out"]))
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    means = [float(row[4]) for row in rows if row[:4] == ["40", "1", "1", "2"]]
    assert len(means) == 1  # of one that is fitted and one that is held out


def test_without_pictures_it_says_where_they_should_be(folder: Path) -> None:
    result = bench(folder, "scale", "--pictures", str(folder))
    assert result.returncode == 1
    assert "photographs/SOURCE" in result.stderr

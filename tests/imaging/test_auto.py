"""`q=auto`: the smallest file that looks right."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
import pyvips
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat
from PIL.ExifTags import Base

from bench.pictures import shipped
from imaging import look
from imaging.auto import typical
from imaging.auto.grid import TILE, grids
from imaging.auto.judge import Judge, seen_of_file
from imaging.auto.large import LargeSearch
from imaging.auto.large_looks import LargeLooks, usual_power
from imaging.auto.opened import opened as opened_quickly
from imaging.auto.part import Part, has_part
from imaging.auto.qualities import Qualities
from imaging.auto.sample import (
    HIGH_STRIPS,
    LOW_STRIPS,
    MARGIN,
    Sample,
    Strips,
    is_large,
    sample,
    strips,
    whole,
)
from imaging.auto.search import ENOUGH, FAR, FILES, LEAST_SIDE, LOOKS, PROBES, Found, Search
from imaging.codec import Encoding, Purpose, Sought
from imaging.codecs import WRITERS
from imaging.convert import convert
from imaging.decode import decode
from imaging.formats import Format
from imaging.formats.jpg.tables import own_quality
from imaging.limits import Limits
from imaging.measures import Chosen, Measures
from imaging.options import Auto, Effort, Keep, Options
from imaging.steps.metadata import EXIF
from imaging.target import Target
from imaging.write.scale import between
from imaging.write.strips import to_vips
from tests.imaging.animations import animation
from tests.pictures import encoded, opened

AUTOMATIC = [format for format in Format if format.takes_auto]
FIXED = [format for format in Format if not format.takes_auto]

OFF = 2.5 if look.method() is look.Method.VSZIP else 0.0
"""Points that the engine's look at pictures of such a size is off by (docs/engine.md)."""


def picture(name: str, width: int = 240, height: int = 228) -> Image.Image:
    """A piece of a photograph, in its own resolution."""
    image = opened(shipped([name])[0].read_bytes()).convert("RGB")
    image.info.clear()
    return image.crop((60, 40, 60 + width, 40 + height))


def png(image: Image.Image) -> bytes:
    return encoded(image, "PNG", compress_level=1)


def target(format: Format, q: Auto | None = Auto.AUTO, **options: Any) -> Target:
    return Target(format, 0, Limits(), Effort.BALANCED, Options(q=q, **options))


def made(data: bytes, wanted: Target) -> tuple[bytes, Chosen | None]:
    told: list[Measures] = []
    return convert(data, wanted, told.append), told[-1].chosen


def load(data: bytes) -> pyvips.Image:
    return decode(data, Limits()).image


def by_package(image: Image.Image, result: bytes) -> float:
    from ssimulacra2 import compute_ssimulacra2  # with SciPy, not in every process of the tests

    files = (io.BytesIO(png(each)) for each in (image, opened(result).convert("RGB")))
    return float(compute_ssimulacra2(*files))


@pytest.mark.parametrize("format", AUTOMATIC)
def test_pictures_that_differ_at_one_number_look_alike(format: Format) -> None:
    looks, numbers = [], []
    for name in ("chelsea.png", "rocket.jpg"):
        image = picture(name)
        result, chosen = made(png(image), target(format))
        assert chosen is not None
        looks.append(by_package(image, result))
        numbers.append(chosen.quality)
        assert chosen.look == pytest.approx(looks[-1], abs=1.5 + OFF)
    assert made(png(image), target(format)) == (result, chosen)
    assert looks == pytest.approx([LOOKS[Auto.AUTO]] * 2, abs=2.5 + OFF)
    # JPEG XL's own distance is one of looks already, and an AVIF's numbers are the same by libvips.
    assert format in (Format.JXL, Format.AVIF) or numbers[0] != numbers[1]


@pytest.mark.parametrize("format", AUTOMATIC)
def test_a_better_look_takes_more_bytes_and_a_worse_one_fewer(format: Format) -> None:
    image = picture("chelsea.png")
    sizes, looks = [], []
    for q in (Auto.LOW, Auto.AUTO, Auto.HIGH):
        result, chosen = made(png(image), target(format, q))
        assert chosen is not None
        sizes.append(len(result))
        looks.append(chosen.look)
    assert sizes == sorted(sizes)
    assert looks == pytest.approx([65, 77, 85], abs=2.5)


@pytest.mark.parametrize("format", AUTOMATIC)
def test_a_large_picture_is_encoded_twice_at_most_and_its_sample_twice(
    format: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    encodings: list[Purpose] = []
    encode = Search._encode

    def counted(self: Search, image: pyvips.Image, quality: float, purpose: Purpose) -> bytes:
        encodings.append(purpose)
        is_sample = image.width * image.height < self.image.width * self.image.height
        assert is_sample is (purpose is not Purpose.RESULT)
        return encode(self, image, quality, purpose)

    monkeypatch.setattr(Search, "_encode", counted)
    image = Image.new("RGB", (760, 700))
    for number, name in enumerate(("coffee.png", "rocket.jpg", "chelsea.png", "astronaut.png")):
        part = picture(name, 380, 260).resize((380, 350))
        image.paste(part, (number % 2 * 380, number // 2 * 350))
    first, chosen = made(png(image), target(format))
    assert chosen is not None
    files = encodings.count(Purpose.RESULT)
    assert 1 <= len(encodings) - files <= PROBES
    assert 1 <= files <= FILES
    if format is Format.JPG:  # the sample is the same for all
        assert made(png(image), target(format)) == (first, chosen)


def found_of(
    looks: list[float], monkeypatch: pytest.MonkeyPatch, *given: bytes, of_jpeg: bool = False
) -> Found:
    """What is found where files of a picture have these looks, one after the other."""
    image = pyvips.Image.pngload_buffer(png(picture("chelsea.png"))).copy_memory()
    seen = iter(looks)
    monkeypatch.setattr(Search, "_look", lambda *given: next(seen))
    ways = [lambda most, data=data: data for data in given]
    writer = replace(WRITERS[Format.WEBP], of_graphic=lambda *asked: ways)
    bounds, effort = (10, 98), Effort.BALANCED
    found = Search(image, writer, load, 77.0, bounds, effort, 0, of_jpeg=of_jpeg).run()
    assert not list(seen)
    return found


@pytest.mark.parametrize(
    ("looks", "best"),
    [((60, 90), 90), ((60, 70), 70), ((60, 72), 72), ((82, 72), 82), ((85, 76), 76)],
)
def test_no_third_file_is_made_and_one_that_is_too_good_is_the_lesser_evil(
    looks: tuple[float, float], best: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found_of([*looks], monkeypatch).chosen.look == best


def test_after_a_file_that_is_far_too_bad_the_last_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What a picture of 1.2 megapixels was: its sample looked much better than the file.
    search = Search(
        pyvips.Image.black(300, 300), WRITERS[Format.WEBP], load, 77.0, (10, 98), Effort.BALANCED, 0
    )
    known = {22: 62.6, 36: 72.0, 45: 76.0, 51: 78.3, 60: 80.7}
    asked: list[float] = []

    def encoded_at(self: Search, image: pyvips.Image, quality: float, purpose: Purpose) -> bytes:
        asked.append(quality)
        return b""

    monkeypatch.setattr(Search, "_encode", encoded_at)
    monkeypatch.setattr(Search, "_look", lambda *given: between([*known.items()], asked[-1]))
    search.tried = [(80, 88.2), (38, 82.0)]
    judge = Judge(search.image, whole(300, 300))
    look_of_found = search._nearest(judge, 22).chosen.look
    assert look_of_found is not None
    assert look_of_found >= 77 - FAR
    assert len(asked) == FILES


@pytest.mark.parametrize("power", [0.6, 1.5])
def test_the_sample_tells_how_a_picture_changes_from_its_first_file_on(
    power: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The file looks 6 points better than the sample told, and changes as the sample does.
    size = 2000, 1000
    image = pyvips.Image.black(*size, bands=3).copy_memory()
    bounds, effort = (10, 97), Effort.BALANCED
    search = Search(image, WRITERS[Format.AVIF], load, 77.0, bounds, effort, 0)
    asked: list[tuple[Purpose, float]] = []

    def encoded_at(self: Search, image: pyvips.Image, quality: float, purpose: Purpose) -> bytes:
        asked.append((purpose, quality))
        return b""

    def seen(judge: Judge, image: pyvips.Image, off: float = 0.0) -> float:
        ratio: float = typical.distance(asked[-1][1]) / typical.distance(75)
        return float(100 - (23 - off) * ratio**power)

    monkeypatch.setattr(Search, "_encode", encoded_at)
    monkeypatch.setattr(Search, "_opened", encoded_at)
    monkeypatch.setattr(Judge, "of_sample", seen)
    monkeypatch.setattr(Search, "_look", lambda self, judge, data: seen(judge, image, 6))
    found = search.run()
    assert found.chosen.look == pytest.approx(77, abs=0.3)
    assert [purpose for purpose, _ in asked if purpose is Purpose.GUESS] == [Purpose.GUESS] * 2
    assert [purpose for purpose, _ in asked].count(Purpose.RESULT) == FILES


def test_a_graphic_is_held_against_the_lossy_file_that_looks_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alone = found_of([83, 77.5], monkeypatch)
    few, more = alone.data[:-1], alone.data + b" "
    assert found_of([83, 77.5], monkeypatch, more) == alone
    assert found_of([83, 77.5, 95], monkeypatch, few).data == few
    assert found_of([83, 77.5, 70], monkeypatch, few) == alone
    assert found_of([83, 77.5, 90, 100], monkeypatch, few, few[:-1]).data == few[:-1]


def test_a_larger_file_without_loss_is_taken_where_none_with_loss_looks_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large = bytes(1_000_000)
    assert found_of([60, 72, 100], monkeypatch, large).data == large
    assert found_of([60, 74], monkeypatch, large).data != large
    assert found_of([60, 72], monkeypatch, large, of_jpeg=True).data != large


@pytest.mark.parametrize("format", [Format.WEBP, Format.JXL])
def test_a_graphic_is_not_written_whole_where_strips_of_it_have_too_many_bytes(
    format: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = Image.new("RGB", (700, 600), "white")
    draw = ImageDraw.Draw(image)
    for number in range(40):
        draw.text((9 * number, 15 * number), f"Line {number} of a drawing", fill=(number, 0, 99))
    drawing = to_vips(image).copy_memory()
    ways = WRITERS[format].of_graphic(drawing, Effort.BALANCED, 0)
    whole_ones = [way(float("inf")) for way in ways]
    assert all(whole_ones)
    least = min(len(data) for data in whole_ones if data)
    assert least in [len(way(4 * least) or b"") for way in ways]
    written: list[int] = []
    copied = pyvips.Image.copy_memory

    def noted(image: pyvips.Image) -> pyvips.Image:
        written.append(image.height)
        return copied(image)

    monkeypatch.setattr(pyvips.Image, "copy_memory", noted)
    assert [way(least / 9) for way in ways] == [None] * len(ways)
    assert written
    assert max(written) < drawing.height


def test_a_part_of_a_small_avif_is_tried_as_the_file_will_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encodings: list[tuple[Purpose, int, int]] = []
    encode = Search._encode

    def noted(self: Search, image: pyvips.Image, quality: float, purpose: Purpose) -> bytes:
        encodings.append((purpose, image.width, image.height))
        return encode(self, image, quality, purpose)

    monkeypatch.setattr(Search, "_encode", noted)
    made(png(picture("coffee.png", 540, 360)), target(Format.AVIF))
    first = [(Purpose.ROUGH, 540, 360), (Purpose.LOOK, 256, 256), (Purpose.RESULT, 540, 360)]
    assert encodings[:3] == first
    assert encodings[3:] in ([], [(Purpose.RESULT, 540, 360)])


@pytest.mark.parametrize("size", [(300, 260), (250, 2000)])
def test_a_picture_that_is_not_much_larger_than_a_part_has_none(size: tuple[int, int]) -> None:
    assert not has_part(*size)


def test_a_part_tells_the_look_of_the_whole_by_what_a_guess_has_of_both() -> None:
    image = pyvips.Image.pngload_buffer(png(picture("coffee.png", 540, 360))).copy_memory()
    files = {
        quality: pyvips.Image.jpegload_buffer(image.jpegsave_buffer(Q=quality)).copy_memory()
        for quality in (70, 80)
    }
    reference = look.reference(image)
    looks = {quality: reference.score(file) for quality, file in files.items()}
    part = Part(image, files[70], looks[70])
    seen = pyvips.Image.jpegload_buffer(part.image.jpegsave_buffer(Q=80)).copy_memory()
    assert part.look_of_whole(seen) == pytest.approx(looks[80], abs=1)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("format", [each for each in AUTOMATIC if WRITERS[each].read])
def test_the_quick_decoder_gives_the_pixels_of_the_usual_one(format: Format, mode: str) -> None:
    image = picture("coffee.png")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    data = png(image.convert(mode))
    result, _ = made(data, target(format))
    usual = decode(result, Limits()).image
    read = WRITERS[format].read
    assert read is not None
    seen = read(result)
    quick = to_vips(seen) if isinstance(seen, Image.Image) else seen
    assert quick.bands == (4 if mode == "RGBA" and format.output.has_alpha else 3)
    apart = (quick - usual).abs()
    # Two libraries make colours of chroma of half the size, and round them.
    assert apart.avg() < 1 if format is Format.AVIF else apart.max() == 0
    with pytest.raises(OSError, match=r"\S"):
        read(result[: len(result) // 2])


def test_a_file_that_the_quick_decoder_cannot_read_is_read_by_the_usual_one() -> None:
    def fails(data: bytes) -> Image.Image:
        raise OSError("out of memory")

    data = encoded(picture("coffee.png", 60, 40), "AVIF")
    image = decode(data, Limits()).image
    writer = replace(WRITERS[Format.AVIF], read=fails)
    seen = opened_quickly(data, image, writer, lambda file: decode(file, Limits()).image)
    assert (seen.width, seen.height) == (60, 40)


@pytest.mark.parametrize("quality", [30, 75, 92])
def test_a_jpeg_tells_its_quality(quality: int) -> None:
    image = picture("coffee.png")
    assert own_quality(encoded(image, "JPEG", quality=quality)) == quality
    assert own_quality(encoded(image.convert("L"), "JPEG", quality=quality)) == quality
    assert own_quality(png(image)) is None
    assert own_quality(b"\xff\xd8\xff") is None


@pytest.mark.parametrize("format", AUTOMATIC)
def test_no_more_quality_is_chosen_than_a_jpeg_had(format: Format) -> None:
    image = picture("rocket.jpg")
    data = encoded(image, "JPEG", quality=35)
    result, chosen = made(data, target(format, Auto.HIGH))
    assert chosen is None or chosen.quality <= 35
    assert len(result) <= len(data) or format is not Format.JPG
    _, free = made(data, target(format, Auto.HIGH, width=238))
    assert free is not None
    assert free.quality > 35


@pytest.mark.parametrize("format", FIXED)
def test_other_formats_are_as_without_it(format: Format) -> None:
    data = png(picture("coffee.png", 120, 90))
    assert made(data, target(format)) == (convert(data, target(format, None)), None)


@pytest.mark.parametrize("format", AUTOMATIC)
def test_a_tiny_picture_is_as_without_it(format: Format) -> None:
    data = png(picture("coffee.png", 300, 224))
    assert made(data, target(format)) == (convert(data, target(format, None)), None)


def test_an_animation_is_as_without_it() -> None:
    data = animation("GIF", 3)
    wanted = target(Format.WEBP)
    assert made(data, wanted) == (convert(data, target(Format.WEBP, None)), None)


def test_what_a_palette_or_lossless_coding_holds_is_not_made_worse() -> None:
    image = Image.new("RGB", (400, 300), "white")
    image.paste((200, 20, 20), (50, 50, 200, 200))
    data = png(image)
    result, _ = made(data, target(Format.WEBP))
    assert opened(result).convert("RGB").tobytes() == image.tobytes()
    assert result == convert(data, target(Format.WEBP, None))


def test_a_palette_wins_where_it_looks_as_it_is_to_look() -> None:
    shadow = Image.new("L", (300, 260), 0)
    shadow.paste(150, (25, 25, 275, 235))
    window = Image.new("RGBA", shadow.size)
    window.putalpha(shadow.filter(ImageFilter.GaussianBlur(15)))
    draw, dark = ImageDraw.Draw(window), (20, 20, 20)
    draw.rectangle((25, 18, 275, 228), fill=(232, 232, 230), outline=(180, 180, 180))
    for number in range(12):
        draw.text((35, 24 + 16 * number), f"Transformation {number} of the picture", fill=dark)
    image = to_vips(window).copy_memory()
    with_palette = convert(png(window), target(Format.WEBP, None))
    looks = Judge(image, whole(image.width, image.height)).of_whole(load(with_palette))
    assert 70 < looks < 90

    def found(look: float) -> Found:
        writer = WRITERS[Format.WEBP]
        return Search(image, writer, load, look, (10, 98), Effort.BALANCED, 0).run()

    assert [found(looks - below).data for below in (20, 2, 0)] == [with_palette] * 3
    better = found(looks + 2)
    assert len(better.data) > len(with_palette)
    look_of_better = Judge(image, whole(image.width, image.height)).of_whole(load(better.data))
    assert look_of_better > looks + 2 - ENOUGH
    assert better.chosen.look == pytest.approx(look_of_better, abs=0.1)


@pytest.mark.parametrize("format", [Format.WEBP, Format.JXL])
def test_a_smaller_file_that_looks_worse_than_wanted_does_not_count(format: Format) -> None:
    image = pyvips.Image.pngload_buffer(png(picture("chelsea.png"))).copy_memory()
    writer = WRITERS[format]

    def found(files: list[bytes]) -> bytes:
        ways = [lambda most, data=data: data for data in files]
        given = replace(writer, of_graphic=lambda *given: ways)
        return Search(image, given, load, 77.0, (10, 98), Effort.BALANCED, 0).run().data

    worst, nearly, exact = (
        writer.encode(image, Encoding(quality, Effort.BALANCED, lossless=not quality))
        for quality in (20, 60, 0)
    )
    alone = found([])
    assert len(worst) < len(nearly) < len(alone) < len(exact)
    assert found([exact, nearly, worst]) == alone


@pytest.mark.parametrize("format", [Format.WEBP, Format.AVIF])
def test_transparency_stays_and_counts(format: Format) -> None:
    image = picture("coffee.png")
    alpha = Image.linear_gradient("L").resize(image.size)
    image.putalpha(alpha)
    result, chosen = made(png(image), target(format))
    assert chosen is not None
    assert chosen.look == pytest.approx(77, abs=2.5)
    assert opened(result).mode == "RGBA"


def test_a_grey_picture_is_judged_too() -> None:
    data = png(picture("coffee.png").convert("L"))
    result, chosen = made(data, target(Format.JPG))
    assert chosen is not None
    assert chosen.look == pytest.approx(77, abs=2.5)
    assert opened(result).mode == "L"


@pytest.mark.parametrize(("width", "height"), [(513, 641), (225, 3000), (3000, 225), (1031, 777)])
def test_a_sample_is_of_tiles_within_the_picture_each_once(width: int, height: int) -> None:
    where = sample(width, height, MARGIN)
    assert len(set(where.lefts)) == len(where.lefts)
    assert len(set(where.tops)) == len(where.tops)
    assert max(where.lefts) + where.width <= width
    assert max(where.tops) + where.height <= height
    image = pyvips.Image.xyz(width, height).cast("float").copy_memory()
    assert where.without_margins(where.with_margins(image)).avg() == where.of(image).avg()
    assert (where.without_margins(where.with_margins(image)) - where.of(image)).abs().max() == 0


def test_a_small_picture_is_its_own_sample() -> None:
    image = pyvips.Image.new_from_buffer(png(picture("coffee.png")), "").copy_memory()
    judge = Judge(image, sample(image.width, image.height, MARGIN))
    assert (judge.sample.width, judge.sample.height) == (240, 228)
    worse = pyvips.Image.new_from_buffer(image.jpegsave_buffer(Q=50), "").copy_memory()
    assert judge.of_sample(worse) == judge.of_whole(worse)


def test_a_look_between_those_of_halved_and_whole_chroma_is_reached() -> None:
    # At 89 it is 74.2, and at 90 it is 82.3.
    image = opened(shipped(["rocket.jpg"])[0].read_bytes()).convert("RGB")
    image.info.clear()
    result, chosen = made(png(image), target(Format.WEBP))
    assert chosen is not None
    assert by_package(image, result) == pytest.approx(77, abs=1.5 + OFF)


@pytest.mark.parametrize("format", AUTOMATIC)
def test_the_look_rises_with_every_number_that_may_be_tried(format: Format) -> None:
    image = pyvips.Image.new_from_buffer(png(picture("rocket.jpg")), "").copy_memory()
    seek, reference = WRITERS[format].seek, look.reference(image)
    assert seek is not None
    looks = []
    for quality in (85, 89, 89.5, 90):
        sought = Sought(quality, Effort.BALANCED, 0, whole_chroma=False, purpose=Purpose.RESULT)
        data = seek(image, sought)
        looks.append(reference.score(decode(data, Limits()).image.copy_memory()))
    assert looks == sorted(set(looks))


def test_a_file_corrects_what_quicker_encoders_have_told() -> None:
    image = pyvips.Image.black(8, 8)
    search = Search(image, WRITERS[Format.AVIF], pyvips.Image, 77.0, (10, 97), Effort.BALANCED, 0)
    search._learn(60, 70.0, anew=False)
    search._learn(80, 80.0, anew=False)
    assert 60 < search._following() < 80
    told = search._following()
    search._learn(80, 76.0, anew=True)
    # 80 is worse than it seemed, and so is 60 by as much.
    assert search._following() > 80 > told
    assert dict(search.tried) == {60: pytest.approx(64.0), 80: 76.0}


def test_what_the_chroma_of_a_jpeg_divides_is_tried_in_tenths() -> None:
    nearest = [Qualities(10, 97).nearest(each) for each in (3, 70.4, 89.46, 90.4, 99)]
    assert nearest == [10, 70, 89.5, 90, 97]


@pytest.mark.parametrize("method", list(look.Method))
@pytest.mark.parametrize(
    ("size", "in_part", "rows"),
    [
        ((900, 800), True, 800),
        ((900, 800), False, 800),
        ((2000, 800), False, 800),
        ((2000, 800), True, 4 * 128),
    ],
)
def test_all_of_a_file_is_looked_at_where_that_takes_little(
    size: tuple[int, int],
    in_part: bool,
    rows: int,
    method: look.Method,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[tuple[int, int]] = []

    class Looked:
        def score(self, image: pyvips.Image) -> float:
            looked.append((image.width, image.height))
            return 80.0

    monkeypatch.setattr(look, "method", lambda: method)
    monkeypatch.setattr(look, "reference", lambda *given: Looked())
    image = pyvips.Image.black(*size, bands=3).copy_memory()
    tried = sample(*size, MARGIN)
    judge = Judge(image, tried, seen_of_file(*size, in_part=in_part))
    of_whole = judge.of_whole(image)
    of_sample = len(tried.lefts) * tried.width, len(tried.tops) * tried.height
    is_more = method is look.Method.VSZIP or (is_large(*size) and not in_part)
    assert looked == [(size[0], rows) if is_more else of_sample]
    # Beside the seams of a sample less is seen.
    assert (of_whole == 80) is (is_more and rows == size[1])
    judge.of_sample(judge.sample)
    assert looked[1:] == [of_sample]


@pytest.mark.parametrize("format", AUTOMATIC)
def test_a_file_of_many_megapixels_is_looked_at_in_its_sample(format: Format) -> None:
    assert seen_of_file(3000, 2001, in_part=WRITERS[format].seen_in_part) is None


@pytest.mark.parametrize("usual", [LOW_STRIPS, HIGH_STRIPS])
@pytest.mark.parametrize("margin", [0, MARGIN])
@pytest.mark.parametrize(("width", "height"), [(2560, 1600), (5000, 500), (900, 3000), (8000, 300)])
def test_strips_of_a_large_picture_are_apart_and_within_it(
    width: int, height: int, margin: int, usual: Strips
) -> None:
    where = strips(width, height, margin, usual)
    ends = [top + where.height for top in where.tops]
    assert all(end <= top for end, top in zip(ends, where.tops[1:], strict=False))
    assert where.tops[0] >= 0
    assert ends[-1] <= height
    image = pyvips.Image.xyz(width, height).cast("float").copy_memory()
    assert (where.without_margins(where.with_margins(image)) - where.of(image)).abs().max() == 0


@pytest.mark.parametrize(
    ("where", "height"),
    [
        (sample(3000, 230, MARGIN), 230),
        (sample(6700, 226, MARGIN), 226),
        (strips(16000, 300, 0, HIGH_STRIPS), 300),
    ],
)
def test_of_a_low_picture_all_rows_are_in_the_sample(where: Sample, height: int) -> None:
    assert (where.tops, where.height) == ((0,), height)
    ends = [left + where.width for left in where.lefts]
    assert len(ends) > 1
    assert all(end <= left for end, left in zip(ends, where.lefts[1:], strict=False))


def test_of_a_narrow_picture_all_columns_are_in_the_sample() -> None:
    where = sample(230, 5000, MARGIN)
    assert (where.lefts, where.width) == ((0,), 230)
    ends = [top + where.height for top in where.tops]
    assert len(ends) > 1
    assert all(end <= top for end, top in zip(ends, where.tops[1:], strict=False))


def test_what_is_spoilt_at_the_bottom_of_a_low_picture_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(look, "method", lambda: look.Method.PILLOW)
    image = picture("coffee.png").resize((6700, 226))
    for left in range(0, 6700, 90):
        image.paste(picture("rocket.jpg", 90, 98), (left, 128))
    worse = image.copy()
    worse.paste(image.crop((0, 128, 6700, 226)).filter(ImageFilter.BoxBlur(1)), (0, 128))
    original, other = (to_vips(each).copy_memory() for each in (image, worse))
    seen = Judge(original, sample(*image.size, MARGIN)).of_whole(other)
    assert seen == pytest.approx(look.reference(original).score(other), abs=3)


def test_a_large_picture_is_not_spoilt_where_its_detail_is_in_parts_of_it() -> None:
    image = picture("chelsea.png", 300, 200).resize((1600, 1000), Image.Resampling.BICUBIC)
    # Between the columns of 128 pixels that sixteen tiles would be of.
    for left in (276, 660, 1044):
        for top in range(0, 1000, 200):
            image.paste(picture("rocket.jpg", 212, 200), (left, top))
    data = png(image)
    result, chosen = made(data, target(Format.JPG))
    assert chosen is not None
    original, other = (
        pyvips.Image.new_from_buffer(file, "").copy_memory() for file in (data, result)
    )
    assert look.reference(original).score(other) == pytest.approx(LOOKS[Auto.AUTO], abs=2)


def test_the_typical_scale_can_be_read_both_ways() -> None:
    for quality in (1, 20, 47, 80, 93, 100):
        assert typical.quality(typical.distance(quality)) == pytest.approx(quality)
    assert 60 < typical.following([(50, 70.0), (70, 80.0)], 77) < 70
    assert typical.following([(50, 70.0)], 77) > 50
    assert typical.following([(50, 80.0), (40, 79.0)], 77) < 40


def test_two_qualities_near_each_other_say_little_of_others() -> None:
    assert 81 < typical.following([(80, 76.0), (81, 75.9)], 77) < 84


def test_a_look_that_was_seen_tells_others_as_the_typical_one_changes() -> None:
    looks = LargeLooks(((60, 60.0), (62, 68.0), (70, 72.0)), range(60, 71))
    assert [looks.first(wanted) for wanted in (50, 68, 90)] == [60, 62, 70]
    # A picture that is better by a quarter everywhere, and one that changes as little again.
    assert looks.look([(62, 76.0)], 60, power=1) == pytest.approx(70)
    assert 70 < looks.look([(62, 76.0)], 60, power=0.5) < 76
    assert looks.following([(62, 76.0)], 70, power=1) == 60
    # Between two looks, and beyond them.
    tried = [(62, 68.0), (66, 79.0)]
    assert looks.look(tried, 66, power=1) == pytest.approx(79)
    assert 68 < looks.look(tried, 64, power=1) < 79
    assert looks.look(tried, 70, power=1) > 79


def test_two_looks_tell_how_a_picture_changes_the_more_the_further_they_are_apart() -> None:
    looks = LargeLooks(((50, 60.0), (60, 70.0), (70, 80.0), (71, 80.1)), range(50, 72))
    near, far = (
        looks.power((50, 60.0), (other, look), 1, are_alike=True)
        for other, look in ((52, 64.0), (70, 90.0))
    )
    assert 1 < near < far <= 2
    assert looks.power((50, 60.0), (70, 90.0), 1, are_alike=False) < far
    assert looks.power((70, 80.0), (71, 85.0), 0.7, are_alike=True) == 0.7
    # What has many bits changes much.
    assert usual_power(0.1) < usual_power(0.5) < usual_power(2)


@pytest.mark.parametrize(
    ("width", "height"),
    [(2560, 1600), (1500, 1001), (5000, 500), (900, 3000), (8000, 300), (231, 7001)],
)
def test_tiles_of_a_large_picture_are_apart_and_look_as_in_its_own_file(
    width: int, height: int
) -> None:
    image = picture("chelsea.png").resize((width, height), Image.Resampling.BICUBIC)
    large = WRITERS[Format.JPG].large
    assert large is not None
    wanted = Sought(70, Effort.BALANCED, 0, False, Purpose.RESULT, of_large=True)
    whole = large.read(large.seek(image, wanted))
    for grid in grids(width, height):
        boxes = [(left, top, left + TILE, top + TILE) for left, top in grid.places]
        apart = {(left // (TILE + MARGIN), top // (TILE + MARGIN)) for left, top, *_ in boxes}
        assert len(apart) == len(boxes)
        seen = grid.without_margins(large.read(large.seek(grid.of(image), wanted)))
        assert min(seen.size) >= LEAST_SIDE
        pieces = [
            seen.crop((left, top, left + TILE, top + TILE))
            for top in range(0, seen.height, TILE)
            for left in range(0, seen.width, TILE)
        ]
        assert [piece.tobytes() for piece in pieces] == [whole.crop(box).tobytes() for box in boxes]


def test_few_tiles_of_a_large_jpeg_are_encoded_all_of_them_twice_at_most_and_itself_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Quick:
        """A look in no time."""

        def __init__(self, original: Image.Image, width: int) -> None:
            self.original = original

        def score(self, other: Image.Image) -> float:
            lost = ImageStat.Stat(ImageChops.difference(self.original, other)).rms
            return 100 - 7 * max(lost)

    monkeypatch.setattr(look, "method", lambda: look.Method.VSZIP)
    monkeypatch.setattr(look, "reference", Quick)
    written: list[tuple[int, Purpose]] = []
    large = WRITERS[Format.JPG].large
    assert large is not None

    def seek(image: Image.Image, wanted: Sought) -> bytes:
        written.append((image.width * image.height, wanted.purpose))
        return large.seek(image, wanted)

    image = picture("rocket.jpg", 380, 260).resize((1500, 1030))
    few, every = (grid.of(image) for grid in grids(*image.size))
    of_few, of_every = (tiles.width * tiles.height for tiles in (few, every))
    looks = []
    for wanted in (65.0, 77.0, 85.0):
        written.clear()
        counted = replace(large, seek=seek)
        found = LargeSearch(image, counted, wanted, (20, 97), Effort.FAST).run()
        looks.append(found.chosen.look)
        assert written[0] == (of_few, Purpose.LOOK)
        assert written[-1] == (1500 * 1030, Purpose.RESULT)
        assert written[1:-1] in ([(of_every, Purpose.LOOK)], [(of_every, Purpose.LOOK)] * 2)
    assert looks[1:] == pytest.approx([77, 85], abs=2)


def test_steps_in_how_a_large_picture_looks_are_seen_if_it_was_a_jpeg(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def look_at(quality: int) -> float:
        """With a step, as the quantisers of an original make them."""
        return 52 + quality / 2 - (5 if quality < 66 else 0)

    class Told:
        """The look of a picture of which each pixel is the quality."""

        def __init__(self, original: Image.Image, width: int) -> None:
            pass

        def score(self, other: Image.Image) -> float:
            return look_at(other.tobytes()[0])

    written: list[int] = []

    def seek(image: Image.Image, wanted: Sought) -> bytes:
        written.append(image.width * image.height)
        return encoded(Image.new("RGB", image.size, (round(wanted.quality),) * 3), "PPM")

    monkeypatch.setattr(look, "reference", Told)
    large = WRITERS[Format.JPG].large
    assert large is not None
    large = replace(large, seek=seek, read=opened)
    image = picture("rocket.jpg", 380, 260).resize((1500, 1030))
    off: dict[bool, float] = {}
    looks: dict[bool, int] = {}
    for of_jpeg in (False, True):
        written.clear()
        search = LargeSearch(image, large, 85.0, (20, 97), Effort.FAST, of_jpeg=of_jpeg)
        off[of_jpeg] = abs(look_at(search.run().chosen.quality) - 85)
        looks[of_jpeg] = written.count(min(written))
    assert off[True] < 1.5 < off[False]
    assert looks[False] == 1 < looks[True] <= 4


def test_metadata_that_is_kept_changes_no_pixel_of_a_large_jpeg() -> None:
    exif = Image.Exif()
    exif[Base.Copyright] = "Ann"
    image = picture("rocket.jpg", 380, 260).resize((1500, 1030))
    file = encoded(image, "JPEG", exif=exif, quality=95)
    bare, chosen = made(file, target(Format.JPG))
    kept, also_chosen = made(file, target(Format.JPG, keep=(Keep.COPYRIGHT,)))
    assert chosen == also_chosen
    assert chosen is not None
    assert opened(kept).getexif().get(Base.Copyright) == "Ann"
    assert not opened(bare).getexif()
    assert opened(kept).tobytes() == opened(bare).tobytes()


@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_that_is_sought_is_what_libvips_would_write(effort: Effort, mode: str) -> None:
    exif = Image.Exif()
    exif[Base.Artist] = "Ann"
    file = encoded(picture("chelsea.png").convert(mode), "JPEG", exif=exif, quality=95)
    image, seek = decode(file, Limits()).image.copy_memory(), WRITERS[Format.JPG].seek
    assert seek is not None
    for keep in (0, EXIF):
        sought = Sought(92, effort, keep, whole_chroma=False, purpose=Purpose.RESULT)
        settings = {"optimize_coding": effort is not Effort.FAST, "keep": keep, "Q": 92}
        plain = image.jpegsave_buffer(**settings)
        progressive = image.jpegsave_buffer(interlace=True, **settings)
        made = seek(image, sought)
        if effort is Effort.FAST:
            assert made == plain
        elif effort is Effort.BALANCED:
            assert made == min(plain, progressive, key=len)
        else:
            assert len(made) <= min(len(plain), len(progressive))
        assert opened(made).tobytes() == opened(plain).tobytes()
        assert opened(made).getexif().get(Base.Artist) == ("Ann" if keep else None)


def test_a_large_smooth_jpeg_looks_no_worse_at_a_higher_number() -> None:
    image = picture("chelsea.png", 50, 45).resize((500, 450), Image.Resampling.BICUBIC)
    reference, large = look.reference(to_vips(image)), WRITERS[Format.JPG].large
    assert large is not None

    def seen(quality: int, *, of_large: bool) -> float:
        sought = Sought(quality, Effort.BALANCED, 0, False, Purpose.LOOK, of_large=of_large)
        return reference.score(to_vips(large.read(large.seek(image, sought))))

    # The quantiser of a block's mean is 8 at 64, and a whole number of no use at 67.
    assert seen(67, of_large=False) - seen(64, of_large=False) < 0.5
    assert seen(64, of_large=True) - seen(51, of_large=True) > 0
    assert seen(67, of_large=True) - seen(64, of_large=True) > 0
    assert seen(60, of_large=True) - seen(60, of_large=False) > 1

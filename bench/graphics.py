"""A hundred graphics: icons, logos, screenshots with text, drawings and charts, the same ones each
time."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

COUNTS = {"icon": 25, "logo": 15, "screenshot": 25, "drawing": 15, "chart": 20}
"""How many of each kind."""

OVERSAMPLED = 4
"""Pixels of a side that become one, for edges as programs smooth them."""

_SEED = 20240229

_TEXT = (
    "a server takes pictures and makes them small while clients wait or look again later the queue "
    "holds what is not done yet and each worker reads one at a time so that none is lost when the "
    "machine stops results stay for a day and are then removed by the scheduler of the service"
)
_WORDS = _TEXT.split()

Colour = tuple[int, int, int]


NAMES = tuple(f"{kind}-{number:02}" for kind, most in COUNTS.items() for number in range(most))
"""What the graphics are called, without their suffix."""


def make_graphics(folder: Path, names: Iterable[str] = NAMES) -> list[Path]:
    """Those with these names, in `folder`; all of them without any.

    They are PNGs as Pillow saves them without any options (zlib's level 6, libpng's choice of
    filters), in the mode in which a program has such a picture: none went through an optimiser.
    """
    makers: dict[str, Callable[[random.Random, int], Image.Image]] = {
        "icon": _icon,
        "logo": _logo,
        "screenshot": _screenshot,
        "drawing": _drawing,
        "chart": _chart,
    }
    paths = []
    for name in names:
        kind, number = name.split("-")
        source = random.Random(f"{_SEED} {kind} {int(number)}")
        path = folder / f"{name}.png"
        makers[kind](source, int(number)).save(path)
        paths.append(path)
    return paths


def _icon(source: random.Random, number: int) -> Image.Image:
    """16 to 256 pixels; smooth ones with a gradient and a shadow, flat ones, and some with a
    palette and hard edges."""
    side = (16, 24, 32, 48, 64, 96, 128, 256)[number % 8]
    if number % 5 == 4:
        return _pixel_art(source, side)
    large = side * OVERSAMPLED
    shape = _shape(source, large)
    top, bottom = _colour(source), _colour(source)
    image = Image.new("RGBA", (large, large), (0, 0, 0, 0))
    if number % 5 in (0, 1):
        shadow = shape.filter(ImageFilter.GaussianBlur(large / 24)).point(lambda value: value // 2)
        image.paste((0, 0, 0, 255), (0, large // 32), shadow)
        image.putalpha(ImageChops.offset(shadow, 0, large // 32))
        image.paste(_gradient((large, large), top, bottom), mask=shape)
        image.putalpha(ImageChops.lighter(image.getchannel("A"), shape))
    else:
        image.paste((*top, 255), mask=shape)
    _glyph(source, image, (255, 255, 255, 255))
    return image.resize((side, side), Image.Resampling.BOX)


def _pixel_art(source: random.Random, side: int) -> Image.Image:
    cells = 16
    image = Image.new("P", (cells, cells))
    image.putpalette([value for _ in range(6) for value in _colour(source)])
    for y in range(cells):
        for x in range(cells // 2):
            value = source.randrange(6) if source.random() < 0.4 else 0
            image.putpixel((x, y), value)
            image.putpixel((cells - 1 - x, y), value)
    return image.resize((side, side), Image.Resampling.NEAREST)


def _shape(source: random.Random, side: int) -> Image.Image:
    mask = Image.new("L", (side, side))
    draw = ImageDraw.Draw(mask)
    edge = side // 10
    box = (edge, edge, side - edge, side - edge)
    kind = source.randrange(4)
    if kind == 0:
        draw.ellipse(box, fill=255)
    elif kind == 1:
        draw.rounded_rectangle(box, side // 6, fill=255)
    elif kind == 2:
        draw.regular_polygon((side / 2, side / 2, side / 2 - edge), source.randint(3, 8), fill=255)
    else:
        draw.rectangle((edge, side // 3, side - edge, side - edge), fill=255)
        draw.rectangle((edge, side // 5, side // 2, side // 2), fill=255)
    return mask


def _glyph(source: random.Random, image: Image.Image, colour: tuple[int, ...]) -> None:
    """A sign in the middle."""
    draw, side = ImageDraw.Draw(image), image.width
    kind, third, width = source.randrange(4), side // 3, max(1, side // 14)
    if kind == 0:
        draw.line((third, side // 2, 2 * third, side // 2), colour, width)
        draw.line((side // 2, third, side // 2, 2 * third), colour, width)
    elif kind == 1:
        draw.line(
            ((third, side // 2), (side // 2, 2 * third), (2 * third, third)), colour, width, "curve"
        )
    elif kind == 2:
        draw.ellipse((third, third, 2 * third, 2 * third), outline=colour, width=width)
    else:
        letter = source.choice("ABEGKMQRSW")
        draw.text((side // 2, side // 2), letter, colour, _font(side // 2), anchor="mm")


def _logo(source: random.Random, number: int) -> Image.Image:
    """A mark and a word, on white or on nothing."""
    height = (60, 120, 200, 320)[number % 4]
    word = source.choice(_WORDS).capitalize() + source.choice(("", "ly", " & co", "box"))
    font = _font(height // 2)
    width = height + int(font.getlength(word)) + height // 4
    clear = number % 3 == 0
    image = Image.new("RGBA", (width, height), (255, 255, 255, 0 if clear else 255))
    large = height * OVERSAMPLED
    mark = _shape(source, large)
    if number % 2:
        fill = _gradient((large, large), _colour(source), _colour(source))
    else:
        fill = Image.new("RGB", (large, large), _colour(source))
    part = Image.new("RGBA", (large, large), (255, 255, 255, 0))
    part.paste(fill, mask=mark)
    part.putalpha(mark)
    _glyph(source, part, (255, 255, 255, 255))
    image.alpha_composite(part.resize((height, height), Image.Resampling.BOX))
    draw = ImageDraw.Draw(image)
    draw.text((height * 1.1, height / 2), word, (*_colour(source, 140), 255), font, anchor="lm")
    return image if clear else image.convert("RGB")


def _screenshot(source: random.Random, number: int) -> Image.Image:
    """A desktop with windows, an editor, a page of text, or a form."""
    size = ((640, 480), (800, 600), (1024, 768), (1280, 720), (1366, 768))[number % 5]
    kind = number % 4
    if kind == 0:
        image = _desktop(source, size)
    elif kind == 1:
        image = _editor(source, size)
    elif kind == 2:
        image = Image.new("RGB", size, "white")
        _paragraphs(source, image, (size[0] // 8, 40, size[0] * 7 // 8, size[1] - 20), 15)
    else:
        image = _form(source, size)
    # Some systems save every screenshot with alpha.
    return image.convert("RGBA") if number % 6 == 5 else image


def _desktop(source: random.Random, size: tuple[int, int]) -> Image.Image:
    image = _gradient(size, _colour(source, 160), _colour(source, 160))
    for _ in range(source.randint(1, 3)):
        width = source.randint(size[0] // 3, size[0] * 2 // 3)
        height = source.randint(size[1] // 3, size[1] * 2 // 3)
        left, top = source.randint(0, size[0] - width), source.randint(0, size[1] - height)
        draw = ImageDraw.Draw(image)
        draw.rectangle((left, top, left + width, top + height), "white", (90, 90, 90))
        bar = _gradient((width - 1, 24), (230, 230, 235), (190, 190, 200))
        image.paste(bar, (left + 1, top + 1))
        draw.text((left + 10, top + 12), source.choice(_WORDS), (40, 40, 40), _font(13), "lm")
        for at, colour in enumerate(((220, 80, 70), (230, 180, 60), (90, 180, 90))):
            x = left + width - 20 - 18 * at
            draw.ellipse((x, top + 7, x + 11, top + 18), fill=colour)
        box = (left + 12, top + 34, left + width - 12, top + height - 8)
        _paragraphs(source, image, box, source.choice((12, 13, 14)))
    for at in range(8):
        icon = _icon(source, 8 * at + 4 - (at % 2) * 2).resize((32, 32))
        image.paste(icon.convert("RGB"), (12, 12 + 48 * at), icon.convert("RGBA"))
    return image


def _editor(source: random.Random, size: tuple[int, int]) -> Image.Image:
    image = Image.new("RGB", size, (30, 32, 38))
    draw, font = ImageDraw.Draw(image), _font(14)
    draw.rectangle((0, 0, 44, size[1]), (40, 42, 50))
    inks = ((212, 212, 220), (198, 120, 221), (152, 195, 121), (97, 175, 239), (229, 192, 123))
    for line, y in enumerate(range(8, size[1] - 16, 19)):
        draw.text((36, y), str(line + 1), (100, 104, 115), font, anchor="ra")
        x = 56.0 + 28 * source.choice((0, 1, 1, 2, 3))
        for _ in range(source.choice((0, 2, 4, 5, 7, 9))):
            word = source.choice(_WORDS) + source.choice(("", "(", ")", " =", ":", ","))
            draw.text((x, y), word, source.choice(inks), font)
            x += font.getlength(word + " ")
    return image


def _form(source: random.Random, size: tuple[int, int]) -> Image.Image:
    image = Image.new("RGB", size, (245, 246, 248))
    draw, accent = ImageDraw.Draw(image), _colour(source, 180)
    draw.rectangle((0, 0, size[0], 48), accent)
    draw.text((20, 24), " ".join(source.sample(_WORDS, 3)).title(), "white", _font(20), "lm")
    for row, y in enumerate(range(70, size[1] - 60, 44)):
        draw.text((30, y + 15), source.choice(_WORDS).title(), (60, 60, 60), _font(14), "lm")
        box = (180, y, size[0] - 200, y + 30)
        draw.rounded_rectangle(box, 5, "white", (200, 203, 210))
        entry = " ".join(source.sample(_WORDS, source.randint(1, 6)))
        draw.text((190, y + 15), entry, (20, 20, 20), _font(14), "lm")
        if row % 3 == 0:
            draw.rounded_rectangle((size[0] - 180, y, size[0] - 60, y + 30), 5, accent)
            draw.text((size[0] - 120, y + 15), source.choice(_WORDS), "white", _font(14), "mm")
    return image


def _drawing(source: random.Random, number: int) -> Image.Image:
    """A coloured scene, a drawing in ink, a plan in black and white, or a map."""
    size = ((320, 240), (512, 512), (800, 600), (1000, 700))[number % 4]
    large = (size[0] * 2, size[1] * 2)
    kind = number % 5
    if kind == 0:
        image = _gradient(large, (120, 180, 240), (230, 240, 250))
    else:
        image = Image.new("RGB", large, "white")
    draw = ImageDraw.Draw(image)
    for _ in range({2: 60, 3: 25}.get(kind, 18)):
        x, y = source.randrange(large[0]), source.randrange(large[1])
        reach = source.randint(20, large[1] // 4)
        if kind == 2:  # ink
            turns = [source.uniform(-1, 1) for _ in range(4)]
            line = [(x + 12 * t, y + reach * math.sin(turns[t % 4] * t / 9)) for t in range(30)]
            draw.line(line, (20, 20, 30), source.randint(2, 6), "curve")
        elif kind == 3:  # a plan
            draw.rectangle((x, y, x + reach, y + reach * 2 // 3), outline="black", width=4)
        else:
            corners = [
                (x + reach * math.cos(t) * source.uniform(0.5, 1), y + reach * math.sin(t))
                for t in (0, 1, 2, 3, 4, 5, 6)
            ]
            draw.polygon(corners, _colour(source), (30, 30, 30), 5)
    small = image.resize(size, Image.Resampling.BOX)
    if kind == 3:
        return small.convert("1", dither=Image.Dither.NONE)
    if kind == 2:
        return small.convert("L")
    return small.quantize(64, dither=Image.Dither.NONE) if kind == 4 else small


def _chart(source: random.Random, number: int) -> Image.Image:
    """Lines, bars, a pie, points or a map of heat, with axes and labels, as plotting programs
    draw them."""
    size = ((400, 300), (640, 480), (800, 500), (1200, 800))[number % 4]
    width, height = size[0] * 2, size[1] * 2
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = width // 10, height // 10, width * 19 // 20, height * 9 // 10
    kind = number % 5
    if kind == 2:
        middle, reach, start = (width // 2, height // 2), height // 3, 0.0
        box = (*(at - reach for at in middle), *(at + reach for at in middle))
        while start < 360:
            end = min(360.0, start + source.uniform(20, 90))
            draw.pieslice(box, start, end, _colour(source), "white", 4)
            start = end
    elif kind == 4:
        cells, phase = 12, source.uniform(0, 6)
        for row in range(cells):
            for column in range(cells):
                heat = (math.sin(row / 3 + phase) * math.cos(column / 4) + 1) / 2
                x, y = left + column * (right - left) // cells, top + row * (bottom - top) // cells
                colour = (
                    int(255 * heat),
                    int(180 * (1 - abs(heat - 0.5) * 2)),
                    int(255 - 255 * heat),
                )
                draw.rectangle((x, y, x + width // cells, y + height // cells), colour)
        draw.rectangle((right, 0, width, height), "white")
        draw.rectangle((0, bottom, width, height), "white")
    else:
        for at in range(1, 6):
            y = bottom - at * (bottom - top) // 6
            draw.line((left, y, right, y), (225, 225, 225), 2)
        for _ in range(source.randint(1, 4) if kind != 1 else 1):
            _series(source, draw, (left, top, right, bottom), kind)
    small = image.resize(size, Image.Resampling.BOX)
    _axes(source, small, kind != 2)
    return small.convert("RGBA") if number % 4 == 1 else small


def _series(
    source: random.Random, draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], kind: int
) -> None:
    left, top, right, bottom = box
    colour, value, points = _colour(source), source.random(), []
    steps = source.randint(8, 60) if kind != 1 else source.randint(5, 14)
    for step in range(steps):
        value = min(1.0, max(0.0, value + source.uniform(-0.2, 0.2)))
        points.append((left + step * (right - left) // steps, bottom - value * (bottom - top)))
    if kind == 0:
        draw.line(points, colour, 4, "curve")
    for x, y in points:
        if kind == 1:
            draw.rectangle((x + 6, y, x + (right - left) // steps - 6, bottom), colour)
        elif kind == 3:
            draw.ellipse((x - 7, y - 7, x + 7, y + 7), colour)


def _axes(source: random.Random, image: Image.Image, lines: bool) -> None:
    draw, (width, height) = ImageDraw.Draw(image), image.size
    title = " ".join(source.sample(_WORDS, 4)).capitalize()
    draw.text((width / 2, height / 20), title, "black", _font(16), "mm")
    if not lines:
        return
    left, top, right, bottom = width // 10, height // 10, width * 19 // 20, height * 9 // 10
    draw.rectangle((left, top, right, bottom), outline="black")
    for at in range(7):
        x, y = left + at * (right - left) // 6, bottom - at * (bottom - top) // 6
        draw.text((x, bottom + 4), str(at * 10), "black", _font(11), "ma")
        draw.text((left - 5, y), f"{at / 6:.1f}", "black", _font(11), "rm")


def _paragraphs(
    source: random.Random, image: Image.Image, box: tuple[int, int, int, int], size: int
) -> None:
    draw, font = ImageDraw.Draw(image), _font(size)
    left, top, right, bottom = box
    x, y = float(left), float(top)
    while y + size < bottom:
        word = source.choice(_WORDS)
        length = font.getlength(word + " ")
        if x + length > right:
            x, y = float(left), y + size * (1.5 if source.random() < 0.9 else 2.6)
            continue
        draw.text((x, y), word, (30, 30, 30), font)
        x += length


def _gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> Image.Image:
    mask = Image.linear_gradient("L").resize(size, Image.Resampling.BILINEAR)
    return Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), mask)


def _colour(source: random.Random, most: int = 235) -> Colour:
    return source.randint(10, most), source.randint(10, most), source.randint(10, most)


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font

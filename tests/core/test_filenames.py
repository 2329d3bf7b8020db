"""File names in and out."""

from __future__ import annotations

import pytest

from app.core.picture.filenames import clean_filename, content_disposition


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("cat.jpg", "cat.jpg"),
        ("/tmp/cat.jpg", "cat.jpg"),
        ("..\\..\\cat.jpg", "cat.jpg"),
        ("a\0b\nc.jpg", "abc.jpg"),
        ("gpj.\u202etac", "gpj.tac"),
        ("  ", "picture"),
        ("", "picture"),
        ("..", "picture"),
        ("/", "picture"),
        ("\ud800.png", "?.png"),
    ],
)
def test_a_name_is_only_a_name(sent: str, kept: str) -> None:
    assert clean_filename(sent) == kept


def test_a_long_name_keeps_its_extension() -> None:
    kept = clean_filename("é" * 1000 + ".jpeg")
    assert len(kept) == 200
    assert kept.endswith("é.jpeg")


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("photo.", 'attachment; filename="photo.webp"'),
        ("cat.jpg", 'attachment; filename="cat.webp"'),
        (".jpg", 'attachment; filename=".jpg.webp"'),
        ("a b", 'attachment; filename="a b.webp"'),
        (
            "naïve file.png",
            "attachment; filename=\"na_ve file.webp\"; filename*=UTF-8''na%C3%AFve%20file.webp",
        ),
        ('a"b.png', "attachment; filename=\"a_b.webp\"; filename*=UTF-8''a%22b.webp"),
        ("50%.png", "attachment; filename=\"50_.webp\"; filename*=UTF-8''50%25.webp"),
    ],
)
def test_the_header_holds_the_name_for_old_and_new_clients(name: str, header: str) -> None:
    assert content_disposition(name, "webp") == header

"""`?format=auto` at a download: of the results that exist the one that the client prefers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.web.http.accept import ranges
from tests.imaging.animations import animation
from tests.pictures import md5, opened, photograph, unique
from tests.service import Client, Service
from tests.web.contract import Contract

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest.fixture(scope="module")
def made(server: Service) -> Iterator[str]:
    """The MD5 of a picture that is there as webp, avif and jpg, and smaller as png."""
    client = server.client()
    with client.http:
        data = unique(photograph("rocket"))
        for format in ("webp", "avif", "jpg"):
            client.upload(data, format)
        client.upload(data, "png", width="40")
        client.wait(md5(data))
        yield md5(data)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (CHROME, "image/avif"),
        ("image/webp,*/*", "image/webp"),
        ("image/webp", "image/webp"),
        ("IMAGE/WebP ; q=0.5, image/jpeg;q=0.9, image/avif;q=0", "image/jpeg"),
        ("image/*", "image/jpeg"),
        ("*/*", "image/jpeg"),
        ("", "image/jpeg"),
        ("text/html, image/avif;q=0.2", "image/avif"),
        ("image/jpeg;q=0, image/webp;q=0, */*;q=0.1", "image/avif"),
        ("nonsense", "image/jpeg"),
    ],
)
def test_the_format_is_the_one_that_accept_prefers(
    client: Client, made: str, accept: str, kind: str
) -> None:
    response = client.http.get(f"/download/{made}?format=auto", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == kind
    assert response.headers["vary"] == "Accept"
    assert response.headers["cache-control"] == "no-cache"


def test_head_and_a_copy_that_is_current_vary_alike(
    client: Client, server: Service, made: str
) -> None:
    path, accept = f"/download/{made}?format=Auto", {"Accept": CHROME}
    got = client.http.get(path, headers=accept)
    Contract(server.url).check(got)
    head = client.http.head(path, headers=accept)
    names = ("content-type", "content-length", "etag", "vary")
    assert [head.headers[name] for name in names] == [got.headers[name] for name in names]
    current = client.http.get(path, headers={**accept, "If-None-Match": got.headers["etag"]})
    assert (current.status_code, current.headers["vary"]) == (304, "Accept")
    other = client.http.get(path, headers={"If-None-Match": got.headers["etag"]})
    assert other.status_code == 200
    part = client.http.get(path, headers={**accept, "Range": "bytes=0-9"})
    assert (part.status_code, part.headers["vary"]) == (206, "Accept")


def test_it_chooses_among_those_with_the_options_of_the_query(client: Client, made: str) -> None:
    response = client.http.get(f"/download/{made}?format=auto&width=40", headers={"Accept": CHROME})
    assert response.headers["content-type"] == "image/png"
    assert opened(response.content).size == (40, 27)


def test_what_is_not_there_or_not_taken_is_404(client: Client, made: str) -> None:
    for path, accept in (
        (f"/download/{made}?format=auto", "image/gif"),
        (f"/download/{made}?format=auto&width=41", CHROME),
        (f"/download/{'0' * 32}?format=auto", CHROME),
    ):
        response = client.http.get(path, headers={"Accept": accept})
        assert response.status_code == 404
        assert response.json()["error"] == "not_found"
        assert response.headers["vary"] == "Accept"


def test_one_that_moves_comes_before_a_smaller_picture_of_it(client: Client) -> None:
    data = unique(animation("GIF"))
    for format in ("webp", "jpg"):
        client.upload(data, format)
    client.wait(md5(data))
    response = client.http.get(f"/download/{md5(data)}?format=auto", headers={"Accept": CHROME})
    assert response.headers["content-type"] == "image/webp"


def test_other_downloads_do_not_vary(client: Client, made: str) -> None:
    assert "vary" not in client.download(made, format="webp").headers


def test_weights_are_read_as_http_has_them() -> None:
    assert ranges("image/webp;q=0.25, image/*;a=b;Q=1.000, */*;q=2, x") == {
        "image/webp": 0.25,
        "image/*": 1.0,
        "*/*": 1.0,
    }

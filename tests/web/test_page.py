"""GET / in a browser: the page, its files, its sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.web.page import page as page_module
from tests.proxy import proxied
from tests.service import Client, Service
from tests.web.alone import web
from tests.web.keys import KEY, KEYS

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"

FILES = Path(page_module.__file__).parent / "files"

MOST = 80_000
"""Bytes of all that a visit loads."""

WORDS = sorted(FILES.glob("words/*.json"))


def _page(client: Client) -> httpx.Response:
    return client.http.get("/", headers={"Accept": BROWSER})


def _named(text: str) -> list[str]:
    """What the page loads."""
    return re.findall(r'(?:src|href)="(page/[^"]+)"', text)


@pytest.mark.parametrize("accept", [BROWSER, "text/html", "text/html, application/json;q=0.9"])
def test_a_browser_gets_the_page(client: Client, accept: str) -> None:
    response = client.http.get("/", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert "Accept" in response.headers["vary"]
    head = client.http.head("/", headers={"Accept": accept})
    assert head.headers["content-type"] == "text/html; charset=utf-8"
    assert head.headers["content-length"] == str(len(response.content))


@pytest.mark.parametrize(
    "accept",
    [
        *("*/*", "", "application/json", "application/json, text/html", "image/*", "/", "nonsense"),
        *("text/html;q=0.5, application/json", "text/html;q=0, */*", "text/html;q=none"),
        # Of Java's HttpURLConnection, which means nothing by it.
        "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
    ],
)
def test_programs_get_the_same_json_as_ever(client: Client, accept: str) -> None:
    response = client.http.get("/", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert "Accept" in response.headers["vary"]
    without = client.http.build_request("GET", "/")
    del without.headers["accept"]
    assert client.http.send(without).content == response.content
    assert re.fullmatch(
        rb'\{"version":"[\d.]+","download_url":"download/","max_upload_size_bytes":10485760,'
        rb'"max_concurrent_tasks":\d,"max_age":24\}',
        response.content,
    )


def test_below_a_path_of_a_reverse_proxy_all_that_the_page_names_is_there(
    server: Service,
) -> None:
    with proxied(server.url, "/tools/pictures") as url:
        shown = httpx.get(f"{url}/", headers={"Accept": BROWSER})
        named = _named(shown.text)
        assert len(named) >= 5
        for name in named:
            assert httpx.get(shown.url.join(name)).status_code == 200, name


def test_it_needs_no_key_and_its_files_none_while_the_api_does(
    redis_url: str, tmp_path: Path
) -> None:
    with web(tmp_path, redis_url, AUTH__API_KEYS=KEYS) as running:
        shown = _page(running.client)
        assert shown.status_code == 200
        for name in _named(shown.text):
            assert running.client.http.get(f"/{name}").status_code == 200, name
        for path in ("/", "/status/x", "/download/x"):
            assert running.client.http.get(path).status_code == 401, path
        assert running.client.http.get("/", headers={"X-API-Key": KEY}).status_code == 200
        # A browser opens a dialog of its own where Basic is offered.
        script = {"X-Requested-With": "XMLHttpRequest"}
        told = [running.client.http.get("/", headers=given) for given in ({}, script)]
        offered = [response.headers["www-authenticate"] for response in told]
        assert "Basic" in offered[0]
        assert offered[1].startswith("Bearer ")


def test_files_are_kept_by_caches_below_the_name_of_their_version(client: Client) -> None:
    name = next(name for name in _named(_page(client).text) if name.endswith("app.js"))
    response = client.http.get(f"/{name}")
    assert response.headers["content-type"].startswith("text/javascript")
    assert "immutable" in response.headers["cache-control"]
    head = client.http.head(f"/{name}")
    assert head.headers["content-length"] == response.headers["content-length"]
    old = client.http.get(re.sub(r"page/\w+/", "/page/old/", name))
    assert old.headers["cache-control"] == "no-cache"
    version = name.split("/")[1]
    for wrong in ("page.html", "../page.py", "..%2fpage.py", "words", "words/../app.js", "x"):
        response = client.http.get(f"/page/{version}/{wrong}")
        assert response.status_code == 404 or wrong == "words/../app.js", wrong


def test_files_are_packed_for_clients_that_say_so(client: Client) -> None:
    name = next(name for name in _named(_page(client).text) if name.endswith("app.js"))
    sizes = {}
    for accepted in ("", "identity", "gzip;q=0", "br, gzip;q=0.5", "gzip, deflate, br"):
        response = client.http.get(f"/{name}", headers={"Accept-Encoding": accepted})
        assert response.content == (FILES / "app.js").read_bytes()
        assert "Accept-Encoding" in response.headers["vary"]
        sizes[accepted] = int(response.headers["content-length"])
        packed = "gzip" in accepted and "q=0" not in accepted.replace("q=0.5", "")
        assert response.headers.get("content-encoding") == ("gzip" if packed else None), accepted
    assert sizes["gzip, deflate, br"] < sizes[""] / 2


def test_it_may_load_and_run_nothing_but_files_of_this_server(client: Client) -> None:
    shown = _page(client)
    policy = dict(
        part.strip().split(" ", 1) for part in shown.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["form-action"] == policy["frame-src"] == "'self'"
    sources = {source for value in policy.values() for source in value.split()}
    assert sources <= {"'none'", "'self'", "data:", "blob:"}
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)", shown.text) == []


def _all_files() -> Iterator[Path]:
    yield from (path for path in FILES.rglob("*") if path.is_file())


def test_no_file_names_another_host(client: Client) -> None:
    allowed = {"http://www.w3.org/2000/svg"}  # a name, which nothing loads
    for path in _all_files():
        found = re.findall(r"https?://[^\"'\s)`]+|[\"'(]//\w[^\"']*", path.read_text())
        assert set(found) <= allowed, path


def test_a_visit_loads_less_than_80_kb() -> None:
    sizes = {path: path.stat().st_size for path in _all_files()}
    words = max(sizes[path] for path in WORDS)
    assert sum(size for path, size in sizes.items() if path not in WORDS) + words < MOST


def test_the_manifest_opens_the_page(client: Client) -> None:
    shown = _page(client)
    name = next(name for name in _named(shown.text) if name.endswith("webmanifest"))
    response = client.http.get(f"/{name}")
    assert response.headers["content-type"].startswith("application/manifest+json")
    manifest = response.json()
    assert str(response.url.join(manifest["start_url"])) == str(shown.url)
    for icon in manifest["icons"]:
        assert client.http.get(response.url.join(icon["src"])).status_code == 200


def _asked() -> set[str]:
    """The sentences that the page asks for."""
    asked = set(re.findall(r'data-(?:t|label)="(\w+)"', (FILES / "page.html").read_text()))
    for path in FILES.glob("*.js"):
        text = path.read_text()
        asked |= set(re.findall(r'\bt\("(\w+)"', text))
        # Of two sentences one.
        for pair in re.findall(r'\bt\([^()"]*\? "(\w+)" : "(\w+)"', text):
            asked |= set(pair)
        # The words of buttons: a picture's action, or what is pressed.
        asked |= set(re.findall(r'\bact\("\w+", "(\w+)"', text))
        asked |= set(re.findall(r'\bpress\("(\w+)"', text))
    return asked


@pytest.mark.parametrize("path", WORDS, ids=lambda path: path.stem)
def test_no_sentence_is_missing_in_any_language(path: Path) -> None:
    english = json.loads((FILES / "words" / "en.json").read_text())
    words = json.loads(path.read_text())
    assert set(words) == set(english)
    assert _asked() <= set(words)
    for key, sentence in words.items():
        forms = [sentence] if isinstance(sentence, str) else list(sentence.values())
        assert all(forms), key
        assert isinstance(sentence, str) or "other" in sentence, key
        theirs = english[key]
        values = set(re.findall(r"\{(\w+)\}", str(theirs)))
        for form in forms:
            assert set(re.findall(r"\{(\w+)\}", form)) <= values, key
        assert values == set(re.findall(r"\{(\w+)\}", str(sentence))), key


def test_there_is_a_sentence_for_each_choice_and_no_unused_one(client: Client) -> None:
    words = json.loads((FILES / "words" / "en.json").read_text())
    told = dict(re.findall(r'data-(\w+)="([^"]*)"', _page(client).text))
    choices = {f"effort_{name}" for name in told["efforts"].split()} | {
        f"keep_{name}" for name in told["keeps"].split()
    }
    assert choices <= set(words)
    offered = re.findall(r'<option value="(\w+)" lang="\1">(.+?)</option>', _page(client).text)
    autonyms = [json.loads(path.read_text())["autonym"] for path in WORDS]
    assert offered == list(zip([path.stem for path in WORDS], autonyms, strict=True))
    built = {key for key in words if re.match(r"(error|preset|format)_", key)} | {
        "effort_default",
        "autonym",
    }
    text = "".join(path.read_text() for path in FILES.glob("*.js"))
    named = {key for key in words if re.search(rf'"{key}"', text)}
    assert set(words) == _asked() | choices | built | named

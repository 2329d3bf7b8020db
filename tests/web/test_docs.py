"""/docs: a page that needs no other host, and a schema that says what the routes are."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from sanic import Sanic

from app.core.config.settings import Settings
from app.core.errors import TinyImageError, Where, errors_at
from app.web.docs.operation import TINIFY
from app.web.http.form import FIELDS
from app.web.server import create_app
from app.web.tinify.errors import told as in_their_words
from imaging.formats import Format
from imaging.options import MAX_SIDE, OPTION_NAMES
from tests.pictures import photograph, unique
from tests.proxy import proxied
from tests.service import Client, Service
from tests.web.alone import web
from tests.web.contract import Contract
from tests.web.keys import KEY, KEYS


class _References(HTMLParser):
    """What a page loads or leads to, and what is written in it to be run."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loads += [str(given[name]) for name in ("src", "href") if name in given]
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)


def _references(page: httpx.Response) -> _References:
    assert page.status_code == 200, page.url
    references = _References()
    references.feed(page.text)
    return references


@pytest.mark.parametrize("path", ["docs", "docs/"])
def test_below_a_path_of_a_reverse_proxy_all_that_the_page_names_is_there(
    server: Service, path: str
) -> None:
    with proxied(server.url, "/tools/pictures") as url:
        page = httpx.get(f"{url}/{path}")
        loads = _references(page).loads
        assert len(loads) >= 4
        for load in loads:
            assert re.match(r"(docs/)?\w", load), load
            assert httpx.get(page.url.join(load)).status_code == 200, load
        # The script names no path either, but what is beside it.
        script = next(load for load in loads if "page.js" in load)
        assert re.findall(r"""["'`](\.*/[^"'`]*)""", httpx.get(page.url.join(script)).text) == []


def test_below_a_path_of_a_reverse_proxy_the_schema_names_the_server_there(
    server: Service,
) -> None:
    """As OpenAPI has it: a server's URL is relative to the schema's own."""
    picture = unique(photograph("rocket"))
    with proxied(server.url, "/tools/pictures") as url:
        schema = httpx.get(f"{url}/docs/openapi.json")
        (named,) = schema.json()["servers"]
        there = f"{named['url'].rstrip('/')}/upload"
        assert str(schema.url.join(there)) == f"{url}/upload"
        answer = httpx.post(
            schema.url.join(there), files={"picture": ("cat.jpg", picture)}, timeout=60
        )
        assert answer.status_code == 202, answer.text


def test_the_page_loads_nothing_but_files_of_this_server(client: Client) -> None:
    page = client.http.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    references = _references(page)
    assert references.inline == []
    assert len(references.loads) >= 4
    for load in references.loads:
        assert re.match(r"docs/\w", load), load
        response = client.http.get(page.url.join(load))
        assert response.status_code == 200, load
        kind = {".js": "text/javascript", ".css": "text/css", ".png": "image/png"}
        suffix = Path(load.partition("?")[0]).suffix
        assert response.headers["content-type"].startswith(kind.get(suffix, "")), load
        if suffix == ".css":
            urls = re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')]*)", response.text)
            assert all(url.startswith(("data:", "#")) for url in urls), urls


def test_the_licence_of_the_page_is_shown_as_text(client: Client) -> None:
    licence = client.http.get("/docs/LICENSE")
    assert licence.headers["content-type"] == "text/plain; charset=utf-8"
    assert "Apache License" in licence.text


def test_the_browser_is_told_to_ask_no_other_host(client: Client) -> None:
    policy = client.http.get("/docs").headers["content-security-policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == "'self'"
    assert directives["connect-src"] == "'self'"
    assert directives["form-action"] == "'none'"
    sources = {source for sources in directives.values() for source in sources.split()}
    assert sources <= {"'none'", "'self'", "data:", "blob:"}
    # The rest of the server has its own as before.
    for path in ("/", "/docs/openapi.json", "/docs/swagger-ui.js"):
        assert "sandbox" in client.http.get(path).headers["content-security-policy"]


def test_files_are_kept_by_caches_under_the_name_of_their_version(client: Client) -> None:
    page = client.http.get("/docs")
    assert page.headers["cache-control"] == "no-cache"
    script = re.search(r"docs/page.js\?v=\w+", page.text)
    assert script is not None
    assert "immutable" in client.http.get(f"/{script[0]}").headers["cache-control"]
    for path in ("/docs/page.js", "/docs/page.js?v=old", "/docs/openapi.json"):
        assert client.http.get(path).headers["cache-control"] == "no-cache"


def test_nothing_else_is_below_docs(client: Client) -> None:
    for path in ("redoc", "swagger", "swagger-config", "oauth2-redirect.html", "page.py", "x"):
        assert client.http.get(f"/docs/{path}").status_code == 404, path
    for path in ("..%2fpage.py", "%2e%2e/http.py", "page.js%00", "page.js/../page.py"):
        assert client.http.get(f"/docs/{path}").status_code == 404, path


def test_no_cors_and_no_further_methods_come_along(client: Client) -> None:
    response = client.http.get("/", headers={"Origin": "https://example.org"})
    assert not [name for name in response.headers if name.startswith("access-control")]
    for method in ("OPTIONS", "TRACE"):
        assert client.http.request(method, "/").status_code == 405
    assert client.http.request("CONNECT", "/").status_code == 405


def test_neither_the_page_nor_the_schema_needs_a_key(redis_url: str, tmp_path: Path) -> None:
    with web(tmp_path, redis_url, AUTH__API_KEYS=KEYS) as running:
        get = running.client.http.get
        page = get("/docs")
        assert page.status_code == get("/docs/").status_code == 200
        loads = _references(page).loads
        assert len(loads) >= 4
        for path in loads:
            assert get(page.url.join(path)).status_code == 200, path
        for path in ("/docs/x", "/docs/../", "/docsx", "/"):
            assert get(path).status_code == 401, path
        security = Contract(running.url).schema["security"]
        assert {} not in security
        assert security
        assert get("/", headers={"X-API-Key": KEY}).status_code == 200


def test_each_of_several_processes_has_the_whole_schema(redis_url: str, tmp_path: Path) -> None:
    with web(tmp_path, redis_url, SERVER__PROCESSES=2) as running:
        schemas = [Contract(running.url).schema for _ in range(8)]
        assert all(schema == schemas[0] for schema in schemas)
        assert "/upload" in schemas[0]["paths"]


def test_the_schema_is_valid(contract: Contract) -> None:
    OpenAPIV31SpecValidator(contract.schema).validate()


def test_the_schema_has_all_routes_and_no_other(contract: Contract) -> None:
    app = create_app(Settings(), "redis://127.0.0.1:1")
    try:
        routes = {
            ("/" + re.sub(r"<(\w+):\w+>", r"{\1}", route.path.strip("/")), method.lower())
            for route in app.router.routes
            if route.name.split(".")[1] not in ("docs", "page", "openapi")
            for method in route.methods
        }
    finally:
        Sanic.unregister_app(app)
    assert set(contract.operations) == routes


def test_each_operation_is_described_for_programs_and_people(contract: Contract) -> None:
    operations = contract.operations
    names = [operation["operationId"] for operation in operations.values()]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in contract.schema["tags"]}
    for where, operation in operations.items():
        assert operation["operationId"].isidentifier(), where
        assert operation["summary"], where
        assert operation["description"], where
        assert set(operation["tags"]) <= tags, where
        assert "default" not in operation["responses"], where
        for status, response in operation["responses"].items():
            assert response["description"], (where, status)


def test_examples_are_as_their_schemas_say(contract: Contract) -> None:
    count = 0
    for operation in contract.operations.values():
        for response in operation["responses"].values():
            for media in response.get("content", {}).values():
                examples = [example["value"] for example in media.get("examples", {}).values()]
                for example in [*examples, *([media["example"]] if "example" in media else [])]:
                    contract.validate(example, media["schema"])
                    count += 1
        for media in operation.get("requestBody", {"content": {}})["content"].values():
            for example in media.get("examples", {}).values():
                contract.validate({"picture": "", **example["value"]}, media["schema"])
                count += 1
    assert count > 30


def test_each_field_and_option_is_in_the_schema(contract: Contract) -> None:
    body = contract.operations["/upload", "post"]["requestBody"]["content"]["multipart/form-data"]
    schemas = contract.schema["components"]["schemas"]
    assert body["schema"] == contract.component("Upload")
    properties = schemas["Upload"]["properties"]
    assert set(properties) == FIELDS | {"picture"}
    assert set(schemas["LinkUpload"]["properties"]) == FIELDS
    assert schemas["LinkUpload"]["required"] == ["url"]
    assert properties["width"]["maximum"] == MAX_SIDE
    for method in ("get", "head"):
        parameters = contract.operations["/download/{md5}", method]["parameters"]
        queries = {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
        assert queries == {"preset", "format", "quality", "q"} | OPTION_NAMES
    assert set(schemas["ChosenOptions"]["properties"]) == OPTION_NAMES
    assert set(schemas["Format"]["enum"]) == set(Format)
    requested = set(schemas["SocketPicture"]["properties"]) - {"data"}
    assert requested > OPTION_NAMES
    assert set(schemas["SocketAnnouncement"]["properties"]) == requested | {"binary"}
    results = contract.operations["/download/{md5}", "get"]["responses"]["200"]["content"]
    assert set(results) == {format.media_type for format in Format}


def test_no_error_is_left_out(contract: Contract) -> None:
    def kinds(of: type[TinyImageError]) -> set[type[TinyImageError]]:
        found = {of} if of.__module__ == TinyImageError.__module__ else set()
        return found.union(*(kinds(kind) for kind in of.__subclasses__()))

    http, conversion = errors_at(Where.HTTP), errors_at(Where.CONVERSION)
    tinify = errors_at(Where.TINIFY)
    assert kinds(TinyImageError) == {*http, *errors_at(Where.MESSAGE), *conversion, *tinify}
    told = {
        code
        for operation in contract.operations.values()
        if operation["tags"] != [TINIFY]
        for status, response in operation["responses"].items()
        if int(status) >= 400 and "content" in response
        for code in response["content"]["application/json"]["examples"]
    }
    assert {kind.code for kind in http} <= told
    assert told <= set(contract.schema["components"]["schemas"]["ErrorCode"]["enum"])
    in_its_words = contract.operations["/shrink", "post"]["responses"]
    for kind in tinify:
        as_told = in_their_words(kind)
        examples = in_its_words[str(as_told.status)]["content"]["application/json"]["examples"]
        assert as_told.error in examples

"""The schema of a server, and whether an answer is as it says."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import httpx
from openapi_schema_validator import OAS31Validator

from tests.service import NO_TLS


class Contract:
    """What the schema of a running server promises."""

    def __init__(self, url: str) -> None:
        response = httpx.get(f"{url}/docs/openapi.json", timeout=60, verify=NO_TLS)
        assert response.status_code == 200, response.text
        self.schema: dict[str, Any] = response.json()
        # Closed here alone: a client should bear members that it does not know.
        self._components = copy.deepcopy(self.schema["components"])
        for schema in self._components["schemas"].values():
            if schema["type"] == "object":
                schema["additionalProperties"] = False

    @property
    def operations(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The operations by path and method."""
        return {
            (path, method): operation
            for path, item in self.schema["paths"].items()
            for method, operation in item.items()
        }

    def validate(self, value: Any, schema: dict[str, Any]) -> None:
        """Assert that the value is as a schema of this document says, and has nothing else."""
        whole = {**schema, "components": self._components}
        OAS31Validator(whole, format_checker=OAS31Validator.FORMAT_CHECKER).validate(value)

    def component(self, name: str) -> dict[str, Any]:
        """What names one of the schemas."""
        assert name in self.schema["components"]["schemas"]
        return {"$ref": f"#/components/schemas/{name}"}

    def check(self, response: httpx.Response) -> None:
        """Assert that an answer, its headers and its body included, is one that was promised."""
        request = response.request
        self.check_parts(
            request.method,
            request.url.path,
            response.status_code,
            response.headers,
            response.content,
        )

    def check_parts(
        self, method: str, path: str, status: int, headers: Any, content: bytes
    ) -> None:
        """The same for an answer that was read by hand; the names of `headers` in lower case."""
        template, operation = self._operation(method.lower(), path)
        where = f"{method} {template} {status}"
        assert str(status) in operation["responses"], where
        promised = operation["responses"][str(status)]
        self._check_headers(promised, headers, where)
        if "content" not in promised:
            assert content == b"", where
            return
        media_type = headers["content-type"].partition(";")[0]
        assert media_type in promised["content"], where
        media = promised["content"][media_type]
        if media_type != "application/json":
            assert media["schema"]["type"] == "string", where
            assert content, where
            return
        value = json.loads(content)
        self.validate(value, media["schema"])
        if status >= 400:
            assert value["error"] in media["examples"], where

    def _operation(self, method: str, path: str) -> tuple[str, dict[str, Any]]:
        for (template, name), operation in self.operations.items():
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
            if name == method and re.fullmatch(pattern, path):
                return template, operation
        raise AssertionError(f"the schema knows no {method} {path}")

    def _check_headers(self, promised: dict[str, Any], headers: Any, where: str) -> None:
        components = self.schema["components"]["headers"]
        documented = promised.get("headers", {})
        for name, component in components.items():
            value = headers.get(name.lower())
            if value is None:
                continue
            assert name in documented, f"{where} has {name}"
            number = component["schema"]["type"] == "integer"
            self.validate(int(value) if number else value, component["schema"])
        for name in (
            "X-Request-ID",
            "Retry-After",
            "WWW-Authenticate",
            "Content-Range",
            "ETag",
            "Location",
        ):
            if name in documented:
                assert name.lower() in headers, f"{where} without {name}"

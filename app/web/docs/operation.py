"""One operation of the schema, declared beside its handler."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from app.core.errors import TinyImageError, Where, errors_at
from app.web.docs.responses import Failure, Object, Responses, failures

Handler = TypeVar("Handler", bound=Callable[..., Any])

SERVER, PICTURES, SOCKETS, TINIFY = "server", "pictures", "sockets", "tinify"
WEBHOOKS = "webhooks"

TAGS = [
    {"name": PICTURES, "description": "Upload, follow, download."},
    {"name": SERVER, "description": "The server itself."},
    {"name": SOCKETS, "description": "Any number of pictures over one WebSocket."},
    {
        "name": WEBHOOKS,
        "description": "Messages to those that the operator or an upload names.",
    },
    {"name": TINIFY, "description": "The Tinify API, for clients of TinyPNG."},
]

_ATTRIBUTE = "operation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The purpose, parameters and answers of a method of a path."""

    name: str
    """The `operationId`: the name of a method in generated clients."""
    tag: str
    summary: str
    description: str
    answers: Responses
    """The successful answers, by status."""
    where: Where = Where.REQUEST
    """The places whose errors occur here, beside those of any request."""
    errors: Mapping[type[TinyImageError], str] = field(default_factory=dict)
    """Errors that are not in `where`, and messages that say more than the error's own example."""
    further: Sequence[tuple[int, str, str]] = ()
    """Errors of Sanic's own: status, code, message."""
    error_headers: Sequence[str] = ()
    """Headers of each error answer beside those of the error."""
    words: Callable[[type[TinyImageError], str], Failure] | None = None
    """Describes an error with an example message, where the code does not."""
    error_schema: Object | None = None
    """The schema of error answers, if not the component `Error`."""
    parameters: Sequence[Object] = ()
    body: Object | None = None
    is_open: bool = False
    """Whether it needs no API key, even if keys are set."""

    @property
    def head(self) -> Operation:
        """The same with HEAD."""
        _, _, what = self.name.partition("_")
        return replace(self, name=f"head_{what}", summary=f"{self.summary}: the headers alone")

    def describe(self, method: str) -> Object:
        """The operation in OpenAPI 3.1.

        Args:
            method: GET, POST, DELETE, or HEAD, whose answers have no body.
        """
        operation = self.head if method == "HEAD" else self
        words = self.words or _as_declared
        told = [
            words(error, self.errors.get(error, error.example))
            for error in errors_at(~Where(0))
            if error in self.errors or error.where & (self.where | Where.REQUEST)
        ]
        further = [(*failure, ()) for failure in self.further]
        responses = {
            **self.answers,
            **failures(*told, *further, header_names=self.error_headers, schema=self.error_schema),
        }
        if method == "HEAD":
            responses = {
                status: {name: value for name, value in response.items() if name != "content"}
                for status, response in responses.items()
            }
        described: dict[str, Any] = {
            "operationId": operation.name,
            "tags": [operation.tag],
            "summary": operation.summary,
            "description": operation.description,
            "responses": responses,
        }
        if self.parameters:
            described["parameters"] = list(self.parameters)
        if self.body is not None:
            described["requestBody"] = self.body
        if self.is_open:
            described["security"] = []
        return described


def _as_declared(error: type[TinyImageError], message: str) -> Failure:
    return error.status, error.code, message, error.header_names


def documented(operation: Operation) -> Callable[[Handler], Handler]:
    """The decorator for the handler of `operation`; does not change the handler."""

    def put(handler: Handler) -> Handler:
        setattr(handler, _ATTRIBUTE, operation)
        return handler

    return put


def operation_of(handler: Any) -> Operation | None:
    """The operation of a route's handler; None for a route that the schema leaves out."""
    if getattr(handler, "is_websocket", False):
        handler = handler.args[0]  # Sanic has wrapped the handler that was documented
    operation: Operation | None = getattr(handler, _ATTRIBUTE, None)
    return operation

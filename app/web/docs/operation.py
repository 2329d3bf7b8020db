"""One operation of the schema, put where sanic-ext finds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from sanic_ext.extensions.openapi.builders import OperationStore
from sanic_ext.extensions.openapi.types import Definition

Object = Mapping[str, Any]
"""An object of the schema, as OpenAPI 3.0.3 writes it."""

Handler = TypeVar("Handler", bound=Callable[..., Any])

ANYONE: Sequence[Object] = ({},)
"""The security of what needs no key. An empty list says so too, but sanic-ext drops it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a method of a path does, takes and answers."""

    name: str
    """The `operationId`: the name of a method in clients that are generated."""
    tag: str
    summary: str
    description: str
    responses: Mapping[str, Object]
    """By status."""
    parameters: Sequence[Object] = ()
    body: Object | None = None
    security: Sequence[Object] = field(default=())
    """() for that of the whole API."""

    @property
    def head(self) -> Operation:
        """The same with HEAD: its answers have no body."""
        responses = {
            status: {name: value for name, value in response.items() if name != "content"}
            for status, response in self.responses.items()
        }
        _, _, what = self.name.partition("_")
        summary = f"{self.summary}: the headers alone"
        return replace(self, name=f"head_{what}", summary=summary, responses=responses)


class _Parameter(Definition):
    """A parameter for sanic-ext, whose own class knows but a part of OpenAPI. Everything else is
    given as it is: its class of a response, for one, knows no headers."""

    def __init__(self, fields: Object) -> None:
        super().__init__(**fields)  # type: ignore[no-untyped-call]

    def guard(self, fields: dict[str, Any]) -> dict[str, Any]:
        return fields


def documented(operation: Operation) -> Callable[[Handler], Handler]:
    """The decorator for the handler that does `operation`; leaves the handler as it is."""

    def put(handler: Handler) -> Handler:
        builder: Any = OperationStore()[handler]
        builder.name(operation.name)
        builder.tag(operation.tag)
        builder.describe(operation.summary, operation.description)
        builder.parameters = [_Parameter(fields) for fields in operation.parameters]
        builder.responses = dict(operation.responses)
        builder.security = list(operation.security)
        if operation.body is not None:
            builder.requestBody = operation.body
        return handler

    return put

"""The section of the settings on webhooks: their recipients, the events, and the secrets."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import NoDecode

from app.core.config.access import parse_list
from app.core.picture.recipients import EventType, Recipient
from app.core.section import Section
from app.outgoing.rules import Refused, Rules, check_url

PREFIX = "whsec_"
MIN_SECRET, MAX_SECRET = 24, 64
"""Bytes of a secret (Standard Webhooks, "Signature scheme")."""

MAX_TRIES = 20

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def parse_secrets(value: object) -> object:
    """The list of secrets in a text with one or several, by commas."""
    given = parse_list(value)
    return [given] if isinstance(given, SecretStr) else given


def check_secrets(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    """The secrets, if each is one.

    Raises:
        ValueError: if not; it does not repeat any.
    """
    for secret in secrets:
        text = secret.get_secret_value()
        try:
            size = len(base64.b64decode(text.removeprefix(PREFIX), validate=True))
        except (binascii.Error, ValueError):
            size = 0
        if not text.startswith(PREFIX) or not MIN_SECRET <= size <= MAX_SECRET:
            raise ValueError(f"should be {PREFIX} and {MIN_SECRET} to {MAX_SECRET} bytes in base64")
    return secrets


Secrets = Annotated[
    tuple[SecretStr, ...],
    NoDecode,
    BeforeValidator(parse_secrets),
    AfterValidator(check_secrets),
]


class Endpoint(BaseModel):
    """Where events of pictures are sent, and of which."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(repr=False)
    secret: Secrets = Field(min_length=1)
    keys: Annotated[tuple[str, ...] | None, BeforeValidator(parse_list)] = None
    """The names of API keys whose pictures it is told of; all pictures without it."""
    events: Annotated[tuple[EventType, ...], BeforeValidator(parse_list)] = Field(
        tuple(EventType), min_length=1
    )


@dataclass(frozen=True, slots=True)
class Destination:
    """The parts of a recipient that a delivery needs and no job keeps."""

    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


def parse_endpoints(value: object) -> object:
    """The mapping of names to endpoints, also as JSON.

    Raises:
        ValueError: if a text is not JSON; it does not repeat the text.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return {}
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError("should be JSON: names, and for each url and secret") from None
    return value


def check_endpoints(endpoints: dict[str, Endpoint]) -> dict[str, Endpoint]:
    """The endpoints, if their names can be used.

    Raises:
        ValueError: if not.
    """
    for name in endpoints:
        if not _NAME.fullmatch(name):
            raise ValueError("names should be letters, digits, '.', '_' and '-', 64 at most")
    return endpoints


class WebhookSettings(Section):
    endpoints: Annotated[
        dict[str, Endpoint],
        NoDecode,
        BeforeValidator(parse_endpoints),
        AfterValidator(check_endpoints),
    ] = Field({}, repr=False)
    """The recipients of messages: names, and for each `url`, `secret` (`whsec_…`), and if not all
    pictures and events, `keys` and `events`. [webhooks.md](webhooks.md)"""
    any: bool = False
    """Whether an upload may name a URL to be told, as `webhook`."""
    secret: Secrets = Field((), repr=False)
    """The secret of messages to such URLs, `whsec_…`; several, by commas, for a change."""
    retries: Annotated[
        tuple[Annotated[float, Field(gt=0, le=24 * 3600)], ...],
        NoDecode,
        BeforeValidator(parse_list),
    ] = Field((5, 300, 1800, 7200, 18000), min_length=1, max_length=MAX_TRIES)
    """Seconds before each further try, up to a fifth longer by chance."""
    timeout: int = Field(15, ge=1, le=30)
    """Seconds for one try, from the look-up of the name to the answer."""

    @property
    def enabled(self) -> bool:
        """Whether anybody may be told."""
        return self.any or bool(self.endpoints)

    def check(self, rules: Rules, api_keys: Collection[str]) -> None:
        """Nothing, if it fits the other settings.

        Raises:
            ValueError: if not; it names the setting.
        """
        if self.any and not self.secret:
            raise ValueError("secret: is needed with any, to sign messages")
        for name, endpoint in self.endpoints.items():
            try:
                check_url(endpoint.url, rules)
            except Refused as error:
                raise ValueError(f"endpoints.{name}.url: {error}") from None
            for key in endpoint.keys or ():
                if key not in api_keys:
                    raise ValueError(f"endpoints.{name}.keys: there is no API key of that name")

    def destination(self, recipient: Recipient) -> Destination | None:
        """Where its messages go; None if the settings have no such endpoint, or uploads may name
        none."""
        endpoint = self.endpoints.get(recipient.name)
        if endpoint is not None:
            return Destination(endpoint.url, _shown(endpoint.secret))
        if recipient.url and self.any:
            return Destination(recipient.url, _shown(self.secret))
        return None


def _shown(secrets: tuple[SecretStr, ...]) -> tuple[str, ...]:
    return tuple(secret.get_secret_value() for secret in secrets)

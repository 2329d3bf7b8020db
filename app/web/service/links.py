"""Pictures that clients upload by their URL."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from app.core.config.settings import Settings
from app.core.errors import InvalidOption, NotAllowed, NotFound, ProcessingFailed
from app.core.jobs import batches
from app.core.jobs.fetched import links
from app.core.jobs.fetched.fetching import new_id
from app.core.jobs.fetched.links import MAX_SOURCE_URL, Link, LinkState
from app.core.jobs.job import PictureJob
from app.core.picture.batch import Member
from app.core.picture.conversion import ConversionRequest, picture_of
from app.core.picture.filenames import clean_filename
from app.core.redis.client import FailFastRedis
from app.outgoing.rules import Refused, check_url
from app.web.service.conversions import Conversions
from imaging.formats import EXTENSIONS

FILENAME = "picture"
"""The name of a picture whose URL has none."""


LONG_SECONDS = 3600.0
"""Of one wait without an end."""

WITHDRAWN = "The upload was withdrawn"


class Links:
    """Has workers fetch pictures, and tells how that goes."""

    def __init__(self, redis: FailFastRedis, conversions: Conversions, settings: Settings) -> None:
        self._redis = redis
        self._conversions = conversions
        self._settings = settings
        self._batches = batches.Settling(settings.upload.max_age_seconds, settings.webhooks.enabled)

    def check(self, url: object) -> str:
        """The URL of an upload, without blanks around it. Where a name leads is seen when it is
        fetched.

        Raises:
            NotAllowed: if nothing is fetched here.
            InvalidOption: if it is not one that is fetched, as far as that can be seen.
        """
        if not self._settings.fetch.enabled:
            raise NotAllowed("Pictures are not fetched from URLs here")
        # Without the URL itself, which may hold a secret.
        if not isinstance(url, str) or len(url.strip()) > MAX_SOURCE_URL:
            raise InvalidOption(
                f"'url' should be a URL of http or https, of {MAX_SOURCE_URL} characters at most"
            )
        try:
            check_url(url.strip(), self._settings.fetch.rules)
        except Refused as error:
            raise InvalidOption(f"'url': {error}") from None
        return url.strip()

    async def send(
        self,
        url: str,
        fields: Mapping[str, Any],
        *,
        key: str | None,
        requested: ConversionRequest,
    ) -> str:
        """Have the file of a URL fetched, and taken as an upload with these fields.

        Args:
            requested: what they ask for.

        Returns:
            the id under which its state is asked for.

        Raises:
            QueueFull: if too many of its priority wait.
            SizeExceeded: if its batch is full.
            RedisError: if Redis cannot be reached.
        """
        id, noted = new_id(), []
        if requested.batch is not None:
            member = Member(requested.batch, filename_of(url))
            await self._redis.ask(batches.check_room(member, id))
            noted = [self._batches.note(member, id, requested.recipients)]
        await self._redis.ask(
            links.enqueue(
                id,
                url,
                fields,
                key=key,
                filename=filename_of(url),
                priority=requested.priority,
                seconds=self._settings.fetch.timeout,
                max_age_seconds=self._settings.upload.max_age_seconds,
                max_waiting=self._settings.limits.max_queue,
                noted=noted,
                recipients=requested.recipients,
            )
        )
        return id

    async def look_up(self, id: str) -> Link:
        """The upload with this id.

        Raises:
            NotFound: if it is unknown, or no longer known.
            RedisError: if Redis cannot be reached.
        """
        link = await self._redis.ask(links.look_up(id))
        if link is None:
            raise NotFound("There is no such upload")
        return link

    async def wait(self, id: str, seconds: float) -> Link:
        """The upload once it is no longer fetched, `seconds` have passed, or the server stops.

        Raises:
            NotFound: if it is unknown, or no longer known.
            RedisError: if Redis cannot be reached at first, or when the time is over.
        """
        return await self._conversions.following.ended(
            id,
            lambda: self.look_up(id),
            lambda link: link.state is not LinkState.FETCHING,
            seconds,
        )

    async def withdraw(self, id: str) -> bool:
        """Take the upload back. Returns whether it was: it waited, and no worker had it.

        Raises:
            RedisError: if Redis cannot be reached.
        """
        return await self._redis.ask(links.withdraw(id, self._batches.settle(id)))

    async def fetched(self, id: str) -> Link:
        """The upload, which is there, once it is no longer fetched, or the server stops, however
        long that takes. One that is withdrawn meanwhile has failed.

        Raises:
            RedisError: if Redis cannot be reached.
        """
        while True:
            try:
                link = await self.wait(id, LONG_SECONDS)
            except NotFound:
                return Link(id, LinkState.FAILED, (), WITHDRAWN, ProcessingFailed.code)
            if link.state is not LinkState.FETCHING or self._conversions.following.stopping:
                return link

    async def jobs(self, link: Link) -> list[PictureJob]:
        """Its conversions whose results are not gone; none until it is taken."""
        if not link.job_ids:
            return []
        found = await self._conversions.status(picture_of(link.job_ids[0]))
        return [job for job in found if job.conversion.job_id in link.job_ids]


def filename_of(url: str) -> str:
    """The last name in the path of a URL, if that seems to be one of a picture: any other may be a
    secret, and names are logged."""
    name = clean_filename(unquote(urlsplit(url).path.rpartition("/")[2]))
    extension = PurePosixPath(name).suffix.lower().removeprefix(".")
    return name if extension in EXTENSIONS else FILENAME

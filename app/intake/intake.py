"""The intake of every picture, from HTTP, WebSocket and workers alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

from app.core.config.settings import Settings
from app.core.errors import told
from app.core.jobs.job import PictureJob
from app.core.picture.batch import BATCH, Member, parse_batch
from app.core.picture.conversion import Conversion, ConversionRequest, parse_conversion_request
from app.core.picture.formats import FORMAT, FORMATS
from app.core.picture.recipients import WEBHOOK
from app.core.picture.submission import Submission
from app.core.picture.widths import WIDTHS, check_one, one_each, parse_widths, with_width
from app.intake.picture import Picture
from app.intake.webhooks import recipients_of
from imaging.formats import Format, is_same, parse_formats
from imaging.formats.recognise import HEAD_SIZE, picture_size, readable_type, shown_width

REQUESTS, SHORT = 128, 64
"""Requests that are kept for each key, and characters of the longest field in one of them."""


class Submissions(Protocol):
    """Makes jobs of pictures and their conversions."""

    async def submit_all(
        self,
        picture: Picture,
        conversions: Sequence[Conversion],
        submission: Submission,
    ) -> list[PictureJob]:
        """The jobs of the conversions, new or found, and in the batch; it takes the picture's
        file. If an error comes with one of them, those before it are there.

        Raises:
            QueueFull: if it would be a new job, and too many of its priority wait.
            Unavailable: if other servers keep changing the same job.
            StorageError: if the original cannot be stored.
            RedisError: if Redis cannot be reached. It is then unknown whether there is a job.
        """


class Intake:
    """Makes jobs of pictures and the fields that came with them."""

    def __init__(
        self,
        submissions: Submissions,
        settings: Settings,
        key: str | None = None,
    ) -> None:
        """
        Args:
            submissions: makes jobs.
            key: the name of the client's API key.
        """
        self._submissions = submissions
        self._settings = settings
        self._presets = settings.asked
        self._key = key
        self._of_keys: dict[str | None, Intake] = {key: self}
        self._requested = lru_cache(REQUESTS)(self._request)

    def of_key(self, key: str | None) -> Intake:
        """The intake for clients with the API key of this name, None for clients without one."""
        if (known := self._of_keys.get(key)) is None:
            known = self._of_keys[key] = Intake(self._submissions, self._settings, key)
        return known

    def request(self, fields: Mapping[str, object]) -> ConversionRequest:
        """The request in the fields of an upload and of the preset that they name, with its
        recipients and its batch.

        Raises:
            UnsupportedFormat: if the format is unknown.
            InvalidOption: if an option is wrong, options conflict, or the preset is unknown.
            NotAllowed: if the client may not ask for it.
        """
        # Most clients ask for the same again and again.
        short = all(type(value) is str and len(value) <= SHORT for value in fields.values())
        if short and WEBHOOK not in fields:
            return self._requested(tuple(fields.items()))
        return self._request(fields)

    def _request(
        self, given: Mapping[str, object] | tuple[tuple[str, object], ...]
    ) -> ConversionRequest:
        fields: Mapping[str, object] = dict(given)
        self._presets.check_named(fields)
        widths = parse_widths(fields.get(WIDTHS))
        fields = with_width(fields, widths)
        requested = self.translated(fields, fields)
        recipients = recipients_of(self._settings, self._key, fields.get(WEBHOOK))
        batch = parse_batch(fields.get(BATCH), self._key)
        if not recipients and batch is None and not widths:
            return requested
        requested = replace(requested, recipients=recipients, batch=batch, widths=widths)
        if widths:
            one_each(requested, None)
        return requested

    def translated(
        self, fields: Mapping[str, object], own: Mapping[str, object]
    ) -> ConversionRequest:
        """As `request`, where another API has made the fields.

        Args:
            own: those that the client gave, which alone have to be allowed; no preset has to be
                among them.
        """
        self._presets.check(own, self._key)
        whole = self._presets.opened(self._presets.expanded(fields), self._key)
        settings = self._settings
        return parse_conversion_request(whole, settings.engine.effort, settings.limits.max_pixels)

    def formats(self, fields: Mapping[str, object], formats: Sequence[Format]) -> Sequence[Format]:
        """The formats of these that the client may have, and that its preset leaves open.

        Raises:
            NotAllowed: if it may have none of them.
            InvalidOption: if the preset is unknown.
        """
        preset = self._presets.expanded(fields)
        named = preset.get(FORMATS) or preset.get(FORMAT)
        if named is not None and not is_same(named):
            with told():
                formats = parse_formats(named, self._presets.auto)
        allowed = self._presets.of_key(self._key)
        left = [each for each in formats if allowed.formats is None or each in allowed.formats]
        if formats and not left:
            allowed.check_format(formats[0])
        return left

    async def accept(self, picture: Picture, requested: ConversionRequest) -> PictureJob:
        """The job of this picture: new, or found. It takes the picture's file.

        Raises:
            NotAnImage: if it is not a readable picture.
            UnsupportedFormat: if its own format is requested, and cannot be written.
            InvalidOption: if the format cannot do or hold the request.
            NotAllowed: if the client may not have this format.
            TinyImageError: as `Submissions.submit_all`.
            RedisError: if Redis cannot be reached. It is then unknown whether there is a job.
        """
        check_one(requested)
        return (await self.accept_all(picture, requested))[0]

    async def accept_all(self, picture: Picture, requested: ConversionRequest) -> list[PictureJob]:
        """The jobs of this picture: one, or if several widths are asked for one of each, the
        smallest first. If an error comes with one of them, those before it are there.

        Raises:
            TinyImageError: as `accept`.
            RedisError: if Redis cannot be reached. It is then unknown which jobs there are.
        """
        conversions, media_type = self._identify(picture, requested)
        batch = requested.batch
        submission = Submission(
            picture.filename,
            picture.size,
            media_type,
            requested.priority,
            requested.recipients,
            Member(batch, picture.path or picture.filename) if batch else None,
        )
        return await self._submissions.submit_all(picture, conversions, submission)

    def _identify(
        self, picture: Picture, requested: ConversionRequest
    ) -> tuple[list[Conversion], str]:
        """The conversions that `requested` means for this picture, and the picture's media type."""
        picture.file.seek(0)
        with told():
            media_type = readable_type(picture.file.read(HEAD_SIZE))
        size = picture_size(picture.file, media_type, self._settings.limits.max_pixels)
        each = [requested]
        if requested.widths:
            own = shown_width(picture.file, media_type, size) if size else None
            each = one_each(requested, own)
        conversions = [one.conversion(picture.md5, media_type, size) for one in each]
        for conversion in conversions:
            if conversion.format is not None:  # several were looked at before
                self._presets.of_key(self._key).check_format(conversion.format)
        return list(dict.fromkeys(conversions)), media_type

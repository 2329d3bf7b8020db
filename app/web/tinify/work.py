"""Pictures converted while a client waits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

from app.core.errors import (
    ConversionInterrupted,
    InvalidOption,
    ProcessingFailed,
    StillProcessing,
    TinyImageError,
    Transparent,
    Unavailable,
    Where,
    errors_at,
)
from app.core.jobs.facts import reason
from app.core.jobs.job import JobState, PictureJob
from app.core.picture.conversion import Conversion, ConversionRequest
from app.intake.intake import Intake
from app.intake.picture import Picture
from app.web.service.conversions import Result
from app.web.service.outputs import Source
from app.web.service.services import Services
from app.web.tinify.commands import NO_COMMANDS, Commands
from imaging.formats import Format, same_format
from imaging.measures import Size
from imaging.options import MAX_SIDE, Alpha, Damaged

Fields = Mapping[str, object]
"""What an upload would ask for."""

FALL_BACK = (Format.JPG, Format.PNG)
"""For a picture whose own format is not written: the smaller of those that keep it whole."""

UNKNOWN_SIZE = Size(MAX_SIDE, MAX_SIDE)
"""Of a picture whose job does not say how large it is, as one of an older version."""

_REASONS = {error.code: error for error in errors_at(Where.CONVERSION)}
"""Of failed conversions, by the codes that their jobs keep."""


class Work:
    """Has a picture converted as every front door has, and waits for it."""

    def __init__(self, services: Services) -> None:
        self._conversions = services.conversions
        self._intake = services.intake
        self._sources = services.sources
        self._settings = services.settings.tinify

    @contextlib.asynccontextmanager
    async def in_time(self) -> AsyncIterator[None]:
        """What is done for one request, as long as anybody waits. What is not ready then goes on.

        Raises:
            StillProcessing: if it takes longer.
        """
        try:
            async with asyncio.timeout(self._settings.wait):
                yield
        except TimeoutError:
            raise StillProcessing from None

    async def smallest(
        self,
        source: Source,
        commands: Commands = NO_COMMANDS,
        shown: Size = UNKNOWN_SIZE,
        picture: Picture | None = None,
        key: str | None = None,
    ) -> Result:
        """The smallest of the results that the commands leave open; of an animation, of those that
        move.

        Args:
            shown: the size of the source, as it is shown.
            picture: the source, where it is at hand; its file is taken.
            key: the name of the client's API key.

        Raises:
            NotFound: if the source is gone.
            TinyImageError: if it comes to nothing, and why.
            RedisError: if Redis cannot be reached.
        """
        intake = self._intake.of_key(key)
        own = commands.own(shown)
        requests = [
            intake.translated(fields, own) for fields in self._open(intake, source, commands, shown)
        ]
        return await self._smallest(requests, source, picture, intake)

    async def again(self, source: Source, conversion: Conversion) -> Result:
        """The result of a conversion that was made before.

        Raises:
            as `smallest`.
        """
        q = conversion.quality or None
        requested = ConversionRequest(conversion.format, q, q, conversion.options)
        return await self._smallest([requested], source, None, self._intake)

    def _open(
        self, intake: Intake, source: Source, commands: Commands, shown: Size
    ) -> Iterator[Fields]:
        """What an upload would ask for, for each format that is left open.

        Raises:
            NotAllowed: if none is.
        """
        own = same_format(source.media_type)
        asked = commands.fields(shown)
        formats = commands.formats or intake.formats(asked, (own,) if own else FALL_BACK)
        for format in intake.formats({}, formats):
            fields = {**asked, "format": format}
            effort = None if commands.preset else self._settings.effort
            fields["effort"] = commands.effort or effort
            # Clients write the result over their file: half a picture in place of a damaged one
            # would look whole.
            fields["damaged"] = Damaged.REFUSE
            # The other formats hold transparency, and a picture of a format without has none.
            if not format.output.has_alpha and format is not own and not commands.background:
                fields["alpha"] = Alpha.REFUSE
            yield {name: value for name, value in fields.items() if value not in (None, [])}

    async def _smallest(
        self,
        requests: Sequence[ConversionRequest],
        source: Source,
        picture: Picture | None,
        intake: Intake,
    ) -> Result:
        jobs: list[PictureJob] = []
        refusals: list[TinyImageError] = []
        for requested in requests:
            given, picture = picture or await self._sources.load(source), None
            with given:
                try:
                    jobs.append(await intake.accept(given, requested))
                except InvalidOption as error:  # such as a format's longest side
                    refusals.append(error)
        ended = await asyncio.gather(*map(self._conversions.following.finished, jobs))
        results: list[Result] = []
        for job in ended:
            if job.state is JobState.FAILED:
                kind = _REASONS.get(job.facts.error_code, ProcessingFailed)
                refusals.append(kind(reason(job.facts.error)))
            elif job.state is JobState.DONE and (result := await self._conversions.result_of(job)):
                results.append(result)
            else:
                refusals.append(Unavailable("The picture is gone, or the server stops; try again"))
        if not results:
            # Of one that may yet be converted nothing else is known; that it is transparent is the
            # last thing to say of a picture.
            raise min(
                refusals,
                key=lambda error: (
                    not isinstance(error, ConversionInterrupted),
                    isinstance(error, Transparent),
                ),
            )
        # One that is the first frame of an animation is not the same picture.
        return min(results, key=lambda each: (-each.job.facts.measures.frames, each.info.size))

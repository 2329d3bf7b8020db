"""Transactions of a blocking client, whose answers are read in one go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import hiredis
import redis
from redis._parsers.hiredis import NOT_ENOUGH_DATA
from redis.client import EMPTY_RESPONSE, Pipeline
from redis.connection import Connection
from redis.exceptions import ExecAbortError, ResponseError, WatchError

Staged = tuple[tuple[Any, ...], dict[str, Any]]
"""The arguments of a command, and the options of its answer."""


class Transaction(Pipeline):
    """A pipeline of redis-py that prepares and reads nothing for each of its commands, as most of a
    worker's time with Redis is that."""

    meanwhile: Callable[[], None] | None = None
    """Called once the commands are sent, before their answers are read. It raises nothing, and if
    they are sent again it is called again."""

    def _execute_transaction(
        self,
        connection: Connection,
        commands: Sequence[Staged],
        raise_on_error: bool,
    ) -> list[Any]:
        """The answers to the commands.

        Raises:
            ResponseError: if Redis refuses a command; the first of them, as in redis-py.
            WatchError: if a watched key has changed.
        """
        if not raise_on_error or not all(map(_is_plain, commands)):
            return super()._execute_transaction(connection, commands, raise_on_error)
        sent = [arguments for arguments, _ in commands]
        packed = b"".join(map(hiredis.pack_command, [("MULTI",), *sent, ("EXEC",)]))
        connection.send_packed_command([packed])
        if self.meanwhile is not None:
            self.meanwhile()
        refused = self._skip_queued(connection, sent)
        try:
            answers = connection.read_response()
        except ExecAbortError:
            if refused is not None:
                raise refused from None
            raise
        self.watching = False
        if answers is None:
            raise WatchError("Watched variable changed.")
        self.raise_first_error(commands, answers)  # type: ignore[no-untyped-call]
        for number, (arguments, options) in enumerate(commands):
            if (convert := self.response_callbacks.get(arguments[0])) is not None:
                answers[number] = convert(answers[number], **options)
        return answers  # type: ignore[no-any-return]

    def _skip_queued(
        self, connection: Connection, sent: Sequence[tuple[Any, ...]]
    ) -> ResponseError | None:
        """Read what comes before the answer to EXEC. Returns the first error.

        redis-py's parser is asked itself, as all of it has nearly always come at once: redis-py
        takes five calls more for each.
        """
        reader, refused, left = connection._parser._reader, None, len(sent) + 1  # 1 for MULTI
        while left:
            answer = reader.gets()
            if answer is NOT_ENOUGH_DATA:
                try:
                    answer = connection.read_response()
                except ResponseError as error:
                    answer = error
            if isinstance(answer, hiredis.PushNotification):
                connection._parser.handle_push_response(answer)
                continue
            if isinstance(answer, ResponseError):
                refused = refused or answer
            elif isinstance(answer, Exception):
                raise answer
            left -= 1
        return refused


def _is_plain(command: Staged) -> bool:
    """Whether it is packed as it stands. redis-py splits the name of a subcommand at its blank, and
    leaves out some commands."""
    (name, *_), options = command
    return isinstance(name, str) and " " not in name and EMPTY_RESPONSE not in options


class Client(redis.Redis):
    """A client of redis-py with such transactions."""

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return Transaction(self.connection_pool, self.response_callbacks, transaction, shard_hint)

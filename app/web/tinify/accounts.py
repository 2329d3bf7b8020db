"""The account of a request, and how many compressions it has had this month."""

from __future__ import annotations

from sanic import Request

from app.core.errors import CompressionsUsed, Unauthorized
from app.core.jobs.counted import compressions
from app.core.jobs.counted.compressions import Account
from app.core.redis.client import FailFastRedis
from app.web.guard.record import record_of
from app.web.guard.requests import Guard


class Accounts:
    """The keys of the service, as passwords of Basic; any key where the service has none."""

    def __init__(self, guard: Guard, redis: FailFastRedis, limit: int) -> None:
        """
        Args:
            limit: compressions of a key in a month; 0 for any number.
        """
        self._guard = guard
        self._redis = redis
        self.limit = limit

    async def admit(self, request: Request) -> Account:
        """The account whose key the request has; what it has had stands in the answer from here on.

        Raises:
            Unauthorized: if the key is missing or wrong.
            RedisError: if Redis cannot be reached.
        """
        account = self.account(request, self._guard.key_of(request) or "")
        await self.enter(request, account)
        return account

    def account(self, request: Request, key: str) -> Account:
        """The account of a key.

        Raises:
            Unauthorized: if the key is unknown.
        """
        if not key:
            raise Unauthorized("An API key is asked for")
        if not self._guard.keys.required:
            return Account.of_any(key)
        record_of(request).key = name = self._guard.keys.owner(key)
        return Account(name)

    async def enter(self, request: Request, account: Account) -> int:
        """What the account has had this month; the answer tells it from here on.

        Raises:
            RedisError: if Redis cannot be reached.
        """
        return await self._count(request, account, 0)

    def check(self, request: Request) -> None:
        """Return if an account that has been admitted may have one more. Many requests at once may
        exceed the limit by their number.

        Raises:
            CompressionsUsed: if it may not.
        """
        if self.limit and request.ctx.compressions >= self.limit:
            raise CompressionsUsed

    async def count(self, request: Request, account: Account, number: int) -> None:
        """Count compressions that have succeeded.

        Raises:
            RedisError: if Redis cannot be reached.
        """
        if number:
            await self._count(request, account, number)

    async def _count(self, request: Request, account: Account, number: int) -> int:
        request.ctx.compressions = None
        question = compressions.count(account, number, compressions.month())
        request.ctx.compressions = count = await self._redis.ask(question)
        return count

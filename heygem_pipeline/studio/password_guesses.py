"""Guesses of passwords: braked for each network and for all strangers together; who is known never waits for those."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

from heygem_pipeline.studio.access import RateLimiter
from heygem_pipeline.web.guard import network_of

MOST_KNOWN = 1000


class TooManyGuesses(Exception):
    """Refused without looking at the password."""


@dataclass
class PasswordQueue:
    """Passwords are worked out one at a time; more than ``most`` do not queue."""

    most: int
    _waiting: int = 0
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def check(self, is_right: Callable[[], bool], pace: float) -> bool:
        """pace: seconds of pause after a wrong one. Raises TooManyGuesses."""
        if self._waiting >= self.most:
            raise TooManyGuesses
        self._waiting += 1
        try:
            async with self._one:
                right = await run_in_threadpool(is_right)
                if not right:
                    await asyncio.sleep(pace)
                return right
        finally:
            self._waiting -= 1


@dataclass
class Guesses:
    """Networks from which somebody logged in have a queue of their own: others neither lock nor hold them up."""

    each: RateLimiter = field(default_factory=lambda: RateLimiter(rate=0.2, burst=5))
    strangers: RateLimiter = field(default_factory=lambda: RateLimiter(rate=2, burst=60))
    pace: float = 0.5
    _known: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _queue_of_known: PasswordQueue = field(default_factory=lambda: PasswordQueue(most=20))
    _queue_of_strangers: PasswordQueue = field(default_factory=lambda: PasswordQueue(most=10))

    async def check(self, address: str, is_right: Callable[[], bool]) -> bool:
        """Is the password right? Raises TooManyGuesses. When strangers guess much, they are slowed, not shut out."""
        network = network_of(address)
        if not self.each.lets_through(network):
            raise TooManyGuesses
        if network in self._known:
            right = await self._queue_of_known.check(is_right, 0)
        else:
            calm = self.strangers.lets_through("")
            right = await self._queue_of_strangers.check(is_right, 0 if calm else self.pace)
        if right:
            self._known[network] = None
            self._known.move_to_end(network)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return right

"""Guesses of passwords: who is slowed down, and who is not."""

import asyncio
from time import monotonic

from heygem_pipeline.studio.access import RateLimiter
from heygem_pipeline.studio.password_guesses import Guesses, TooManyGuesses
from heygem_pipeline.web.guard import network_of


async def outcome(guesses: Guesses, address: str, right: bool) -> str:
    try:
        return "in" if await guesses.check(address, lambda: right) else "wrong"
    except TooManyGuesses:
        return "braked"


def under_attack() -> Guesses:
    """More was guessed from everywhere than strangers may at once."""
    return Guesses(strangers=RateLimiter(rate=0.001, burst=0), pace=0.05)


def test_one_network_guesses_five_times_at_once_and_an_ipv6_network_is_one() -> None:
    async def told(addresses: list[str]) -> list[str]:
        guesses = Guesses()
        return [await outcome(guesses, address, False) for address in addresses]

    for addresses in (["192.0.2.7"] * 7, ["::ffff:192.0.2.7", "192.0.2.7"] * 4, [f"2001:db8::{n:x}" for n in range(7)]):
        assert asyncio.run(told(addresses))[:7] == ["wrong"] * 5 + ["braked"] * 2
    assert network_of("2001:db8:0:1::5") != network_of("2001:db8:0:2::5")


def test_guesses_from_elsewhere_do_not_lock_the_owner_out() -> None:
    async def told() -> tuple[list[str], str]:
        guesses = under_attack()
        elsewhere = [await outcome(guesses, f"198.51.100.{n}", False) for n in range(10)]
        return elsewhere, await outcome(guesses, "192.0.2.7", True)

    assert asyncio.run(told()) == (["wrong"] * 10, "in")


def test_many_addresses_are_slowed_together_and_do_not_queue() -> None:
    async def told() -> tuple[list[str], float]:
        guesses = under_attack()
        started = monotonic()
        outcomes = await asyncio.gather(*(outcome(guesses, f"198.51.100.{n}", False) for n in range(200)))
        return list(outcomes), monotonic() - started

    outcomes, seconds = asyncio.run(told())
    assert outcomes.count("wrong") == 10 and outcomes.count("braked") == 190
    assert seconds > 10 * 0.05, "a pause after each"


def test_who_logged_in_from_a_network_does_not_wait_for_strangers() -> None:
    async def told() -> bool:
        guesses = under_attack()
        assert await outcome(guesses, "192.0.2.7", True) == "in"
        attack = [asyncio.create_task(outcome(guesses, f"198.51.100.{n}", False)) for n in range(200)]
        await asyncio.sleep(0.01)
        assert await outcome(guesses, "192.0.2.7", True) == "in"
        waiting = not all(guess.done() for guess in attack)
        await asyncio.gather(*attack)
        return waiting

    assert asyncio.run(told())

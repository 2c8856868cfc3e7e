"""How often anybody may ask."""

from dataclasses import dataclass, field
from time import monotonic

MOST_KNOWN = 10_000
"""Addresses remembered; when there are more, those that have been quiet are forgotten."""


@dataclass
class Brake:
    """Lets ``burst`` requests of one address through at once, then ``rate`` a second."""

    rate: float
    burst: float
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def lets_through(self, address: str) -> bool:
        """Count a request; is it one too many?"""
        now = monotonic()
        if len(self._left) > MOST_KNOWN:
            self._left = {who: seen for who, seen in self._left.items() if self._refilled(seen, now) < self.burst}
        left = self._refilled(self._left.get(address, (self.burst, now)), now)
        self._left[address] = (left - 1 if left >= 1 else left, now)
        return left >= 1

    def _refilled(self, seen: tuple[float, float], now: float) -> float:
        left, at = seen
        return min(self.burst, left + (now - at) * self.rate)

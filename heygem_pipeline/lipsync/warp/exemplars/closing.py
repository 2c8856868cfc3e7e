"""How far a presenter's own closed lips take another mouth's place: nothing switches, and nothing stays between."""

from collections import deque
from collections.abc import Iterator
from itertools import chain, repeat

from heygem_pipeline.easing import smoothstep
from heygem_pipeline.lipsync.warp.exemplars.retrieval import FADING_GAP, OPEN_GAP, Match

CLOSING_GAP, PARTING_GAP = 0.025, 0.035
"""IOD: lips close where less is asked for than the first, and part again where more than the second."""

FADE_SECONDS = 0.08
"""Time that lips take to close and to open: 60 to 100 ms."""


def closing_shares(matches: Iterator[Match | None], frame_rate: float) -> Iterator[tuple[Match | None, float]]:
    """Yield every output frame's closed lips with their share, 0..1, looking FADE_SECONDS ahead."""
    ahead = max(1, round(FADE_SECONDS * frame_rate))
    coming: deque[Match | None] = deque()
    closed: deque[int] = deque()
    shut, newest = False, -1
    for match in chain(matches, repeat(None, ahead)):
        newest += 1
        coming.append(match)
        shut = match is not None and match.near and match.wanted.gap < (PARTING_GAP if shut else CLOSING_GAP)
        if shut:
            closed.append(newest)
        current = newest - ahead
        while closed and closed[0] < current - ahead:
            closed.popleft()
        if current >= 0:
            shown = coming.popleft()
            distance = min((abs(frame - current) for frame in closed), default=ahead)
            yield shown, _share(shown, 1 - distance / ahead) if distance < ahead else 0.0


def _share(match: Match | None, nearness: float) -> float:
    if match is None or not match.near:
        return 0.0
    return nearness if nearness == 1 else nearness * (1 - smoothstep(FADING_GAP, OPEN_GAP, match.wanted.gap))

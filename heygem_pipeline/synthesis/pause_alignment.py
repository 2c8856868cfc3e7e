"""When each sentence of a text is said in a recording, told by the pauses between them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.synthesis.transcript import SpokenSentence

SHORTEST_PAUSE = 0.15
"""Seconds without speech that may part two sentences."""

PAUSES_LOOKED_AT = 40
"""Before and behind where a sentence should end by its share of the text."""


def aligned(paragraphs: Sequence[Sequence[str]], speaks: NDArray[np.bool_], rate: float) -> tuple[SpokenSentence, ...]:
    """Return the sentences with their times. speaks: is there speech, for each row; rate: rows a second.

    A sentence lasts as long as its share of the letters, and ends in a pause: the longer and the nearer, the better.
    Where there are too few pauses, it ends where its share does.
    """
    sentences = [(text, number) for number, paragraph in enumerate(paragraphs) for text in paragraph]
    spoken = np.flatnonzero(speaks)
    if not len(spoken) or not sentences:
        return ()
    first, last = int(spoken[0]), int(spoken[-1]) + 1
    pauses = _pauses(speaks, first, last, round(SHORTEST_PAUSE * rate))
    weights = np.array([max(1, len(text)) for text, _ in sentences], float)
    ends = np.cumsum(weights / weights.sum())[:-1]
    times = _boundaries(ends, weights / weights.sum(), np.cumsum(speaks[first:last], dtype=np.int64), pauses, first)
    begins = [first, *(end for _, end in times)]
    stops = [*(begin for begin, _ in times), last]
    return tuple(
        SpokenSentence(text, round(begin / rate, 3), round(stop / rate, 3), number)
        for (text, number), begin, stop in zip(sentences, begins, stops, strict=True)
    )


def _pauses(speaks: NDArray[np.bool_], first: int, last: int, shortest: int) -> list[tuple[int, int]]:
    """(first row, row after the last) of each pause within the speech."""
    edges = np.flatnonzero(np.diff(speaks[first:last].astype(np.int8))) + first + 1
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=False) if b - a >= shortest]


def _boundaries(
    ends: NDArray[np.float64],
    shares: NDArray[np.float64],
    spoken: NDArray[np.int64],
    pauses: list[tuple[int, int]],
    first: int,
) -> list[tuple[int, int]]:
    """Where each sentence but the last ends, and the next begins: the cheapest choice of pauses, in order."""
    total = int(spoken[-1])
    if not len(ends):
        return []
    if len(pauses) < len(ends):
        return [(row, row) for row in (first + int(np.searchsorted(spoken, end * total)) for end in ends)]
    place = np.array([spoken[begin - first] / total for begin, _ in pauses])
    longest = max(end - begin for begin, end in pauses)
    length = np.array([(end - begin) / longest for begin, end in pauses])
    cost = np.full(len(pauses), np.inf)
    came: list[NDArray[np.int64]] = []
    for number, end in enumerate(ends):
        tolerance = 0.5 * (shares[number] + shares[number + 1])
        # As a sentence parts the text worse the farther its end is, so does a short pause.
        here = ((place - end) / tolerance) ** 2 + (1 - length)
        near = np.argsort(np.abs(place - end))[: 2 * PAUSES_LOOKED_AT]
        allowed = np.full(len(pauses), np.inf)
        allowed[near] = here[near]
        if number == 0:
            best = np.where(np.arange(len(pauses)) <= len(pauses) - len(ends), allowed, np.inf)
            came.append(np.full(len(pauses), -1))
        else:
            before = np.minimum.accumulate(np.concatenate([[np.inf], cost[:-1]]))
            which = np.zeros(len(pauses), np.int64)
            lowest, at = np.inf, -1
            for index in range(1, len(pauses)):
                if cost[index - 1] < lowest:
                    lowest, at = float(cost[index - 1]), index - 1
                which[index] = at
            best = allowed + before
            came.append(which)
        cost = best
    if not np.isfinite(cost).any():
        return [(row, row) for row in (first + int(np.searchsorted(spoken, end * total)) for end in ends)]
    at, found = int(np.argmin(cost)), []
    for which in reversed(came):
        found.append(pauses[at])
        at = int(which[at])
    return found[::-1]

"""Which of a presenter's own mouths is shown in each output frame: near the shape asked for, and seldom jumping."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep
from heygem_pipeline.lipsync.warp.contours import MouthContours, shape_descriptor
from heygem_pipeline.lipsync.warp.exemplars.collection import ExemplarSet

GAP_WEIGHT, LESS_OPEN_FACTOR = 2.0, 2.2
"""Weight of the opening's difference, and how much worse a mouth is that is less open than asked."""

SEEN_WEIGHT, SEEN_TOLERANCE = 40.0, 0.02
"""Weight of what a mouth is seen to be open beyond what is asked, and how much more is allowed, IOD: lips that shall
touch must not bare teeth."""

HOLLOW_WEIGHT, HOLLOW_TOLERANCE = 20.0, 0.04
"""The same of what a mouth is seen to be less open than asked: lips that touch hold nothing that could be shown."""

TOUCHING_SEEN_GAP = 0.015
"""IOD: lips nearer than this are seen to touch."""

POSE_WEIGHT = 1.5
"""Square IOD for a square radian of yaw and pitch."""

BLUR_WEIGHT = 0.02
"""Square IOD for a mouth half as sharp as the presenter's usual one."""

FILM_WEIGHT, CLEAR_QUANTILE = 0.04, 0.7
"""Square IOD for an opening half as clear as the presenter's clear ones, and which quantile those are: teeth and dark
that run into each other are a film."""

UNREST_WEIGHT, USUAL_UNREST, MOST_UNREST = 0.012, 1.0, 1.5
"""Square IOD for lips that move at that speed (IOD a second), and up to how many times as much: between two mouths they
are neither, and held they look like none."""

UNUSUAL_WEIGHT = 1.0
"""How much worse closed lips are that are pursed or pressed as this presenter's seldom are, for a square IOD."""

SOOT_WEIGHT, USUAL_SOOT = 0.2, 0.4
"""Square IOD for closed lips whose line is all dark, beyond that quantile of the presenter's closed lips."""

NOD_SHARE = 0.5
"""How much of a nod's difference counts where lips close: a dropped jaw is read as part of a nod."""

AGE_WEIGHT, AGE_SECONDS = 0.03, 3.0
"""Square IOD for closed lips from that long before or after: the light on the chin changes with the head."""

JUMP_COST = 0.030
"""Square IOD for cutting to any other mouth, at 25 frames a second: some 7 cuts in 60 frames of speech."""

STEP_COST = {1: 0.0, 0: 0.004, 2: 0.004, -1: 0.004}
"""The same for playing on, holding, skipping one, stepping back."""

BLOCK_SECONDS, LOOKAHEAD_SECONDS = 4.0, 1.0
"""A block is settled once the frames this far beyond it are known."""

SHOWN_DISTANCE, DROPPED_DISTANCE = 0.12, 0.20
"""Square IOD up to which mouths begin to be shown, and beyond which they cease to be: a mouth that is half the
presenter's and half drawn is no mouth."""

CLOSED_DISTANCE = 0.25
"""The same for lips that shall close: any of the presenter's own that touch are better than bent open ones, up to about
20 degrees of pose away."""

FADING_GAP, OPEN_GAP = 0.045, 0.10
"""IOD: frames asked to be so far apart show less of closed lips, and none from the second on: a mouth opened wide from
closed lips would be a ghost over the other."""

UNSEEN_WEIGHT = 1e-3
"""How much a frame that shows none of them has to say in the choice of the lips that close: it would choose those least
closed, which are not shown in the frame that closes either."""

OTHER_SHOT_COST = 0.04
"""Square IOD for a mouth from another shot, which is seen in another light."""

CROSSFADE_SECONDS = 0.08
"""Time over which a mouth fades into the next after a jump: 2 frames at 25 a second."""

CROSSFADE_DISTANCE = 0.02
"""Square IOD between the signatures of mouths that may fade into each other: closed lips over open teeth are a ghost,
while a cut between two mouths that are bent to the same lines is hardly seen."""


@dataclass(frozen=True)
class Query:
    """One output frame's wish.

    Attributes:
        contours: the mouth's lines, as landmarks would tell them.
        gap: its true opening, IOD.
        pose: (2,), yaw and pitch of the frame below, radians.
        shot: the shot it belongs to.
        frame: its place in the presenter.
    """

    contours: MouthContours
    gap: float
    pose: NDArray[np.float64]
    shot: int = 0
    frame: int = 0


@dataclass(frozen=True)
class Match:
    """The mouth for one output frame.

    Attributes:
        mouth: its place among the presenter's mouths.
        before: the mouth it replaces, -1 where none.
        fade: how much of that is still shown, 0 except after a jump.
        near: whether it is like enough to be shown at all.
        wanted: as asked.
    """

    mouth: int
    before: int
    fade: float
    near: bool
    wanted: Query


Costs = Callable[[int], NDArray[np.float64] | None]
"""Of an output frame: how unlike what is wanted every mouth is, (mouths,), None where nothing is wanted."""


def mouth_costs(wanted: Callable[[int], Query | None], own: ExemplarSet, frame_rate: float) -> Costs:
    """Return what tells the costs for ``wanted``."""
    search = _ExemplarSearch(own, frame_rate)

    def costs(output_frame: int) -> NDArray[np.float64] | None:
        asked = wanted(output_frame)
        return None if asked is None else search.costs(asked)

    return costs


def retrieve(
    wanted: Callable[[int], Query | None],
    count: int,
    own: ExemplarSet,
    frame_rate: float,
    excluded: Callable[[int], NDArray[np.bool_]] | None = None,
    closed_only: bool = False,
    costs_of: Costs | None = None,
) -> Iterator[Match | None]:
    """Yield what to show in each of ``count`` output frames, None where nothing is wanted (no face).

    Shortest path through the mouths (Viterbi), block by block: memory does not grow with the clip's length.

    Args:
        wanted: asked for every output frame once, a few seconds ahead.
        excluded: (mouths,), those that may not be shown.
        closed_only: look among those whose lips touch, for where they shall.
        costs_of: what ``mouth_costs`` returned, where several searches share it.
    """
    search = _ExemplarSearch(own, frame_rate)
    block, ahead = round(BLOCK_SECONDS * frame_rate), round(LOOKAHEAD_SECONDS * frame_rate)
    fading = max(1, round(CROSSFADE_SECONDS * frame_rate))
    wishes: list[Query | None] = []
    costs: list[NDArray[np.float64] | None] = []
    counted: list[NDArray[np.float64] | None] = []
    done, shown, before, since = 0, -1, -1, 0
    near, shot = False, 0
    while done < count:
        while len(costs) < block + ahead and done + len(costs) < count:
            position = done + len(costs)
            asked = wanted(position)
            cost = None
            if asked is not None:
                cost = costs_of(position) if costs_of is not None else search.costs(asked)
            if cost is not None and excluded is not None:
                cost = np.where(excluded(position), np.inf, cost)
            if cost is not None and asked is not None and closed_only:
                touching = own.closed & ~search.stay_open(asked)
                cost = np.where(touching if touching.any() else own.closed, search.closing_costs(asked, cost), np.inf)
            costs.append(cost)
            seen = 1 - smoothstep(FADING_GAP, OPEN_GAP, asked.gap) if closed_only and asked is not None else 1.0
            counted.append(None if cost is None else cost * max(seen, UNSEEN_WEIGHT))
            wishes.append(asked)
        path = search.path(counted, shown)
        settled = len(costs) if done + len(costs) == count else block
        for asked, cost, mouth in zip(wishes[:settled], costs[:settled], path[:settled], strict=True):
            if asked is None or cost is None or not np.isfinite(cost[mouth]):
                shown = -1
                yield None
                continue
            if shown < 0 or asked.shot != shot:
                before, shot = -1, asked.shot
            elif not search.plays_on(shown, mouth):
                before, since = (shown, 0) if search.alike(shown, mouth) else (-1, 0)
            since += 1
            near = bool(
                cost[mouth] < (CLOSED_DISTANCE if closed_only else DROPPED_DISTANCE if near else SHOWN_DISTANCE)
            )
            fade = max(0.0, 1 - since / (fading + 1)) if before >= 0 else 0.0
            shown = mouth
            yield Match(mouth, before, fade, near and not search.stay_open(asked)[mouth], asked)
        del costs[:settled], counted[:settled], wishes[:settled]
        done += settled


class _ExemplarSearch:
    def __init__(self, own: ExemplarSet, frame_rate: float) -> None:
        self._own, self._rate = own, frame_rate
        self._gaps = np.array([mouth.contours.gap for mouth in own.mouths])
        self._seen_gaps = np.array([mouth.seen_gap for mouth in own.mouths])
        sharpness = np.array([mouth.sharpness for mouth in own.mouths])
        dull = np.log2(np.median(sharpness) / np.maximum(sharpness, 1e-3))
        self._blur = BLUR_WEIGHT * np.clip(dull, 0, 2)
        clearness = np.array([mouth.clearness for mouth in own.mouths])
        if (clearness > 0).any():
            usual = float(np.quantile(clearness[clearness > 0], CLEAR_QUANTILE))
            film = np.where(clearness > 0, np.log2(usual / np.maximum(clearness, 1e-3)), 0)
            self._blur += FILM_WEIGHT * np.clip(film, 0, 2)
        self._unusual = UNREST_WEIGHT * np.minimum(own.unrest / USUAL_UNREST, MOST_UNREST) ** 2
        self._blur += self._unusual
        if own.closed.any():
            soot = np.array([mouth.soot for mouth in own.mouths])
            usual = np.median(own.signatures[own.closed], axis=0)
            darker = np.maximum(soot - np.quantile(soot[own.closed], USUAL_SOOT), 0)
            self._unusual = self._unusual + SOOT_WEIGHT * darker
            self._unusual += UNUSUAL_WEIGHT * ((own.signatures - usual) ** 2).sum(axis=1)
        self._jump = JUMP_COST * frame_rate / 25
        self._runs = np.cumsum(~own.follows)

    def costs(self, wanted: Query) -> NDArray[np.float64]:
        """How unlike every mouth is, (mouths,)."""
        away = ((self._own.signatures - shape_descriptor(wanted.contours)) ** 2).sum(axis=1)
        gap = self._gaps - wanted.contours.gap
        away += GAP_WEIGHT * gap**2 * np.where(gap < 0, LESS_OPEN_FACTOR, 1.0)
        away += SEEN_WEIGHT * np.maximum(self._seen_gaps - wanted.gap - SEEN_TOLERANCE, 0) ** 2
        away += HOLLOW_WEIGHT * np.maximum(wanted.gap - self._seen_gaps - HOLLOW_TOLERANCE, 0) ** 2
        away += POSE_WEIGHT * ((self._own.poses - wanted.pose) ** 2).sum(axis=1)
        away += OTHER_SHOT_COST * (self._own.shots != wanted.shot)
        return away + self._blur

    def closing_costs(self, wanted: Query, costs: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same for lips that close: best are those that this presenter usually closes with, from about then."""
        nodded = POSE_WEIGHT * (self._own.poses[:, 1] - wanted.pose[1]) ** 2
        away = np.abs(self._own.frames - wanted.frame) / (AGE_SECONDS * self._rate)
        return costs + self._unusual - (1 - NOD_SHARE) * nodded + AGE_WEIGHT * np.minimum(away, 1)

    def plays_on(self, before: int, after: int) -> bool:
        """Whether one mouth follows another as in the presenter, held, or a frame skipped or stepped back."""
        return bool(self._runs[before] == self._runs[after]) and after - before in STEP_COST

    def stay_open(self, wanted: Query) -> NDArray[np.bool_]:
        """Whether the lips shall touch and those of a mouth do not, (mouths,): what nobody may miss in m, b and p."""
        apart = np.maximum(self._seen_gaps, self._gaps - wanted.contours.gap)
        return (apart > TOUCHING_SEEN_GAP) & (wanted.gap < TOUCHING_SEEN_GAP)

    def alike(self, before: int, after: int) -> bool:
        """Whether a fade from one mouth to the other shows one mouth all the time."""
        signatures = self._own.signatures
        return float(((signatures[before] - signatures[after]) ** 2).sum()) < CROSSFADE_DISTANCE

    def path(self, costs: list[NDArray[np.float64] | None], start: int) -> list[int]:
        """The cheapest mouth for every frame.

        Args:
            start: the one shown before, or -1.
        """
        count = len(self._gaps)
        total = np.zeros(count)
        if start >= 0:
            total[:] = self._jump
            for step, price in STEP_COST.items():
                if 0 <= start + step < count and self.plays_on(start, start + step):
                    total[start + step] = min(total[start + step], price)
        back: list[NDArray[np.int64]] = []
        own = np.arange(count)
        fresh = True
        for cost in costs:
            if cost is None:
                back.append(own)
                total = np.full(count, total.min())
                fresh = True
                continue
            if fresh:
                source = own
                fresh = False
            else:
                source = np.full(count, int(total.argmin()))
                total, previous = np.full(count, total.min() + self._jump), total
                for step, price in STEP_COST.items():
                    reached = own[max(0, step) : count + min(0, step)]
                    left = reached - step
                    stepped = np.where(self._runs[left] == self._runs[reached], previous[left] + price, np.inf)
                    better = stepped < total[reached]
                    total[reached[better]] = stepped[better]
                    source[reached[better]] = left[better]
            total = total + cost
            back.append(source)
        path = [int(total.argmin())]
        for source in back[:0:-1]:
            path.append(int(source[path[-1]]))
        return path[::-1]

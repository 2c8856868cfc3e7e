"""How loud sound is (ITU-R BS.1770, which EBU R 128 measures by), and a gain that brings it to a target.

Peaks that the gain would push beyond full scale are turned down, each for some milliseconds; nothing else is changed.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import inf, log10

import av
import av.filter
import numpy as np
from av.error import BlockingIOError, EOFError
from numpy.typing import NDArray

RATE = 48_000
"""Samples a second of all sound here: the filters are those of the standard at this rate."""

_SHELF_AND_HIGH_PASS = np.array(
    [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
)

STEP = RATE // 10
STEPS_OF_A_BLOCK = 4
"""Blocks of 400 ms, one every 100 ms."""

LOWEST, BELOW_THE_REST = -70.0, 10.0
"""LUFS below which a block counts for nothing, and by how much a block that counts may be quieter than the others."""

HIGHEST_PEAK = -1.0
"""dB below full scale that no peak goes beyond, between the samples too (EBU R 128)."""

LARGEST_GAIN = 40.0
"""dB. What is quieter still is noise."""

OVERSAMPLED = 4

AHEAD = RATE * 5 // 1000
"""Samples by which a peak is turned down before it comes."""

EDGE = 16
"""Samples beside a cut of which nobody can tell what lies between them."""

WORKED_ON = RATE // 2
"""Samples at a time."""

CLOSE_ENOUGH = 0.1
PASSES = 4
"""A gain under which peaks are turned down is found in so many tries, or when it is this near to the target (LU)."""

Pieces = Iterable[NDArray[np.float32]]


@dataclass(frozen=True)
class Loudness:
    """integrated: LUFS; None where it is silent, or shorter than a block. peak: dB of full scale."""

    integrated: float | None
    peak: float


class LoudnessMeter:
    """Measures sound that goes by, float32 (n, channels) at RATE."""

    def __init__(self, with_peak: bool = False) -> None:
        self._with_peak = with_peak
        self._weighting: _Weighting | None = None
        self._rest = np.zeros(0)
        self._steps: list[NDArray[np.float64]] = []
        self._peak = 0.0
        self._before: NDArray[np.float32] | None = None
        self._waiting: list[NDArray[np.float32]] = []

    def watch(self, pieces: Pieces) -> Iterator[NDArray[np.float32]]:
        """Pass the pieces on."""
        for piece in pieces:
            self.add(piece)
            yield piece

    def add(self, piece: NDArray[np.float32]) -> None:
        """Count one more."""
        self._waiting.append(piece)
        if sum(map(len, self._waiting)) >= WORKED_ON:
            self._count()

    def _count(self) -> None:
        if not sum(map(len, self._waiting)):
            return
        piece, self._waiting = np.concatenate(self._waiting), []
        if self._weighting is None:
            self._weighting = _Weighting(piece.shape[1])
        heard = self._weighting(piece)
        powers = np.concatenate([self._rest, np.sum(np.square(heard), axis=1)])
        whole = len(powers) // STEP * STEP
        self._steps.append(powers[:whole].reshape(-1, STEP).mean(axis=1))
        self._rest = powers[whole:]
        if self._with_peak:
            before = np.zeros((2 * EDGE, piece.shape[1]), np.float32) if self._before is None else self._before
            together = np.concatenate([before, piece])
            self._peak = max(self._peak, float(_peaks(together)[EDGE:-EDGE].max()))
            self._before = together[-2 * EDGE :]

    @property
    def reading(self) -> Loudness:
        """What was measured until now."""
        self._count()
        steps = np.concatenate([np.zeros(0), *self._steps])
        peak = 20 * log10(self._peak) if self._peak > 0 else -inf
        if len(steps) < STEPS_OF_A_BLOCK:
            return Loudness(None, peak)
        blocks = np.convolve(steps, np.full(STEPS_OF_A_BLOCK, 1 / STEPS_OF_A_BLOCK), "valid")
        heard = blocks[blocks > _power(LOWEST)]
        if not len(heard):
            return Loudness(None, peak)
        loud = heard[heard > heard.mean() * 10 ** (-BELOW_THE_REST / 10)]
        return Loudness(_level(float(loud.mean())), peak)


class _Weighting:
    """The standard's filters, run by ffmpeg: every clip is measured, and scipy's import would take half a second."""

    def __init__(self, channels: int) -> None:
        self._layout = "mono" if channels == 1 else "stereo"
        self._graph = av.filter.Graph()
        place = self._graph.add_abuffer(
            sample_rate=RATE, format="dblp", layout=self._layout, time_base=Fraction(1, RATE)
        )
        for section in _SHELF_AND_HIGH_PASS:
            names = ("b0", "b1", "b2", "a0", "a1", "a2")
            values = ":".join(f"{name}={float(value)!r}" for name, value in zip(names, section, strict=True))
            following = self._graph.add("biquad", values)
            place.link_to(following)
            place = following
        place.link_to(self._graph.add("abuffersink"))
        self._graph.configure()
        self._samples = 0

    def __call__(self, piece: NDArray[np.float32]) -> NDArray[np.float64]:
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(piece.T, np.float64), format="dblp", layout=self._layout
        )
        frame.sample_rate, frame.pts = RATE, self._samples
        self._samples += len(piece)
        self._graph.push(frame)
        filtered = []
        while True:
            try:
                filtered.append(self._graph.pull().to_ndarray())
            except (BlockingIOError, EOFError):
                return np.concatenate(filtered, axis=1).T


def gain_towards(target: float, sound: Callable[[], Pieces]) -> float | None:
    """The gain in dB for ``amplified`` that brings sound to a target in LUFS; None where it cannot be measured.

    Args:
        sound: gives it from its beginning, as often as asked.
    """
    measured = _measured(sound(), with_peak=True)
    if measured.integrated is None:
        return None
    gain = min(LARGEST_GAIN, target - measured.integrated)
    if measured.peak + gain <= HIGHEST_PEAK:
        return gain
    for _ in range(PASSES):
        reached = _measured(amplified(sound(), gain)).integrated
        if reached is None or abs(target - reached) < CLOSE_ENOUGH:
            break
        gain = min(LARGEST_GAIN, gain + target - reached)
    return gain


def _measured(sound: Pieces, with_peak: bool = False) -> Loudness:
    meter = LoudnessMeter(with_peak)
    for piece in sound:
        meter.add(piece)
    return meter.reading


def amplified(pieces: Pieces, gain: float) -> Iterator[NDArray[np.float32]]:
    """Yield the sound by ``gain`` dB louder, sample for sample, with the peaks turned down that would be too high."""
    factor = np.float32(10 ** (gain / 20))
    # Each sample is turned down by the mean of the lowest factors around it, of a window before and one behind.
    margin = 2 * (AHEAD + EDGE)
    held: NDArray[np.float32] | None = None
    for piece in pieces:
        louder = piece * factor
        if held is None:
            held = np.zeros((margin, louder.shape[1]), np.float32)
        held = np.concatenate([held, louder])
        ready = len(held) - 2 * margin
        if ready >= WORKED_ON:
            yield _turned_down(held)[margin : margin + ready]
            held = held[ready:]
    if held is not None and len(held) > margin:
        silence = np.zeros((margin, held.shape[1]), np.float32)
        yield _turned_down(np.concatenate([held, silence]))[margin:-margin]


def _turned_down(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    peaks = _peaks(samples)
    highest = 10 ** (HIGHEST_PEAK / 20)
    if peaks.max() <= highest:
        return samples
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    factors = np.minimum(1.0, highest / np.maximum(peaks, highest))
    lowest = minimum_filter1d(factors, 2 * AHEAD + 1, mode="nearest")
    return samples * uniform_filter1d(lowest, 2 * AHEAD + 1, mode="nearest")[:, None].astype(np.float32)


def _peaks(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """The highest of all channels at each sample and between it and the next."""
    from scipy.signal import resample_poly

    between = np.abs(resample_poly(samples, OVERSAMPLED, 1, axis=0)).max(axis=1)
    own = np.abs(samples).max(axis=1)
    return np.maximum(between.reshape(-1, OVERSAMPLED).max(axis=1), own).astype(np.float64)


def _power(level: float) -> float:
    return 10 ** ((level + 0.691) / 10)


def _level(power: float) -> float:
    return 10 * log10(power) - 0.691

"""What the network hears for each output frame: 200 ms around the moment at which the frame is shown."""

from collections.abc import Iterator
from fractions import Fraction
from math import floor
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.features import FEATURE_RATE as ENVELOPE_RATE

FEATURE_RATE = 50
"""Rows a second; row k begins at k/50 s."""
WINDOW_ROWS = 10
"""200 ms."""

Features = NDArray[np.float32]
"""(rows, layers, 384)."""


class Listener(Protocol):
    """What hears a voice."""

    def pieces(self, samples: NDArray[np.float32]) -> Iterator[Features]:
        """Yield its features, piece by piece."""
        ...

    @property
    def silence(self) -> Features:
        """One window of silence, (10, layers, 384)."""
        ...


def first_row(output_frame: int, frame_rate: Fraction, lead: Fraction = Fraction(0)) -> int:
    """The row at which the window centred on the middle of a frame begins; exact for any rate, however long the clip.

    lead: seconds by which the window lies earlier.
    """
    middle = (output_frame + Fraction(1, 2)) / frame_rate - lead
    return floor(middle * FEATURE_RATE + Fraction(1, 2)) - WINDOW_ROWS // 2


class SoundWindows:
    """A voice, cut into the network's windows, which are asked for in the order of the frames.

    Where nobody speaks, breath and noise would move the lips, and Whisper says something else of silence in every place
    of its window: there the features fade to one fixed window of silence, so that the mouth keeps still. The same
    lies before and after the voice; the reference has zeros there, which mean nothing to the network.
    """

    def __init__(
        self,
        samples: NDArray[np.float32],
        envelope: NDArray[np.floating],
        frame_rate: Fraction,
        lead: Fraction,
        hearing: Listener,
    ) -> None:
        """Cut a voice.

        Args:
            samples: float32 (n,), mono at 16 kHz.
            envelope: 80 a second, 1 while somebody speaks, 0 in silence.
            lead: as of ``first_row``.
        """
        self._rate, self._lead, self._envelope = frame_rate, lead, envelope
        self._pieces, self._silence = hearing.pieces(samples), hearing.silence
        self._held, self._from, self._ended = self._silence[:0], 0, False

    def window(self, output_frame: int) -> NDArray[np.float32]:
        """Float32 (50, 384), a token a layer of each row: first the rows, then within them the layers."""
        first = first_row(output_frame, self._rate, self._lead)
        window = self._silence.copy()
        spoken = self._spoken(first)
        if spoken.any():
            self._hear_until(first + WINDOW_ROWS)
            inside = slice(max(first, self._from) - first, max(0, self._from + len(self._held) - first))
            rows = self._held[max(first - self._from, 0) : first - self._from + WINDOW_ROWS]
            if len(rows):
                share = spoken[inside, None, None]
                window[inside] += share * (rows - window[inside])
        return window.reshape(-1, window.shape[-1])

    def _spoken(self, first: int) -> NDArray[np.float32]:
        """How much of each row of a window is speech, 0..1."""
        moments = (np.arange(first, first + WINDOW_ROWS) + 0.5) * (ENVELOPE_RATE / FEATURE_RATE)
        return np.interp(moments, np.arange(len(self._envelope)), self._envelope, left=0, right=0).astype(np.float32)

    def _hear_until(self, end: int) -> None:
        """Hold the rows before ``end``, and of the earlier ones no more than a window."""
        while not self._ended and self._from + len(self._held) < end:
            piece = next(self._pieces, None)
            if piece is None:
                self._ended = True
            else:
                kept = self._held[-WINDOW_ROWS:]
                self._from += len(self._held) - len(kept)
                self._held = np.concatenate([kept, piece])

"""What the network hears for each output frame: 200 ms of mel, and silence where nobody speaks."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.features import FEATURE_RATE, SpeechFeatures
from heygem_pipeline.speech.mel import LARGEST
from heygem_pipeline.speech.mouth_motion import speech_envelope

WINDOW_COLUMNS = 16
"""Columns of mel for one frame, 1/80 s each."""


class MelWindows:
    """A voice, cut into the network's windows.

    ``SpeechFeatures.log_mel`` is the mel that the public weights learnt from, of a voice brought to -23 dBFS; its first
    and last two columns differ a little, for it takes what lies outside for silence and the reference for a reflection.
    Where nobody speaks, breath and noise would move the lips: there the mel fades to silence, to which the network
    answers with a shut mouth.

    Attributes:
        envelope: 1 while somebody speaks, 0 in silence, as ``speech_envelope`` returns it.
    """

    def __init__(self, speech: SpeechFeatures, frame_rate: Fraction, lead: Fraction) -> None:
        """Cut a voice.

        Args:
            lead: seconds by which a window begins before its frame is shown.
        """
        self.envelope = speech_envelope(speech)
        heard = (self.envelope[:, None] * (speech.log_mel + LARGEST) - LARGEST).astype(np.float32)
        silence = np.full((WINDOW_COLUMNS, heard.shape[1]), -LARGEST, np.float32)
        self._columns: NDArray[np.float32] = np.concatenate([silence, heard, silence])
        self._a_frame, self._lead = FEATURE_RATE / frame_rate, FEATURE_RATE * lead

    def window(self, output_frame: int) -> NDArray[np.float32]:
        """Float32 (16, 80), -4..4, a row a column of sound; beyond either end of the voice there is silence."""
        first = WINDOW_COLUMNS + int((output_frame * self._a_frame - self._lead) // 1)
        first = min(max(first, 0), len(self._columns) - WINDOW_COLUMNS)
        return self._columns[first : first + WINDOW_COLUMNS]

"""What the network hears: the states of all of Whisper's layers, 50 rows a second, of a voice of any length."""

# torch is an extra: the checker may not find it.
# pyright: reportMissingImports=false

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from numpy.typing import NDArray

from heygem_pipeline.lipsync.musetalk.sound_windows import FEATURE_RATE, WINDOW_ROWS, Features

if TYPE_CHECKING:
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

SAMPLES_A_ROW = 16_000 // FEATURE_RATE

OVERLAP_SHARE = 15
"""Pieces of Whisper's length, 30 s, fade into each other over a 15th of it, 2 s: cut hard, the first words after a cut
have nothing before them, and the loudness that counts as silence jumps."""


class Hearing:
    """Whisper's encoder on a device, in float32: it costs little beside the other two."""

    def __init__(self, whisper: "WhisperEncoder", device: torch.device) -> None:
        from transformers import WhisperFeatureExtractor

        self._whisper, self._device = whisper.to(device), device  # pyright: ignore[reportArgumentType]
        self._rows = whisper.config.max_source_positions
        self._mel = WhisperFeatureExtractor(chunk_length=self._rows // FEATURE_RATE)
        self._silence: Features | None = None

    def pieces(self, samples: NDArray[np.float32]) -> Iterator[Features]:
        """Yield float32 (rows, 5, 384) piece by piece, n // 320 rows in all; only one piece is held.

        Args:
            samples: float32 (n,), mono at 16 kHz.
        """
        total = len(samples) // SAMPLES_A_ROW
        overlap = self._rows // OVERLAP_SHARE
        tail = np.empty((0, 0, 0), np.float32)
        for start in range(0, max(total - overlap, min(total, 1)), self._rows - overlap):
            heard = self._encode(samples[start * SAMPLES_A_ROW : (start + self._rows) * SAMPLES_A_ROW])[: total - start]
            if len(tail):
                share = ((np.arange(len(tail), dtype=np.float32) + 1) / (len(tail) + 1))[:, None, None]
                heard[: len(tail)] = tail + share * (heard[: len(tail)] - tail)
            is_last = start + self._rows >= total
            sure = len(heard) if is_last else self._rows - overlap
            tail = heard[sure:].copy()
            yield heard[:sure]

    @property
    def silence(self) -> Features:
        """Float32 (10, 5, 384): what is heard, in one window, in the middle of a piece of digital silence."""
        if self._silence is None:
            rows = self._encode(np.zeros(self._rows * SAMPLES_A_ROW, np.float32))
            first = (self._rows - WINDOW_ROWS) // 2
            self._silence = rows[first : first + WINDOW_ROWS]
        return self._silence

    def _encode(self, samples: NDArray[np.float32]) -> Features:
        """Float32 (rows, 5, 384) of one piece; what it lacks in length is silence, as Whisper learnt it."""
        mel = cast(torch.Tensor, self._mel(samples, sampling_rate=16_000, return_tensors="pt")["input_features"])
        with torch.inference_mode():
            states = self._whisper(mel.to(self._device), output_hidden_states=True).hidden_states
        return torch.stack(states, dim=2)[0].float().cpu().numpy()

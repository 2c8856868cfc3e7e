"""Voices for the tests: the demo's recordings, and features made by hand."""

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.demo.recordings import copy_recordings
from heygem_pipeline.media.sound import Sound, read_sound
from heygem_pipeline.speech.analysis import extract_features
from heygem_pipeline.speech.features import SpeechFeatures

WriteSound = Callable[[str, NDArray[np.floating]], Path]


@pytest.fixture(scope="session")
def english(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    """7.8 s of one speaker with a pause in the middle, 16 kHz."""
    return read_sound(copy_recordings(tmp_path_factory.mktemp("voices"))[0])


@pytest.fixture(scope="session")
def english_speech(english: Sound) -> SpeechFeatures:
    return extract_features(english)


@pytest.fixture
def write_sound(tmp_path: Path) -> WriteSound:
    """write_sound("a.wav", samples) writes float samples at 16 kHz as 16-bit WAV."""

    def write(name: str, samples: NDArray[np.floating]) -> Path:
        path = tmp_path / name
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16000)
            file.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
        return path

    return write

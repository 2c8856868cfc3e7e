"""Voices for the tests: the demo's recordings, and features made by hand."""

import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.demo.recordings import copy_recordings
from heygem_pipeline.media.sound import Sound, read_sound
from heygem_pipeline.speech.analysis import extract_features
from heygem_pipeline.speech.features import FEATURE_RATE, MEL_BANDS, MOVEMENTS, SpeechFeatures

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


def made_features(activity: NDArray[np.floating], level: NDArray[np.floating] | None = None) -> SpeechFeatures:
    """Features whose mel is fixed noise while somebody speaks and silence elsewhere; the movement is 0."""
    spoken = np.asarray(activity) > 0.5
    mel = np.random.default_rng(1).normal(-1, 1, (len(activity), MEL_BANDS)).clip(-4, 4)
    mel[~spoken] = -4
    if level is None:
        level = np.where(spoken, -20.0, -90.0)
    return SpeechFeatures(
        duration=Fraction(len(activity) - 1, FEATURE_RATE),
        log_mel=mel.astype(np.float32),
        level=np.asarray(level, np.float32),
        activity=np.asarray(activity, np.float32),
        movement=np.zeros((len(activity), len(MOVEMENTS)), np.float32),
    )

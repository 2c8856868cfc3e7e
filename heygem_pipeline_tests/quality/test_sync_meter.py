"""The meter reads offsets that were made, and says when it cannot tell."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.demo.recordings import copy_recordings
from heygem_pipeline.errors import NoFace
from heygem_pipeline.faces.tracking import track_faces
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.quality.sync_meter import (
    LEAST_MOTION,
    PIECE_SECONDS,
    PIECES,
    TRUSTED_CONFIDENCE,
    measure_sync,
    reading_of,
)
from heygem_pipeline.quality.sync_meter import _chosen_frames as chosen_frames
from heygem_pipeline.speech.analysis import analyse_speech
from heygem_pipeline.speech.features import FEATURE_RATE, SpeechFeatures
from heygem_pipeline_tests.media.conftest import run_ffmpeg


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_recordings(tmp_path_factory.mktemp("voices"))[0]


@pytest.fixture(scope="module")
def speech(voice: Path) -> SpeechFeatures:
    return analyse_speech(voice)


def mouth_of(speech: SpeechFeatures, times: np.ndarray, noise: float = 0.3) -> np.ndarray:
    """A gap, IOD, that follows the speech as well as tracked mouths do."""
    rows = np.arange(len(speech.level)) / FEATURE_RATE
    gap = np.interp(times, rows, speech.movement[:, 0])
    gap += np.convolve(np.random.default_rng(0).normal(0, noise, len(times)), np.ones(3), "same")
    return 0.1 + 0.04 * gap


@pytest.mark.parametrize("frame_rate", [25.0, 29.97, 60.0])
@pytest.mark.parametrize("late", [-9, -3, 0, 4, 7.5])
@pytest.mark.parametrize("step", [1, 2])
def test_an_offset_is_read_in_frames_of_the_clip(
    speech: SpeechFeatures, frame_rate: float, late: float, step: int
) -> None:
    times = np.arange(0, int(7.5 * frame_rate), step) / frame_rate
    reading = reading_of(mouth_of(speech, times + late / frame_rate), times, speech, frame_rate)
    assert reading.offset_frames == pytest.approx(late, abs=0.02 * frame_rate)
    assert reading.confidence > TRUSTED_CONFIDENCE
    assert reading.seconds_measured == pytest.approx(7.5, abs=0.05)


def test_a_mouth_that_says_something_else_is_not_trusted(speech: SpeechFeatures) -> None:
    times = np.arange(187) / 25
    backwards = mouth_of(speech, times)[::-1].copy()
    assert reading_of(backwards, times, speech, 25).confidence < TRUSTED_CONFIDENCE


def test_a_still_mouth_has_no_offset(speech: SpeechFeatures) -> None:
    times = np.arange(187) / 25
    trembling = 0.1 + np.random.default_rng(0).normal(0, LEAST_MOTION / 6, len(times))
    reading = reading_of(trembling, times, speech, 25)
    assert (reading.offset_frames, reading.confidence) == (0, 0)


def test_without_a_face_nothing_is_measured(speech: SpeechFeatures) -> None:
    reading = reading_of(np.full(100, np.nan), np.arange(100) / 25, speech, 25)
    assert (reading.confidence, reading.seconds_measured) == (0, 0)


def test_a_half_second_tells_nothing(speech: SpeechFeatures) -> None:
    times = 1 + np.arange(12) / 25
    assert reading_of(mouth_of(speech, times), times, speech, 25).confidence == 0


@pytest.fixture(scope="module")
def still_face(voice: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait that does not move, with speech."""
    from skimage import data, io

    folder = tmp_path_factory.mktemp("still")
    io.imsave(folder / "face.png", data.astronaut()[:320, 60:380])
    run_ffmpeg("-loop", "1", "-r", "25", "-i", folder / "face.png", "-i", voice, "-t", "2", folder / "clip.mp4")
    return folder / "clip.mp4"


def test_a_clip_whose_mouth_never_moves_is_not_judged(still_face: Path) -> None:
    speech, tracks = analyse_speech(still_face), track_faces(FrameSequence.open(still_face))
    for known in (None, tracks):
        reading = measure_sync(still_face, speech, known)
        assert reading.confidence == 0
        assert reading.seconds_measured == pytest.approx(2, abs=0.1)


def test_without_known_boxes_a_clip_needs_a_face(voice: Path, speech: SpeechFeatures, tmp_path: Path) -> None:
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=1", "-i", voice, tmp_path / "bars.mp4")
    with pytest.raises(NoFace):
        measure_sync(tmp_path / "bars.mp4", speech)


def test_of_a_long_clip_the_pieces_with_most_speech_are_read(tmp_path: Path) -> None:
    run_ffmpeg("-f", "lavfi", "-i", "color=size=32x32:rate=25:duration=90", tmp_path / "long.mp4")
    rows = 90 * FEATURE_RATE + 1
    activity = np.zeros(rows, np.float32)
    activity[10 * FEATURE_RATE : 15 * FEATURE_RATE] = 1
    nothing = np.zeros((rows, 80), np.float32)
    speech = SpeechFeatures(Fraction(90), nothing, activity, activity, nothing)
    frames, cuts, step = chosen_frames(FrameSequence.open(tmp_path / "long.mp4"), speech)
    assert len(frames) * step == pytest.approx(PIECES * PIECE_SECONDS * 25, abs=PIECES * step)
    assert np.all(np.diff(frames) > 0)
    assert frames[0] == pytest.approx(250, abs=1)
    pieces = np.split(frames, cuts)
    assert len(pieces) == PIECES
    assert all(np.all(np.diff(piece) == step) for piece in pieces)


@pytest.mark.parametrize(("rate", "seconds", "step"), [(25, 8, 2), (60, 8, 5), (25, 4, 1), (12, 8, 1)])
def test_as_many_frames_are_read_as_show_the_motion(tmp_path: Path, rate: int, seconds: int, step: int) -> None:
    run_ffmpeg("-f", "lavfi", "-i", f"color=size=32x32:rate={rate}:duration={seconds}", tmp_path / "clip.mp4")
    nothing = np.zeros((seconds * FEATURE_RATE + 1, 80), np.float32)
    speech = SpeechFeatures(Fraction(seconds), nothing, nothing[:, 0], nothing[:, 0], nothing)
    frames, cuts, found = chosen_frames(FrameSequence.open(tmp_path / "clip.mp4"), speech)
    assert (list(frames), cuts, found) == (list(range(0, rate * seconds, step)), (), step)


@pytest.mark.long
def test_sound_shifted_in_real_clips_is_read_right(clips: Path) -> None:
    """The same clip as it is, with its sound 200 ms later, and 200 ms earlier: 5 frames of 25."""
    original = clips / "talking" / "sadtalker_035_WDA_BobMenendez_000.mp4"
    tracks = track_faces(FrameSequence.open(original))

    def read(path: Path) -> float:
        reading = measure_sync(path, analyse_speech(path), tracks)
        assert reading.confidence > TRUSTED_CONFIDENCE
        return reading.offset_frames

    usual = read(original)
    assert abs(usual) < 3
    assert read(clips / "nasty" / "derived_016_audio_late_200ms.mp4") - usual == pytest.approx(5, abs=0.25)
    assert read(clips / "nasty" / "derived_017_audio_early_200ms.mp4") - usual == pytest.approx(-5, abs=0.25)

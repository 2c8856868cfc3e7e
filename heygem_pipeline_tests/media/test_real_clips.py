"""Every real file ends in good frames and sound or in one of the named sentences. The table says which."""

from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.errors import EmptyFile, NoSoundTrack, NotMedia, PipelineError, TruncatedFile
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.sound import read_sound

pytestmark = pytest.mark.long

FILM = Fraction(24000, 1001)
PICTURES: dict[str, tuple[int, int, Fraction | int, int] | type[PipelineError]] = {
    "autoeditor_026_multi_track.mp4": (768, 576, 25, 114),
    "clearervoice_004_001.avi": (1280, 720, 25, 201),
    "decord_002_corrupted.mp4": TruncatedFile,
    "derived_001_webm_vp9_opus.webm": (512, 512, 25, 200),
    "derived_002_flv.flv": (512, 512, 25, 200),
    "derived_003_vfr_dropped.mkv": (512, 512, 25, 199),
    "derived_004_rotation_meta.mov": (512, 512, 25, 200),
    "derived_005_hdr10_hevc10.mp4": (640, 640, 25, 125),
    "derived_006_60fps.mp4": (512, 512, 60, 480),
    "derived_007_odd_dims_444.mp4": (301, 301, 25, 200),
    "derived_008_96px.mp4": (96, 96, 25, 200),
    "derived_009_face_leaves_frame.mp4": (512, 512, 25, 200),
    "derived_010_two_faces_two_voices.mp4": (1024, 512, 25, 200),
    "derived_011_no_audio.avi": (512, 512, 25, 200),
    "derived_012_truncated_no_moov.mp4": TruncatedFile,
    "derived_013_truncated_faststart.mp4": TruncatedFile,
    "derived_014_empty.mp4": EmptyFile,
    "derived_015_random_bytes.mp4": NotMedia,
    "derived_016_audio_late_200ms.mp4": (512, 512, 25, 200),
    "derived_017_audio_early_200ms.mp4": (512, 512, 25, 200),
    "derived_018_silent_track.mp4": (512, 512, 25, 200),
    "derived_019_audio_longer_than_video.mp4": (512, 512, 25, 200),
    "derived_020_mjpeg_12fps.avi": (512, 512, 12, 96),
    "pyscenedetec_004_goldeneye_vfr_drop3.mp4": (1280, 544, FILM, 239),
    "pyscenedetec_005_issue_134_rotate.mp4": (544, 1280, FILM, 240),
    "visualvoice_002_interview.mp4": (1280, 720, 25, 438),
}
SOUNDS: dict[str, float | type[PipelineError]] = {
    "autoeditor_026_multi_track.mp4": 4.565,
    "decord_002_corrupted.mp4": NoSoundTrack,
    "derived_001_webm_vp9_opus.webm": 8.0,
    "derived_002_flv.flv": 8.046,
    "derived_003_vfr_dropped.mkv": 8.0,
    "derived_011_no_audio.avi": NoSoundTrack,
    "derived_012_truncated_no_moov.mp4": TruncatedFile,
    "derived_013_truncated_faststart.mp4": TruncatedFile,
    "derived_014_empty.mp4": EmptyFile,
    "derived_015_random_bytes.mp4": NotMedia,
    "derived_016_audio_late_200ms.mp4": 8.064,
    "derived_019_audio_longer_than_video.mp4": 36.544,
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_presenter(name: str, clips: Path) -> None:
    path, expected = clips / "nasty" / name, PICTURES[name]
    if isinstance(expected, type):
        with pytest.raises(expected, match=name):
            list(FrameSequence.open(path).frames())
        return
    sequence = FrameSequence.open(path)
    info = sequence.info
    assert (info.width, info.height, info.frame_rate, info.frame_count) == expected
    shown = [sha256(frame[::4].tobytes()).digest() for _, frame in sequence.presentation(info.frame_count + 25)]
    there, back = shown[: info.frame_count], shown[info.frame_count :]
    assert back == there[-2:-27:-1]


@pytest.mark.parametrize("name", SOUNDS)
def test_a_voice_taken_from_a_video(name: str, clips: Path) -> None:
    path, expected = clips / "nasty" / name, SOUNDS[name]
    if isinstance(expected, type):
        with pytest.raises(expected, match=name):
            read_sound(path)
        return
    sound = read_sound(path)
    assert float(sound.duration) == pytest.approx(expected, abs=0.001)
    assert len(sound.samples) == round(sound.duration * 16000)


def test_no_file_of_the_folders_is_missing_from_the_table(clips: Path) -> None:
    assert {path.name for path in (clips / "nasty").iterdir()} == set(PICTURES)


def test_every_voice_is_read(clips: Path) -> None:
    voices = sorted([*(clips / "audio").iterdir(), *(clips / "audio_dirty").iterdir()])
    assert voices
    for voice in voices:
        sound = read_sound(voice)
        assert sound.duration >= 1
        assert len(sound.samples) == round(sound.duration * 16000)
        assert np.abs(sound.samples).max() <= 1

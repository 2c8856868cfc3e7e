from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.errors import NoSoundTrack, TruncatedFile
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline_tests.media.conftest import MOVING, TONE, MakeMedia


def frequency(samples: np.ndarray, rate: int) -> float:
    """The loudest frequency, Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate / len(samples))


def write_wav(path: Path, samples: np.ndarray, rate: int) -> Path:
    """Write float32 (n, channels) samples as they are, also what is not a number."""
    data = samples.astype("<f4").tobytes()
    channels = samples.shape[1]
    layout = np.array([3, channels], "<u2").tobytes() + np.array([rate, rate * channels * 4], "<u4").tobytes()
    layout += np.array([channels * 4, 32], "<u2").tobytes()
    size = np.array([len(data)], "<u4").tobytes()
    path.write_bytes(
        b"RIFF" + np.array([36 + len(data)], "<u4").tobytes() + b"WAVEfmt \x10\0\0\0" + layout + b"data" + size + data
    )
    return path


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000])
def test_any_rate_becomes_16_khz_and_keeps_its_exact_length(rate: int, make_media: MakeMedia) -> None:
    path = make_media(f"t{rate}.wav", "-f", "lavfi", "-i", f"sine=frequency=440:sample_rate={rate}:duration=1.2345")
    sound = read_sound(path)
    assert sound.duration.limit_denominator(rate) == sound.duration
    assert abs(sound.duration - Fraction("1.2345")) <= Fraction(1, rate)
    assert sound.samples.dtype == np.float32
    assert len(sound.samples) == round(sound.duration * 16000)
    assert frequency(sound.samples, 16000) == pytest.approx(440, abs=2)


def test_channels_are_averaged(tmp_path: Path) -> None:
    left = np.full(4800, 0.5)
    sound = read_sound(write_wav(tmp_path / "stereo.wav", np.stack([left, -left / 5], axis=1), 48000))
    assert sound.samples[400:-400] == pytest.approx(0.2, abs=0.01)


def test_what_is_not_a_number_becomes_silence_and_too_loud_is_clipped(tmp_path: Path) -> None:
    samples = np.full((48000, 1), 0.5)
    samples[1000:2000] = np.nan
    samples[30000:30500] = np.inf
    samples[40000:41000] = 7
    sound = read_sound(write_wav(tmp_path / "odd.wav", samples, 48000))
    assert np.isfinite(sound.samples).all()
    assert np.abs(sound.samples).max() == 1
    assert sound.duration == 1


def test_a_sound_that_begins_after_the_picture_begins_at_its_own_beginning(make_media: MakeMedia) -> None:
    path = make_media(
        "late.mkv", "-f", "lavfi", "-i", MOVING, "-itsoffset", "0.5", "-f", "lavfi", "-i", TONE, "-c:a", "pcm_s16le"
    )
    sound = read_sound(path)
    assert sound.duration == 2
    assert np.abs(sound.samples[:1600]).max() > 0.1


def test_damaged_packets_are_silent_and_the_time_is_kept(make_media: MakeMedia, tmp_path: Path) -> None:
    clip = "sine=frequency=440:sample_rate=44100:duration=8"
    whole = make_media("whole.m4a", "-f", "lavfi", "-i", clip, "-c:a", "aac", "-b:a", "128k")
    content = bytearray(whole.read_bytes())
    start, end = content.index(b"mdat"), content.index(b"moov")
    middle = start + (end - start) // 2
    content[middle : middle + 4000] = bytes([0xFF]) * 4000
    path = tmp_path / "damaged.m4a"
    path.write_bytes(content)
    damaged, clean = read_sound(path), read_sound(whole)
    assert damaged.duration == pytest.approx(clean.duration, abs=0.05)
    after = slice(int(6.5 * 16000), int(7.5 * 16000))
    assert frequency(damaged.samples[after], 16000) == pytest.approx(440, abs=2)
    assert np.isfinite(damaged.samples).all()


@pytest.mark.parametrize("suffix", ["m4a", "wav", "flac", "aiff", "mkv"])
def test_a_voice_cut_off_in_the_middle_is_refused(suffix: str, make_media: MakeMedia, tmp_path: Path) -> None:
    options = ["-movflags", "+faststart"] if suffix == "m4a" else []
    whole = make_media(f"f.{suffix}", "-f", "lavfi", "-i", "sine=frequency=440:duration=8", *options).read_bytes()
    path = tmp_path / f"cut.{suffix}"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TruncatedFile, match=rf"cut\.{suffix} is cut off"):
        read_sound(path)


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_recorder_that_did_not_know_the_length_is_forgiven(size: int, tone: Path, tmp_path: Path) -> None:
    content = bytearray(tone.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = size.to_bytes(4, "little")
    path = tmp_path / "piped.wav"
    path.write_bytes(content)
    assert read_sound(path).duration == 2


def test_a_picture_is_no_voice(make_media: MakeMedia) -> None:
    still = make_media("still.png", "-f", "lavfi", "-i", "testsrc=size=64x48:duration=1", "-frames:v", "1")
    with pytest.raises(NoSoundTrack, match=r"still\.png is a picture"):
        read_sound(still)


def test_the_same_file_gives_the_same_samples(tone: Path) -> None:
    assert np.array_equal(read_sound(tone).samples, read_sound(tone).samples)

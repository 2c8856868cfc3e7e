from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from heygem_pipeline.errors import NoSoundTrack, NotMedia, TruncatedFile
from heygem_pipeline.media.encode import encode_clip
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.sound import read_sound, sound_beginning
from heygem_pipeline.media.timeline import count_frames
from heygem_pipeline.settings import RenderSettings, SyntheticLabel
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


def changed_header(wav: Path, folder: Path, *, after: bytes, offset: int, value: int) -> Path:
    """Copy a WAV and replace four bytes of a chunk's header."""
    content = bytearray(wav.read_bytes())
    place = content.index(after) + offset
    content[place : place + 4] = value.to_bytes(4, "little")
    path = folder / "changed.wav"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("size", [0, 2_000_000_000, 0x7FFFF000, 0x7FFFFFDB, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_a_recorder_that_did_not_know_the_length_is_forgiven(size: int, tone: Path, tmp_path: Path) -> None:
    assert read_sound(changed_header(tone, tmp_path, after=b"data", offset=4, value=size)).duration == 2


@pytest.mark.parametrize("size", [2, 36, 88200])
def test_samples_after_the_end_that_the_header_names_are_heard(
    size: int, make_media: MakeMedia, tmp_path: Path
) -> None:
    noise = make_media("noise.wav", "-f", "lavfi", "-i", "anoisesrc=duration=2:sample_rate=44100:amplitude=0.5:seed=15")
    assert read_sound(changed_header(noise, tmp_path, after=b"data", offset=4, value=size)).duration == 2


def test_what_stands_behind_the_samples_is_no_sound(tone: Path, tmp_path: Path) -> None:
    path = tmp_path / "tagged.wav"
    path.write_bytes(tone.read_bytes() + b"LIST" + (4000).to_bytes(4, "little") + b"INFO" + b"\xff" * 3996)
    assert read_sound(path).duration == 2


@pytest.mark.parametrize("factor", [0, 0.5, 2])
def test_a_wrong_rate_of_bytes_in_the_header_is_forgiven(factor: float, tone: Path, tmp_path: Path) -> None:
    path = changed_header(tone, tmp_path, after=b"fmt ", offset=16, value=int(88200 * factor))
    assert read_sound(path).duration == 2


@pytest.mark.parametrize("codec", ["adpcm_ima_wav", "adpcm_ms", "pcm_mulaw"])
def test_compressed_samples_in_a_wav_are_read_whole_and_refused_when_cut(
    codec: str, make_media: MakeMedia, tmp_path: Path
) -> None:
    whole = make_media(f"{codec}.wav", "-f", "lavfi", "-i", "sine=duration=4:sample_rate=44100", "-c:a", codec)
    assert read_sound(whole).duration == pytest.approx(4, abs=0.05)
    cut = tmp_path / "cut.wav"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(TruncatedFile):
        read_sound(cut)


@pytest.mark.parametrize(("rate", "channels"), [(2_147_483_647, 1), (10_000_000, 1), (1, 1), (8000, 1000)])
def test_what_no_recorder_writes_is_refused_in_one_sentence(rate: int, channels: int, tmp_path: Path) -> None:
    path = write_wav(tmp_path / "odd.wav", np.zeros((20000, channels)), 48000)
    content = bytearray(path.read_bytes())
    content[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(NotMedia, match=f"{rate} samples a second"):
        read_sound(path)


def test_two_channels_in_opposite_phase_are_heard(tmp_path: Path) -> None:
    speech = np.sin(np.arange(96000) / 20) * np.repeat([0.5, 0, 0.5, 0.2], 24000)
    opposite = read_sound(write_wav(tmp_path / "opposite.wav", np.stack([speech, -0.9 * speech], axis=1), 48000))
    alone = read_sound(write_wav(tmp_path / "alone.wav", speech[:, None], 48000))
    assert opposite.duration == alone.duration
    assert opposite.samples == pytest.approx(alone.samples, abs=1e-3)


def test_a_wide_stereo_recording_is_averaged_still(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    left, right = chance.normal(0, 0.1, (2, 96000))
    sound = read_sound(write_wav(tmp_path / "wide.wav", np.stack([left, right], axis=1), 48000), 48000)
    assert sound.samples[1000:-1000] == pytest.approx((left + right)[1000:-1000] / 2, abs=1e-4)


def test_a_muted_microphone_is_silence_and_the_time_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "call.mkv"
    speech = np.sin(np.arange(3 * 48000) / 20).astype(np.float32) * 0.5
    with av.open(path, "w") as container:
        stream = container.add_stream("libopus", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(speech[None], format="flt", layout="mono")
        frame.sample_rate, frame.pts = 48000, 0
        packets = [*stream.encode(frame), *stream.encode(None)]
        container.mux([packet for packet in packets if not 40000 <= (packet.pts or 0) < 110000])
    sound = read_sound(path)
    assert sound.duration == pytest.approx(3, abs=0.03)
    levels = np.abs(sound.samples[: 2 * 16000 + 14400]).reshape(-1, 1600).max(axis=1)
    assert levels[:8].min() > 0.2 > 0.01 > levels[9:22].max()
    assert levels[24:].min() > 0.2


def speech_like(seed: int) -> np.ndarray:
    """1.5 s of bursts of noise at 48 kHz, as unlike their neighbours as syllables are."""
    chance = np.random.default_rng(seed)
    loudness = np.repeat(chance.uniform(0, 1, 30) ** 2, 2400)
    return np.convolve(chance.normal(0, 0.2, 72000) * loudness, np.hanning(15), "same") / 4


FORMATS = [(44100, 2), (22050, 1), (44100, 1), (48000, 2)]
"""Sample rates and channels of the recordings that are joined."""

JOINED = {
    "ogg": ("ogg", ["-c:a", "libvorbis"], FORMATS),
    "opus": ("opus", ["-c:a", "libopus", "-b:a", "64k"], [(48000, 2), (24000, 1), (48000, 1)]),
    "adts": ("aac", ["-c:a", "aac"], FORMATS),
    "adts, the slower first": ("aac", ["-c:a", "aac"], FORMATS[1:]),
    "flac": ("flac", [], FORMATS),
    "transport stream": ("ts", ["-c:a", "aac"], FORMATS),
    "mp3 of several rates": ("mp3", ["-c:a", "libmp3lame"], FORMATS),
    "mp3": ("mp3", ["-c:a", "libmp3lame"], [(44100, 1 + number % 2) for number in range(6)]),
}


def joined(kind: str, make_media: MakeMedia, folder: Path) -> Path:
    """Recordings of 1.5 s, one behind the other in one file."""
    suffix, options, formats = JOINED[kind]
    content = b""
    for number, (rate, channels) in enumerate(formats):
        source = write_wav(folder / f"{number}.wav", speech_like(number)[:, None], 48000)
        part = make_media(f"{number}.{suffix}", "-i", source, "-ar", str(rate), "-ac", str(channels), *options)
        content += part.read_bytes()
    path = folder / f"joined.{suffix}"
    path.write_bytes(content)
    return path


def lag(later: np.ndarray, earlier: np.ndarray) -> int:
    """By how many samples the first is behind the second."""
    size = 2 * len(later)
    spectrum = np.fft.rfft(later, size) * np.conj(np.fft.rfft(earlier, size))
    place = int(np.argmax(np.fft.irfft(spectrum)))
    return place if place < len(later) else place - size


@pytest.mark.parametrize("kind", JOINED)
def test_joined_recordings_are_heard_whole_and_in_their_place(kind: str, make_media: MakeMedia, tmp_path: Path) -> None:
    formats = JOINED[kind][2]
    sound = read_sound(joined(kind, make_media, tmp_path))
    assert sound.duration == pytest.approx(1.5 * len(formats), abs=0.1 * len(formats))
    # Compressed recordings of some kinds are padded: by some hundredths of a second each.
    padding = 0.0 if kind in ("ogg", "opus", "flac") else 0.08
    for number in range(len(formats)):
        meant = read_sound(tmp_path / f"{number}.wav").samples
        first = int(number * 1.5 * 16000)
        heard = sound.samples[first : first + len(meant)]
        late = lag(heard, meant[: len(heard)]) / 16000
        assert -0.005 < late < padding * (number + 1) + 0.005
        assert np.abs(heard).max() > 0.5 * np.abs(meant).max()


@pytest.mark.parametrize("kind", JOINED)
def test_mouth_and_ear_hear_joined_recordings_at_the_same_time(
    kind: str, make_media: MakeMedia, tmp_path: Path
) -> None:
    path = joined(kind, make_media, tmp_path)
    mouth = read_sound(path)
    clip = encode_clip(
        (np.zeros((48, 64, 3), np.uint8) for _ in range(count_frames(mouth.duration, Fraction(25)))),
        frame_rate=Fraction(25),
        size=(64, 48),
        sound=path,
        duration=mouth.duration,
        destination=tmp_path / "clip.mp4",
        made_with=RenderSettings(label=SyntheticLabel.OFF),
    )
    ear = read_sound(clip.path).samples
    for first in range(4000, len(mouth.samples) - 12000, 8000):
        part = slice(first, first + 8000)
        assert abs(lag(ear[part], mouth.samples[part])) < 0.005 * 16000


def test_a_picture_is_no_voice(make_media: MakeMedia) -> None:
    still = make_media("still.png", "-f", "lavfi", "-i", "testsrc=size=64x48:duration=1", "-frames:v", "1")
    with pytest.raises(NoSoundTrack, match=r"still\.png is a picture"):
        read_sound(still)


def test_the_same_file_gives_the_same_samples(tone: Path) -> None:
    assert np.array_equal(read_sound(tone).samples, read_sound(tone).samples)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts"])
@pytest.mark.parametrize("offset", ["0.7", "-0.4"], ids=["late", "early"])
def test_a_track_says_when_it_begins(suffix: str, offset: str, make_media: MakeMedia) -> None:
    late = ["-itsoffset", offset] if float(offset) > 0 else []
    picture_late = ["-itsoffset", offset[1:]] if float(offset) < 0 else []
    path = make_media(
        f"late.{suffix}", *picture_late, "-f", "lavfi", "-i", MOVING, *late, "-f", "lavfi", "-i", TONE, "-c:a", "aac"
    )
    sequence = FrameSequence.open(path)
    assert sequence.index is not None
    picture = int(sequence.index.timestamps[0]) * sequence.index.time_base
    assert float(sound_beginning(path, 0) - picture) == pytest.approx(float(offset), abs=0.05)


def test_sound_can_be_moved_against_the_picture(tone: Path) -> None:
    sound = read_sound(tone)
    later, earlier = sound.delayed(Fraction(1, 2)), sound.delayed(Fraction(-1, 2))
    assert (later.duration, earlier.duration) == (Fraction(5, 2), Fraction(3, 2))
    assert not later.samples[:8000].any() and np.array_equal(later.samples[8000:], sound.samples)
    assert np.array_equal(earlier.samples, sound.samples[8000:])
    assert sound.delayed(Fraction(-3)).duration == 0

import errno
import os
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.errors import DiskFull, EncodingFailed, FfmpegMissing, NoSoundTrack
from heygem_pipeline.media import encode, ffmpeg_program
from heygem_pipeline.media.aigc import read_aigc
from heygem_pipeline.media.encode import EncodedClip, encode_clip
from heygem_pipeline.media.ffmpeg_program import find_ffmpeg
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.probe import probe_sound
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline.settings import RenderSettings, SyntheticLabel
from heygem_pipeline_tests.media.conftest import MOVING, TONE, MakeMedia

Frame = NDArray[np.uint8]
UNLABELLED = RenderSettings(label=SyntheticLabel.OFF)


def colours(count: int, width: int = 160, height: int = 120) -> Iterator[Frame]:
    """Frames of six flat colours that change slowly."""
    for number in range(count):
        frame = np.zeros((height, width, 3), np.uint8)
        for place, colour in enumerate(
            ((30, 30, 200), (30, 180, 30), (190, 40, 40), (128, 128, 128), (90, 140, 220), (20, 20, 20))
        ):
            frame[:, place * width // 6 : (place + 1) * width // 6] = np.array(colour) + number % 20
        yield frame


def encode_colours(
    destination: Path, sound: Path, count: int = 50, rate: Fraction = Fraction(25), **options: object
) -> EncodedClip:
    settings = {"size": (160, 120), "duration": count / rate, "made_with": UNLABELLED, **options}
    width, height = settings["size"]  # type: ignore[misc]
    frames = colours(count, width, height)
    return encode_clip(frames, frame_rate=rate, sound=sound, destination=destination, **settings)  # type: ignore[arg-type]


def children() -> set[str]:
    """Process ids of the programs started from here that still run."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@pytest.fixture(autouse=True)
def no_program_left_running() -> Iterator[None]:
    before = children()
    yield
    assert children() <= before


def test_the_clip_is_what_players_expect(tone: Path, tmp_path: Path) -> None:
    clip = encode_colours(tmp_path / "out" / "clip.mp4", tone)
    content = clip.path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    with av.open(clip.path) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.profile, video.pix_fmt) == ("h264", "High", "yuv420p")
        context = video.codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        assert (audio.codec_context.name, audio.sample_rate) == ("aac", 48000)
    assert [path.name for path in clip.path.parent.iterdir()] == ["clip.mp4"]


@pytest.mark.parametrize(
    "rate",
    [Fraction(25), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60), Fraction(12), Fraction(22131, 1000)],
)
@pytest.mark.parametrize("seconds", ["0.5", "1.999", "2.013"])
def test_it_has_exactly_the_frames_of_the_speech_and_sound_of_their_length(
    rate: Fraction, seconds: str, tone: Path, tmp_path: Path
) -> None:
    count = round(Fraction(seconds) * rate)
    clip = encode_colours(tmp_path / "clip.mp4", tone, count, rate, duration=Fraction(seconds))
    info = FrameSequence.open(clip.path).info
    assert (info.frame_count, info.packet_count, info.frame_rate) == (count, count, rate)
    assert abs(clip.sound_duration - clip.duration) < 1 / rate
    assert abs(read_sound(clip.path).duration - clip.duration) < 1 / rate


def test_colours_do_not_shift(tone: Path, tmp_path: Path) -> None:
    clip = encode_colours(tmp_path / "clip.mp4", tone)
    for shown, meant in zip(FrameSequence.open(clip.path).frames(), colours(50), strict=True):
        middle = np.arange(6) * 160 // 6 + 13
        assert np.abs(shown[60, middle].astype(int) - meant[60, middle]).max() <= 4
        assert np.abs(shown.astype(int).mean(axis=(0, 1)) - meant.mean(axis=(0, 1))).max() <= 1.5


@pytest.mark.parametrize(
    ("size", "even"), [((161, 120), (162, 120)), ((160, 121), (160, 122)), ((227, 301), (228, 302))]
)
def test_an_odd_side_grows_by_a_copy_of_its_last_line(
    size: tuple[int, int], even: tuple[int, int], tone: Path, tmp_path: Path
) -> None:
    clip = encode_colours(tmp_path / "clip.mp4", tone, 10, size=size)
    assert clip.size == even
    frame = next(iter(FrameSequence.open(clip.path).frames()))
    assert np.abs(frame[-1, -1].astype(int) - 20).max() <= 5


def test_the_sound_is_the_uploads_own_from_its_own_beginning(make_media: MakeMedia, tmp_path: Path) -> None:
    beep = "aevalsrc='sin(880*2*PI*t)*between(mod(t,0.5),0,0.1)':sample_rate=44100:duration=2"
    late = make_media(
        "late.mkv", "-f", "lavfi", "-i", MOVING, "-itsoffset", "0.7", "-f", "lavfi", "-i", beep, "-c:a", "flac"
    )
    clip = encode_colours(tmp_path / "clip.mp4", late)
    ours, theirs = read_sound(clip.path).samples, read_sound(late).samples
    loud = [np.abs(samples[: 16000 * 2 - 400]).reshape(-1, 400).max(axis=1) > 0.2 for samples in (ours, theirs)]
    assert (loud[0] == loud[1]).mean() > 0.95
    assert loud[0][:2].all()


def test_short_sound_is_padded_and_long_sound_cut(tone: Path, tmp_path: Path) -> None:
    padded = encode_colours(tmp_path / "padded.mp4", tone, 75)
    samples = read_sound(padded.path).samples
    assert abs(samples[int(1.5 * 16000)]) <= 1
    assert np.abs(samples[int(2.2 * 16000) :]).max() < 0.01
    assert read_sound(encode_colours(tmp_path / "cut.mp4", tone, 20).path).duration < 0.85


def test_of_several_sound_tracks_the_clip_has_the_one_that_was_analysed(make_media: MakeMedia, tmp_path: Path) -> None:
    tracks = [
        *("-f", "lavfi", "-i", "anullsrc=cl=mono:r=48000:d=2"),
        *("-f", "lavfi", "-i", "sine=frequency=880:duration=2"),
    ]
    path = make_media(
        "tracks.mkv", *tracks, "-map", "0", "-map", "1", "-disposition:a:0", "0", "-disposition:a:1", "default"
    )
    assert np.abs(read_sound(encode_colours(tmp_path / "clip.mp4", path).path).samples).max() > 0.05


@pytest.mark.parametrize(
    "name", ["-y.mp4", "file:clip.mp4", "frame%03d.mp4", "陈老师 'x' 😀.mp4", "好" * 70 + ".mp4", "a:b|c.mp4"]
)
def test_any_name_for_upload_and_clip(name: str, tone: Path, tmp_path: Path) -> None:
    voice = tmp_path / "voices" / name
    voice.parent.mkdir()
    voice.write_bytes(tone.read_bytes())
    assert encode_colours(tmp_path / name, voice, 10).path.name == name
    assert {path.name for path in tmp_path.iterdir()} == {"voices", name}


def test_the_clip_says_that_it_is_synthetic(tone: Path, tmp_path: Path) -> None:
    first, second = (encode_colours(tmp_path / f"{n}.mp4", tone, 55, made_with=RenderSettings()) for n in (1, 2))
    marks = read_aigc(first.path), read_aigc(second.path)
    assert [mark and mark.ProduceID for mark in marks] == [first.produce_id, second.produce_id]
    assert first.produce_id != second.produce_id
    plain = list(colours(55))
    corner = slice(100, 118), slice(70, 155)
    differences = [
        np.abs(f[corner].astype(int) - p[corner]).mean()
        for f, p in zip(FrameSequence.open(first.path).frames(), plain, strict=True)
    ]
    assert min(differences[:50]) > 10
    assert max(differences[50:]) < 5


@pytest.mark.parametrize("suffix", ["mp3", "m4a", "aac", "flac", "ogg", "wma", "aiff", "flv", "ts", "avi"])
def test_every_kind_of_voice_is_heard(suffix: str, make_media: MakeMedia, tmp_path: Path) -> None:
    voice = make_media(f"voice.{suffix}", "-f", "lavfi", "-i", TONE)
    samples = read_sound(encode_colours(tmp_path / "clip.mp4", voice, 40).path).samples
    levels = np.abs(samples[: 16000 * 3 // 2].reshape(-1, 800)).max(axis=1)
    assert levels[1:].min() > 0.05


def test_progress_counts_the_frames(tone: Path, tmp_path: Path) -> None:
    counted: list[int] = []
    encode_colours(tmp_path / "clip.mp4", tone, 30, progress=counted.append)
    assert counted == list(range(1, 31))


def test_an_error_of_the_frames_passes_through_and_leaves_nothing(tone: Path, tmp_path: Path) -> None:
    def failing() -> Iterator[Frame]:
        yield from colours(20)
        raise ZeroDivisionError

    destination = tmp_path / "clip.mp4"
    destination.write_bytes(b"the clip of yesterday")
    with pytest.raises(ZeroDivisionError):
        encode_clip(
            failing(),
            frame_rate=Fraction(25),
            size=(160, 120),
            sound=tone,
            duration=Fraction(2),
            destination=destination,
        )
    assert destination.read_bytes() == b"the clip of yesterday"
    assert list(tmp_path.iterdir()) == [destination]


@pytest.mark.parametrize("count", [0, 49, 51])
def test_too_few_or_too_many_frames_are_an_error(count: int, tone: Path, tmp_path: Path) -> None:
    with pytest.raises(EncodingFailed, match=r"clip\.mp4 was given"):
        encode_clip(
            colours(count),
            frame_rate=Fraction(25),
            size=(160, 120),
            sound=tone,
            duration=Fraction(2),
            destination=tmp_path / "clip.mp4",
        )
    assert not list(tmp_path.iterdir())


def test_a_frame_of_another_size_is_an_error(tone: Path, tmp_path: Path) -> None:
    with pytest.raises(EncodingFailed, match="not 162 x 120"):
        encode_clip(
            colours(50),
            frame_rate=Fraction(25),
            size=(162, 120),
            sound=tone,
            duration=Fraction(2),
            destination=tmp_path / "clip.mp4",
        )


def test_an_upload_without_sound_is_refused_before_the_work(make_media: MakeMedia, tmp_path: Path) -> None:
    with pytest.raises(NoSoundTrack):
        encode_colours(tmp_path / "clip.mp4", make_media("silent.mp4", "-f", "lavfi", "-i", MOVING))


def program(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a shell script in the place of ffmpeg."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setattr(encode, "find_ffmpeg", lambda _: path)


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (
            "echo one >&2; echo 'av_interleaved_write_frame(): No space left on device' >&2; echo last >&2; exit 1",
            DiskFull,
            "no room",
        ),
        ("head -c 100000 >/dev/null; echo 'Conversion failed!' >&2; exit 1", EncodingFailed, "Conversion failed!"),
        ("kill -9 $$", EncodingFailed, "exit status -9"),
        ("cat >/dev/null; yes 'a long complaint' | head -100000 >&2; exit 1", EncodingFailed, "a long complaint"),
        (
            "cat >/dev/null; for word; do case $word in file:*) out=${word#file:};; esac; done; echo nonsense > $out",
            EncodingFailed,
            "could not be read back",
        ),
        ("cat >/dev/null", EncodingFailed, "could not be read back"),
    ],
)
def test_a_failing_ffmpeg_is_told_by_its_last_words_and_leaves_nothing(
    script: str, error: type[Exception], words: str, tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, script, monkeypatch)
    with pytest.raises(error, match=words):
        encode_colours(tmp_path / "out" / "clip.mp4", tone)
    assert not list((tmp_path / "out").iterdir())


def test_a_clip_with_frames_missing_is_not_delivered(
    tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, f'exec {find_ffmpeg()} -t 1 "$@"', monkeypatch)
    with pytest.raises(EncodingFailed, match=r"clip\.mp4 holds 25 of 50 frames"):
        encode_colours(tmp_path / "out" / "clip.mp4", tone)
    assert not list((tmp_path / "out").iterdir())


def test_a_disk_that_is_too_full_is_told_before_the_work(
    tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    frames = iter(colours(50))
    with pytest.raises(DiskFull, match=r"no room for clip\.mp4"):
        encode_clip(
            frames,
            frame_rate=Fraction(25),
            size=(160, 120),
            sound=tone,
            duration=Fraction(2),
            destination=tmp_path / "clip.mp4",
        )
    assert len(list(frames)) == 50


def test_a_disk_that_fills_up_while_writing(tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        monkeypatch.setattr(encode, "require_space", lambda *_: None)
        noise = np.random.default_rng(0)
        frames = (noise.integers(0, 255, (480, 640, 3), np.uint8) for _ in range(50))
        with pytest.raises(DiskFull, match=r"no room for clip\.mp4"):
            encode_clip(
                frames,
                frame_rate=Fraction(25),
                size=(640, 480),
                sound=tone,
                duration=Fraction(2),
                destination=disk / "clip.mp4",
            )
        assert not list(disk.iterdir())
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_full_disk_met_by_ourselves(tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFull):
        encode_colours(tmp_path / "out" / "clip.mp4", tone)
    assert not list((tmp_path / "out").iterdir())


def test_without_ffmpeg_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(ffmpeg_program, "_bundled", lambda: None)
    with pytest.raises(FfmpegMissing, match="apt install ffmpeg"):
        find_ffmpeg()


def test_the_program_of_the_settings_is_taken_or_complained_about(tmp_path: Path) -> None:
    assert find_ffmpeg(bundled_ffmpeg()) == bundled_ffmpeg()
    with pytest.raises(FfmpegMissing, match="nothing"):
        find_ffmpeg(tmp_path / "nothing")


def test_a_program_that_only_says_that_it_encodes_is_not_taken(tmp_path: Path) -> None:
    says = tmp_path / "ffmpeg"
    says.write_text("#!/bin/sh\necho Encoder libx264\nexit 1\n", encoding="utf-8")
    says.chmod(0o755)
    with pytest.raises(FfmpegMissing, match="ffmpeg"):
        find_ffmpeg(says)


def bundled_ffmpeg() -> Path:
    import imageio_ffmpeg

    return Path(imageio_ffmpeg.get_ffmpeg_exe())


def test_the_bundled_ffmpeg_makes_the_same_kind_of_clip(tone: Path, tmp_path: Path) -> None:
    made_with = UNLABELLED.model_copy(update={"ffmpeg": bundled_ffmpeg()})
    clip = encode_colours(tmp_path / "clip.mp4", tone, 59, Fraction(30000, 1001), made_with=made_with)
    assert read_aigc(clip.path) is not None
    assert probe_sound(clip.path).sample_rate == 48000
    shown = next(iter(FrameSequence.open(clip.path).frames())).astype(int)
    assert np.abs(shown[60, 13] - (30, 30, 200)).max() <= 4

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.errors import NoPicture, NoSoundTrack, TruncatedFile
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.probe import probe_sound, probe_video
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline_tests.media.conftest import DISPLAY_MATRICES, MOVING, TONE, MakeMedia, turned


@pytest.mark.parametrize(
    ("rate", "exact"),
    [
        ("24000/1001", Fraction(24000, 1001)),
        ("30000/1001", Fraction(30000, 1001)),
        ("12", Fraction(12)),
        ("60", Fraction(60)),
    ],
)
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_the_frame_rate_is_an_exact_fraction_also_where_the_file_counts_milliseconds(
    rate: str, exact: Fraction, suffix: str, make_media: MakeMedia
) -> None:
    info = probe_video(make_media(f"r.{suffix}", "-f", "lavfi", "-i", f"testsrc2=size=64x48:rate={rate}:duration=4"))
    assert info.frame_rate == exact
    assert info.frame_count == round(4 * exact)
    assert not info.variable_rate


def test_a_120_fps_clip_is_shown_at_60(make_media: MakeMedia) -> None:
    info = probe_video(make_media("fast.mp4", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=120:duration=1"))
    assert (info.frame_rate, info.frame_count) == (60, 60)


def test_dropped_frames_make_the_rate_variable_and_leave_the_length(make_media: MakeMedia) -> None:
    path = make_media("vfr.mkv", "-f", "lavfi", "-i", MOVING, "-vf", "select='mod(n,3)'", "-fps_mode", "vfr")
    info = probe_video(path)
    assert info.variable_rate
    assert (info.frame_rate, info.frame_count) == (25, 49)


@pytest.mark.parametrize(("name", "size"), [("90", (120, 160)), ("180", (160, 120)), ("270", (120, 160))])
def test_width_and_height_are_those_of_the_upright_picture(
    name: str, size: tuple[int, int], moving: Path, tmp_path: Path
) -> None:
    info = probe_video(turned(moving, DISPLAY_MATRICES[name], tmp_path))
    assert (info.width, info.height) == size


def test_width_and_height_are_in_square_pixels(make_media: MakeMedia) -> None:
    wide = probe_video(make_media("wide.mp4", "-f", "lavfi", "-i", MOVING, "-vf", "setsar=4/3"))
    tall = probe_video(make_media("tall.mp4", "-f", "lavfi", "-i", MOVING, "-vf", "setsar=1/2"))
    nearly = probe_video(make_media("nearly.mp4", "-f", "lavfi", "-i", MOVING, "-vf", "setsar=317/318"))
    assert (nearly.width, nearly.height) == (160, 120)
    assert (wide.width, wide.height) == (213, 120)
    assert (tall.width, tall.height) == (160, 240)


def test_the_cover_of_a_song_is_no_picture(make_media: MakeMedia) -> None:
    cover = make_media("cover.png", "-f", "lavfi", "-i", "testsrc=size=64x64:duration=1", "-frames:v", "1")
    song = make_media("song.mp3", "-f", "lavfi", "-i", TONE, "-i", cover, "-map", "0", "-map", "1", "-c:v", "copy")
    assert probe_sound(song).codec.startswith("mp3")
    with pytest.raises(NoPicture, match=r"song\.mp3 has no picture"):
        probe_video(song)


def test_a_picture_of_a_kind_that_nobody_reads_is_none(moving: Path, tmp_path: Path) -> None:
    path = tmp_path / "unknown.mp4"
    path.write_bytes(moving.read_bytes().replace(b"avc1", b"zzz1"))
    with pytest.raises(NoPicture, match=r"unknown\.mp4 has no picture"):
        probe_video(path)
    assert probe_sound(path).duration > 1


def test_a_voice_needs_sound(make_media: MakeMedia) -> None:
    silent = make_media("silent.mp4", "-f", "lavfi", "-i", MOVING)
    with pytest.raises(NoSoundTrack, match=r"silent\.mp4 has no sound"):
        probe_sound(silent)
    assert not probe_video(silent).has_sound


def test_of_several_sound_tracks_the_main_one_is_taken(make_media: MakeMedia) -> None:
    tracks = [*("-f", "lavfi", "-i", TONE), *("-f", "lavfi", "-i", "sine=frequency=880:sample_rate=22050:duration=1")]
    path = make_media(
        "tracks.mkv", *tracks, "-map", "0", "-map", "1", "-disposition:a:0", "0", "-disposition:a:1", "default"
    )
    info = probe_sound(path)
    assert (info.track, info.tracks, info.sample_rate) == (1, 2, 22050)


SILENCE = ["-f", "lavfi", "-i", "anullsrc=cl=mono:r=48000:d=2"]
LOUD = ["-f", "lavfi", "-i", "sine=frequency=880:sample_rate=48000:duration=2"]
FAINT = [*LOUD[:-1], LOUD[-1] + ",volume=-75dB"]


@pytest.mark.parametrize(
    ("tracks", "chosen"),
    [
        ([SILENCE, LOUD], 1),
        ([LOUD, SILENCE], 0),
        ([SILENCE, FAINT, LOUD], 2),
        ([LOUD, LOUD], 0),
        ([SILENCE, SILENCE], 0),
    ],
    ids=["silent, heard", "heard, silent", "silent, faint, heard", "both heard", "both silent"],
)
def test_a_silent_main_track_gives_way_to_one_that_is_heard(
    tracks: list[list[str]], chosen: int, make_media: MakeMedia
) -> None:
    inputs = [argument for track in tracks for argument in track]
    maps = [argument for number in range(len(tracks)) for argument in ("-map", str(number))]
    path = make_media("tracks.mkv", *inputs, *maps, "-c:a", "aac", "-disposition:a:0", "default")
    info = probe_sound(path)
    assert (info.track, info.tracks) == (chosen, len(tracks))
    heard = [track is LOUD for track in tracks][chosen]
    assert (np.abs(read_sound(path, probed=info).samples).max() > 0.05) == heard


def test_of_several_pictures_the_main_one_is_taken(make_media: MakeMedia) -> None:
    second = "testsrc2=size=64x48:rate=25:duration=1"
    path = make_media(
        "two.mkv",
        *("-f", "lavfi", "-i", MOVING, "-f", "lavfi", "-i", second, "-map", "0", "-map", "1"),
        *("-disposition:v:0", "0", "-disposition:v:1", "default"),
    )
    assert probe_video(path).width == 64
    assert next(iter(FrameSequence.open(path).frames())).shape == (48, 64, 3)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "avi", "flv"])
def test_a_video_cut_off_in_the_middle_is_refused(suffix: str, make_media: MakeMedia, tmp_path: Path) -> None:
    options = ["-movflags", "+faststart"] if suffix in ("mp4", "mov") else []
    whole = make_media(
        f"w.{suffix}",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x240:rate=25:duration=8",
        "-f",
        "lavfi",
        "-i",
        TONE,
        *options,
    ).read_bytes()
    path = tmp_path / f"cut.{suffix}"
    path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(TruncatedFile, match=path.name):
        probe_video(path)


def test_an_mp4_without_its_index_is_called_cut_off(moving: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(moving.read_bytes()[:2000])
    with pytest.raises(TruncatedFile):
        probe_video(path)
    with pytest.raises(TruncatedFile):
        probe_sound(path)


def test_a_few_frames_missing_at_the_end_are_not_worth_a_refusal(make_media: MakeMedia, tmp_path: Path) -> None:
    whole = make_media(
        "tail.mp4", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=8", "-movflags", "+faststart"
    ).read_bytes()
    path = tmp_path / "tail.mp4"
    path.write_bytes(whole[: int(len(whole) * 0.98)])
    assert 190 <= probe_video(path).frame_count <= 200

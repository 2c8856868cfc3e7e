"""One clip from two files: what always holds of it."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest

from heygem_pipeline.clip.generate import generate_clip
from heygem_pipeline.clip.mouth_patches import draw_mouths
from heygem_pipeline.clip.presenter import Presenter, load_presenter, save_presenter, track_presenter
from heygem_pipeline.clip.sidecar import write_trim
from heygem_pipeline.clip.voice import Voice, analyse_voice, load_voice, save_voice
from heygem_pipeline.errors import BadInput, DiskFull, OutputRefused, StageMissing, UnknownChoice, UploadReplaced
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.engine import LipSyncEngine, MouthPatch
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.media.aigc import read_aigc
from heygem_pipeline.media.ffmpeg_program import find_ffmpeg
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline.media.trim import Trim
from heygem_pipeline.quality.report import ClipReport
from heygem_pipeline.settings import DEFAULTS, UploadLimits
from heygem_pipeline.speech.features import SpeechFeatures
from heygem_pipeline_tests.conftest import swaying_presenter, write_video, write_voice, write_wav


@pytest.fixture(scope="module")
def made(material: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ClipReport]:
    output = tmp_path_factory.mktemp("made") / "clip.mp4"
    return output, generate_clip(material / "voice.wav", material / "presenter.mp4", output)


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same material, shorter, where only the way of a clip matters."""
    folder = tmp_path_factory.mktemp("short")
    write_video(folder / "presenter.mp4", swaying_presenter(8))
    write_voice(folder / "voice.wav", 0.6)
    return folder


@pytest.fixture(scope="module")
def voice(material: Path) -> Voice:
    return analyse_voice(material / "voice.wav")


@pytest.fixture(scope="module")
def presenter(material: Path) -> Presenter:
    return track_presenter(material / "presenter.mp4")


def streams_of(path: Path) -> tuple[int, Fraction, Fraction]:
    """Frames, picture seconds and sound seconds, by decoding everything."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        rate = container.streams.video[0].average_rate
    with av.open(str(path)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
        sound_rate = container.streams.audio[0].rate
    assert rate is not None
    return len(frames), len(frames) / Fraction(rate), Fraction(samples, sound_rate)


def test_the_clip_is_as_long_as_the_speech(made: tuple[Path, ClipReport]) -> None:
    path, report = made
    frames, picture, sound = streams_of(path)
    assert frames == report.frames == 20  # 0.8 s at 25 frames/s, from a presenter of 12 frames: it plays back and forth
    assert abs(picture - sound) < Fraction(1, 25)


@pytest.mark.parametrize(("rate", "seconds"), [("30000/1001", 1.51), ("12", 0.77), ("24000/1001", 1.234)])
def test_odd_rates_and_lengths_give_the_exact_number_of_frames(tmp_path: Path, rate: str, seconds: float) -> None:
    write_voice(tmp_path / "voice.wav", seconds)
    write_video(tmp_path / "presenter.mp4", swaying_presenter(12), Fraction(rate))
    report = generate_clip(tmp_path / "voice.wav", tmp_path / "presenter.mp4", tmp_path / "clip.mp4")
    frames, picture, sound = streams_of(tmp_path / "clip.mp4")
    assert frames == report.frames == round(Fraction(round(seconds * 16000), 16000) * Fraction(rate))
    assert abs(picture - sound) < 1 / Fraction(rate)


def test_the_clip_is_marked_as_synthetic(made: tuple[Path, ClipReport]) -> None:
    path, report = made
    mark = read_aigc(path)
    assert mark is not None
    assert mark.ProduceID == report.produce_id


def test_the_mouth_moves_and_nothing_above_it(voice: Voice, presenter: Presenter) -> None:
    patches = list(draw_mouths(voice, presenter, load_engine("warp")))
    assert sum(patch.pixels is not None for patch in patches) > len(patches) / 2
    eyes = presenter.tracks.landmarks[:, 36:48, 1].max()
    assert all(patch.top > eyes for patch in patches if patch.pixels is not None)


def test_the_same_input_gives_the_same_patches(short: Path) -> None:
    first, second = (
        list(
            draw_mouths(
                analyse_voice(short / "voice.wav"), track_presenter(short / "presenter.mp4"), load_engine("warp")
            )
        )
        for _ in range(2)
    )
    assert any(patch.pixels is not None for patch in first)
    for one, other in zip(first, second, strict=True):
        assert (one.left, one.top) == (other.left, other.top)
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_what_was_stored_gives_the_same_patches_as_what_was_analysed(
    voice: Voice, presenter: Presenter, tmp_path: Path
) -> None:
    save_voice(voice, tmp_path / "voice.parquet")
    save_presenter(presenter, tmp_path / "tracks.parquet", tmp_path / "speech.parquet")
    stored_voice = load_voice(tmp_path / "voice.parquet", voice.path)
    stored_presenter = load_presenter(
        tmp_path / "tracks.parquet", tmp_path / "speech.parquet", presenter.path, DEFAULTS
    )
    fresh = draw_mouths(voice, presenter, load_engine("warp"))
    again = draw_mouths(stored_voice, stored_presenter, load_engine("warp"))
    for one, other in zip(fresh, again, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)


@pytest.mark.parametrize("name", ["张老师 讲课", "🎉 party", "x" * 200, "-i %03d $(rm) 'a\"b", "a:b|c"])
def test_any_file_name_works(short: Path, tmp_path: Path, name: str) -> None:
    voice, presenter = tmp_path / f"{name}.wav", tmp_path / f"{name}.mp4"
    voice.write_bytes((short / "voice.wav").read_bytes())
    presenter.write_bytes((short / "presenter.mp4").read_bytes())
    output = tmp_path / "out" / f"{name}.mp4"
    generate_clip(voice, presenter, output)
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_a_picture_serves_as_a_presenter_and_a_video_as_a_voice(made: tuple[Path, ClipReport], tmp_path: Path) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "presenter.png"), swaying_presenter(1)[0])
    still = DEFAULTS.model_copy(update={"photographs_move": False})
    report = generate_clip(made[0], tmp_path / "presenter.png", tmp_path / "clip.mp4", settings=still)
    assert report.frames == 20 and "moving" not in report.tracker


def test_bad_input_is_told_in_one_sentence_and_leaves_nothing(material: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video at all")
    with pytest.raises(BadInput, match=r"broken\.mp4"):
        generate_clip(material / "voice.wav", tmp_path / "broken.mp4", tmp_path / "out" / "clip.mp4")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["presenter.mp4", "voice.wav", "clip.avi", "folder"])
def test_a_name_that_is_no_place_for_a_clip_is_refused(material: Path, tmp_path: Path, name: str) -> None:
    for upload in ("presenter.mp4", "voice.wav"):
        (tmp_path / upload).write_bytes((material / upload).read_bytes())
    (tmp_path / "folder").mkdir()
    before = sorted(path.stat().st_size for path in tmp_path.iterdir())
    with pytest.raises(OutputRefused):
        generate_clip(tmp_path / "voice.wav", tmp_path / "presenter.mp4", tmp_path / name)
    assert sorted(path.stat().st_size for path in tmp_path.iterdir()) == before


def test_tracks_of_another_timeline_are_refused(voice: Voice, tmp_path: Path) -> None:
    write_video(tmp_path / "fast.mp4", swaying_presenter(20), 50)
    presenter = replace(track_presenter(tmp_path / "fast.mp4"), limits=UploadLimits(max_frame_rate=30))
    with pytest.raises(StageMissing, match=r"fast\.mp4"):
        next(draw_mouths(voice, presenter, load_engine("warp")))


def test_a_clip_that_cannot_be_measured_does_not_appear(
    short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("heygem_pipeline.clip.finish.measure_sync", broken)
    with pytest.raises(ZeroDivisionError):
        generate_clip(short / "voice.wav", short / "presenter.mp4", tmp_path / "clip.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(material: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("usage", (), {"free": 1000}))
    with pytest.raises(DiskFull, match=r"clip\.mp4"):
        generate_clip(material / "voice.wav", material / "presenter.mp4", tmp_path / "clip.mp4")
    assert list(tmp_path.iterdir()) == []


def test_an_engine_that_does_not_exist_stops_before_any_work(material: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownChoice, match="warp"):
        generate_clip(tmp_path / "none.wav", tmp_path / "none.mp4", tmp_path / "clip.mp4", "wav3lip")


def test_an_upload_replaced_meanwhile_is_noticed(short: Path, tmp_path: Path) -> None:
    presenter_file = tmp_path / "presenter.mp4"
    presenter_file.write_bytes((short / "presenter.mp4").read_bytes())
    voice, presenter = analyse_voice(short / "voice.wav"), track_presenter(presenter_file)
    presenter_file.write_bytes(b"something else")
    with pytest.raises(UploadReplaced, match=r"presenter\.mp4"):
        next(draw_mouths(voice, presenter, load_engine("warp")))


def test_silence_keeps_a_closed_mouth_as_it_is(presenter: Presenter, tmp_path: Path) -> None:
    write_voice(tmp_path / "word.wav", 1.0)
    speech = np.frombuffer((tmp_path / "word.wav").read_bytes()[44:], "<i2").astype(np.float32) / 32768
    write_wav(tmp_path / "pause.wav", np.concatenate([speech, np.zeros(16000 * 2)]))
    patches = list(draw_mouths(analyse_voice(tmp_path / "pause.wav"), presenter, load_engine("warp")))
    assert all(patch.pixels is None for patch in patches[-25:])


def test_a_clip_is_made_of_the_parts_that_are_used(tmp_path: Path) -> None:
    voice, presenter = tmp_path / "voice.wav", tmp_path / "anna.mp4"
    write_voice(voice, 2.0)
    write_video(presenter, swaying_presenter(30))
    write_trim(voice, Trim.of(0.4, 1.2))
    write_trim(presenter, Trim.of(0.2, 1.0))
    heard, seen = analyse_voice(voice), track_presenter(presenter)
    assert (heard.speech.duration, len(seen.tracks)) == (Fraction(4, 5), 20)
    report = generate_clip(heard, seen, tmp_path / "clip.mp4")
    assert report.frames == 20 and report.made_with["voice_part"] == "0.4..1.2"
    assert report.tracker.endswith(" of 0.2..1")
    # Its own sound is the part's, to the sample, but for what AAC loses.
    sound, original = read_sound(tmp_path / "clip.mp4").samples, read_sound(voice).samples[6400:19200]
    assert np.corrcoef(sound[: len(original)], original)[0, 1] > 0.99
    # Stored and loaded, the same parts are read.
    save_voice(heard, tmp_path / "voice.parquet")
    save_presenter(seen, tmp_path / "tracks.parquet", tmp_path / "speech.parquet")
    again = load_presenter(tmp_path / "tracks.parquet", tmp_path / "speech.parquet", presenter, DEFAULTS)
    assert np.array_equal(next(again.open().frames()), next(seen.open().frames()))
    assert load_voice(tmp_path / "voice.parquet", voice).open(DEFAULTS).trim == Trim.of(0.4, 1.2)


def test_an_engine_that_hears_for_itself_hears_the_part_that_is_used(tmp_path: Path) -> None:
    voice, presenter = tmp_path / "voice.wav", tmp_path / "anna.mp4"
    write_voice(voice, 2.0)
    write_video(presenter, swaying_presenter(12))
    write_trim(voice, Trim.of(0.5, 1.25))
    heard: list[int] = []

    class Hearing:
        """Draws nothing, and hears the file that it is given."""

        name, version, device = "hearing", "1", "cpu"

        def generate(
            self, speech: SpeechFeatures, _sequence: object, tracks: FaceTracks, _own: object
        ) -> Iterator[MouthPatch]:
            assert speech.sound is not None
            heard.append(len(read_sound(speech.sound).samples))
            yield from (MouthPatch(place, 0) for place in range(speech.frame_count(tracks.frame_rate)))

    engine = cast("LipSyncEngine", Hearing())
    assert len(list(draw_mouths(analyse_voice(voice), track_presenter(presenter), engine))) == 19
    assert heard == [12000]


def test_a_clip_is_as_loud_as_asked_and_says_how_loud_it_is(tmp_path: Path) -> None:
    write_voice(tmp_path / "voice.wav", 3.0)
    quiet = read_sound(tmp_path / "voice.wav").samples * 0.2
    write_wav(tmp_path / "voice.wav", quiet)
    write_video(tmp_path / "presenter.mp4", swaying_presenter(8))
    files = tmp_path / "voice.wav", tmp_path / "presenter.mp4"
    loud = DEFAULTS.model_copy(update={"loudness": -16.0})
    usual = generate_clip(*files, tmp_path / "usual.mp4", settings=DEFAULTS)
    asked = generate_clip(*files, tmp_path / "asked.mp4", settings=loud)
    assert "loudness" not in usual.made_with and asked.made_with["loudness"] == "-16.0"
    for report in (usual, asked):
        measured = loudness_by_ffmpeg(tmp_path / report.output)
        assert report.loudness == pytest.approx(measured, abs=0.5)
    assert usual.loudness is not None and usual.loudness < -25
    assert asked.loudness == pytest.approx(-16, abs=0.2)
    assert asked.duration == usual.duration and not asked.warnings[len(usual.warnings) :]


def test_what_is_too_short_to_measure_stays_as_it_is_and_is_told(short: Path, tmp_path: Path) -> None:
    write_voice(tmp_path / "syllable.wav", 0.3)
    brief = DEFAULTS.model_copy(update={"loudness": -16.0, "min_speech_seconds": 0.1})
    report = generate_clip(tmp_path / "syllable.wav", short / "presenter.mp4", tmp_path / "clip.mp4", settings=brief)
    assert report.loudness is None
    assert "loudness.not_measured" in [warning.code for warning in report.warnings]


def loudness_by_ffmpeg(clip: Path) -> float:
    command = [str(find_ffmpeg()), "-hide_banner", "-nostats", "-i", str(clip), "-af", "ebur128", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, check=True, text=True).stderr
    return float(re.findall(r"I: +(\S+) LUFS", said)[-1])

"""Subtitles as files, as a track of a clip, and in its picture."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from heygem_pipeline.media.aigc import read_aigc
from heygem_pipeline.media.burnt_subtitles import burnt_subtitles
from heygem_pipeline.media.encode import EncodedClip, encode_clip
from heygem_pipeline.media.frame import BgrFrame
from heygem_pipeline.media.subtitle_fonts import font_for
from heygem_pipeline.media.subtitles import Cue, SubtitleTrack, language_of_track, read_cues, sub_rip, web_vtt
from heygem_pipeline.media.visible_label import Box, VisibleLabel
from heygem_pipeline.settings import DEFAULTS, Subtitles, SyntheticLabel
from heygem_pipeline_tests.conftest import write_voice

CUES = (Cue(0.0, 0.4, "Guten <Morgen> & hallo"), Cue(0.5, 1.0, "Fragen?\nJa!"))
UNKNOWN = "\U0010fffd"
"""A character that no font has."""


def test_what_is_written_is_read_again() -> None:
    assert tuple(read_cues(web_vtt(CUES))) == CUES
    # SubRip knows no escapes.
    assert tuple(read_cues(sub_rip(CUES[1:]))) == CUES[1:]


def test_files_of_other_programs_are_read() -> None:
    srt = "1\n00:00:01,5 --> 00:00:02,250 X1:10\n<font color='red'>One</font>\nline\n\nno cue\n\n2\n"
    srt += "0:03.000 --> 0:02.000\nlate\n"
    assert read_cues(srt) == [Cue(1.5, 2.25, "One\nline"), Cue(3.0, 3.0, "late")]
    assert read_cues("WEBVTT\n\nSTYLE\n::cue { color: red }\n") == []


@pytest.mark.parametrize(
    ("tag", "told"), [("de", "deu"), ("zh-Hant", "zho"), ("pt-BR", "por"), ("", "und"), ("x!", "und")]
)
def test_a_track_names_its_language_as_mp4_does(tag: str, told: str) -> None:
    assert language_of_track(tag) == told


def test_none_goes_on_after_the_clip() -> None:
    assert SubtitleTrack(CUES).until(0.45).cues == (CUES[0],)
    assert SubtitleTrack(CUES).until(0.75).cues[-1].end == 0.75


def clip(
    tmp_path: Path, track: SubtitleTrack | None, size: tuple[int, int] = (320, 180), **chosen: object
) -> EncodedClip:
    voice = tmp_path / "voice.wav"
    write_voice(voice, 1.0)
    frames = [np.full((size[1], size[0], 3), 90, np.uint8) for _ in range(25)]
    synthetic = str(chosen.pop("synthetic_voice", ""))
    return encode_clip(
        frames,
        frame_rate=Fraction(25),
        size=size,
        sound=voice,
        duration=Fraction(1),
        destination=tmp_path / "clip.mp4",
        made_with=DEFAULTS.model_copy(update={"label": SyntheticLabel.OFF, **chosen}),
        subtitles=track,
        synthetic_voice=synthetic,
    )


def test_a_soft_track_has_its_language_its_times_and_changes_no_pixel(tmp_path: Path) -> None:
    made = clip(tmp_path, SubtitleTrack(CUES, "de"))
    assert made.subtitles is Subtitles.SOFT
    with av.open(str(made.path)) as container:
        (track,) = container.streams.subtitles
        assert (track.codec_context.name, track.language) == ("mov_text", "deu")
        told = [
            (float((packet.pts or 0) * (track.time_base or 0)), bytes(packet)[2:].decode())
            for packet in container.demux(track)
            if packet.size > 2
        ]
        assert told == [(0.0, "Guten <Morgen> & hallo"), (0.5, "Fragen?\nJa!")]
    assert all(np.ptp(frame) <= 2 for frame in decoded(made.path))


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def test_burnt_subtitles_are_seen_as_long_as_they_are_said(tmp_path: Path) -> None:
    made = clip(tmp_path, SubtitleTrack(CUES, "de"), subtitles=Subtitles.BURNT)
    assert made.subtitles is Subtitles.BURNT
    with av.open(str(made.path)) as container:
        assert not container.streams.subtitles
    seen = [bool(np.ptp(frame) > 100) for frame in decoded(made.path)]
    assert seen == [number / 25 < 0.4 or number / 25 >= 0.5 for number in range(25)]


@pytest.mark.parametrize("track", [None, SubtitleTrack(())])
def test_without_words_there_is_no_track(tmp_path: Path, track: SubtitleTrack | None) -> None:
    made = clip(tmp_path, track, subtitles=Subtitles.BURNT)
    assert made.subtitles is Subtitles.NONE
    with av.open(str(made.path)) as container:
        assert not container.streams.subtitles


def test_characters_that_no_font_has_become_a_track_instead(tmp_path: Path) -> None:
    made = clip(tmp_path, SubtitleTrack((Cue(0, 1, f"Hallo {UNKNOWN}"),)), subtitles=Subtitles.BURNT)
    assert made.subtitles is Subtitles.SOFT


def test_emoji_that_the_font_lacks_are_left_out(tmp_path: Path) -> None:
    assert (
        clip(tmp_path, SubtitleTrack((Cue(0, 1, "Hallo 👩‍🏫🏽✔️!"),)), subtitles=Subtitles.BURNT).subtitles
        is Subtitles.BURNT
    )


def test_none_is_asked_for(tmp_path: Path) -> None:
    assert clip(tmp_path, SubtitleTrack(CUES), subtitles=Subtitles.NONE).subtitles is Subtitles.NONE


@pytest.mark.parametrize("synthetic", ["", "kokoro jf_alpha"])
def test_the_mark_says_whether_the_voice_is_synthetic_too(tmp_path: Path, synthetic: str) -> None:
    made = clip(tmp_path, None, synthetic_voice=synthetic)
    mark = read_aigc(made.path)
    assert mark is not None and mark.Label == "1"
    assert mark.ReservedCode1 == (f"SyntheticVoice: {synthetic}" if synthetic else "")
    with av.open(str(made.path)) as container:
        assert ("the voice too" in container.metadata["description"]) == bool(synthetic)


LONG = Cue(0, 1, "The quick brown fox jumps over the lazy dog and over another")


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (640, 360)])
@pytest.mark.parametrize(
    "mouth", [(0.4, 0.3, 0.6, 0.5), (0.2, 0.5, 0.8, 0.98), (0.4, 0.75, 0.6, 0.95), (0.4, 0.02, 0.6, 0.2)]
)
def test_burnt_text_keeps_clear_of_mouth_and_label(size: tuple[int, int], mouth: tuple[float, ...]) -> None:
    width, height = size
    keep_clear: Box = tuple(round(part * (width, height)[side % 2]) for side, part in enumerate(mouth))  # pyright: ignore[reportAssignmentType]
    label = VisibleLabel(width, height, keep_clear).region
    burnt = burnt_subtitles(SubtitleTrack((LONG,)), size, None, label, keep_clear)
    assert burnt is not None
    (frame,) = burnt.on([BgrFrame(np.full((height, width, 3), 200, np.uint8))], Fraction(25))
    rows, columns = np.nonzero((frame.whole() != 200).any(axis=2))
    assert len(rows) > 100
    for left, top, right, bottom in (keep_clear, label):
        assert not ((rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)).any()
    assert columns.min() >= 0.02 * width and columns.max() <= 0.98 * width


@pytest.mark.parametrize(("language", "text"), [("de", "Größe"), ("ru", "Привет"), ("el", "Γειά")])
def test_a_font_that_is_always_there_has_the_letters_of_europe(
    language: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heygem_pipeline.media.subtitle_fonts._folders", _of_matplotlib_alone)
    from heygem_pipeline.media.subtitle_fonts import _fonts

    _fonts.cache_clear()
    try:
        assert font_for(text, 20, language, None) is not None
        assert font_for("你好", 20, "zh", None) is None
    finally:
        _fonts.cache_clear()


def _of_matplotlib_alone() -> list[Path]:
    import matplotlib

    return [Path(matplotlib.get_data_path()) / "fonts" / "ttf"]


def test_a_font_that_is_none_draws_nothing(tmp_path: Path) -> None:
    (tmp_path / "font.ttf").write_bytes(b"no font")
    assert font_for("a", 20, "", tmp_path / "font.ttf") is None

"""A part of a recording or video: exactly these samples, exactly these frames."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.errors import NothingLeft
from heygem_pipeline.media import decode
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.probe import probe_sound
from heygem_pipeline.media.sound import read_sound, resampled_sound
from heygem_pipeline.media.trim import WHOLE, Trim
from heygem_pipeline.settings import DEFAULTS
from heygem_pipeline_tests.media.conftest import MakeMedia

X264 = ("-c:v", "libx264", "-preset", "veryfast", "-g", "12", "-bf", "3")
VIDEOS = {
    "constant rate": ("mp4", X264),
    "29.97 a second": ("mp4", (*X264, "-r", "30000/1001")),
    "late first timestamp": ("ts", (*X264, "-output_ts_offset", "9000")),
    "variable rate": ("mkv", (*X264, "-vf", "select='mod(n,5)*mod(n,7)'", "-fps_mode", "vfr")),
}


@pytest.fixture(params=VIDEOS)
def video(request: pytest.FixtureRequest, make_media: MakeMedia, moving: Path) -> Path:
    suffix, options = VIDEOS[request.param]
    return make_media(f"trimmed {request.param}.{suffix}", "-i", moving, *options)


def times_of(path: Path) -> list[float]:
    """When each frame of the file begins, in seconds from the first."""
    index = FrameSequence.open(path).index
    assert index is not None
    return [float((tick - index.timestamps[0]) * index.time_base) for tick in index.timestamps]


def test_a_part_begins_with_the_frame_that_begins_there_and_ends_before_the_one_that_begins_at_its_end(
    video: Path,
) -> None:
    times = times_of(video)
    first, stop = 14, 30
    # As people read them: to the thousandth, rounded up or down.
    part = FrameSequence.open(video, trim=Trim.of(round(times[first], 3), round(times[stop], 3)))
    shown = part.source_frames
    assert (shown[0], shown[-1]) == (first, stop - 1)
    assert part.info.frame_count == round((times[stop] - times[first]) * part.frame_rate)
    whole = list(FrameSequence.open(video).frames())
    pixels = {source: whole[place] for place, source in enumerate(FrameSequence.open(video).source_frames)}
    for frame, source in zip(part.frames(), shown, strict=True):
        assert np.array_equal(frame, pixels[source])
    # Between two frames: the next one is the first.
    between = (times[first] + times[first + 1]) / 2
    assert FrameSequence.open(video, trim=Trim.of(between)).source_frames[0] == first + 1


def test_nothing_before_the_nearest_key_frame_is_decoded(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entered: list[int | None] = []
    decoded = decode._decode

    def noted(path: Path, index: object, key: int | None, wanted: object) -> object:
        entered.append(key)
        return decoded(path, index, key, wanted)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(decode, "_decode", noted)
    part = FrameSequence.open(video, trim=Trim.of(times_of(video)[30]))
    next(iter(part.frames()))
    assert entered[0] is not None and entered[0] >= 2


def test_forward_and_back_a_part_stays_within_itself(video: Path) -> None:
    part = FrameSequence.open(video, trim=Trim.of(0.5, 0.9))
    count = part.info.frame_count
    shown = [index for index, _ in part.presentation(3 * count)]
    assert max(shown) == count - 1 and shown[count] == count - 2


@pytest.fixture
def spoken(make_media: MakeMedia) -> Path:
    return make_media("spoken.ogg", "-f", "lavfi", "-i", "sine=300:duration=2.0:sample_rate=44100", "-c:a", "libvorbis")


@pytest.mark.parametrize("trim", [WHOLE, Trim.of(0.5), Trim.of(0, 1.25), Trim.of(0.333, 1.337)])
def test_what_is_analysed_and_what_is_heard_are_cut_at_the_same_moment(spoken: Path, trim: Trim) -> None:
    info = probe_sound(spoken)
    whole, part = read_sound(spoken), read_sound(spoken, probed=replace(info, trim=trim))
    start, end = trim.start, min(whole.duration, trim.end or whole.duration)
    assert part.duration == end - start
    assert np.array_equal(part.samples, whole.samples[round(start * 16000) : round(end * 16000)])
    every = np.concatenate(list(resampled_sound(info, 48000, 2)))
    heard = np.concatenate(list(resampled_sound(replace(info, trim=trim), 48000, 2)))
    assert np.array_equal(heard, every[round(start * 48000) : round(end * 48000)])
    assert abs(len(heard) - part.duration * 48000) <= 1


def test_a_part_behind_the_end_is_refused_in_words(spoken: Path, moving: Path) -> None:
    behind = Trim.of(60, 70)
    with pytest.raises(NothingLeft, match=r"2\.0 seconds long"):
        read_sound(spoken, probed=replace(probe_sound(spoken), trim=behind))
    with pytest.raises(NothingLeft, match=r"between second 60\.000 and second 70\.000"):
        FrameSequence.open(moving, DEFAULTS, behind)


@pytest.mark.parametrize(("start", "end"), [(-1.0, None), (2.0, 2.0), (3.0, 1.0), (0.0, 0.0)])
def test_what_can_be_no_part_is_none(start: float, end: float | None) -> None:
    with pytest.raises(ValueError):
        Trim.of(start, end)


def test_a_part_is_counted_in_thousandths() -> None:
    assert Trim.of(1.0004, 2.9996) == Trim(Fraction(1), Fraction(3))

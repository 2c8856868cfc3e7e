"""Frames stored as a clip is are converted part by part, and reach the encoder as they were decoded."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.media.decode import Converter, sample_frames
from heygem_pipeline.media.frame import BgrFrame, Pixels, YuvFrame
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.packet_index import PacketIndex
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline_tests.media.conftest import DISPLAY_MATRICES, MOVING, MakeMedia, turned

X264 = ("-c:v", "libx264", "-preset", "veryfast", "-g", "999")
LIKE_A_CLIP = ("-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", "-colorspace", "bt709")
OTHERS = {
    "BT.601": ("-vf", "scale=out_color_matrix=bt601:out_range=tv,format=yuv420p", "-colorspace", "smpte170m"),
    "full range": ("-vf", "scale=out_color_matrix=bt709:out_range=pc,format=yuv420p", "-color_range", "pc"),
    "10 bit": ("-vf", "scale=out_color_matrix=bt709,format=yuv420p10", "-colorspace", "bt709"),
    "4:4:4": ("-vf", "scale=out_color_matrix=bt709,format=yuv444p", "-colorspace", "bt709"),
    "odd sides": ("-vf", "crop=159:119,scale=out_color_matrix=bt709,format=yuv444p", "-colorspace", "bt709"),
    "wide pixels": ("-vf", "scale=out_color_matrix=bt709,format=yuv420p,setsar=2", "-colorspace", "bt709"),
}


@pytest.fixture
def like_a_clip(make_media: MakeMedia) -> FrameSequence:
    return FrameSequence.open(make_media("clip.mkv", "-f", "lavfi", "-i", MOVING, *X264, *LIKE_A_CLIP))


def index_of(sequence: FrameSequence) -> PacketIndex:
    assert sequence.index is not None
    return sequence.index


def frame_of(sequence: FrameSequence, number: int = 3) -> YuvFrame:
    (decoded,) = list(sample_frames(sequence.info.path, index_of(sequence), sequence.times[number : number + 1]))
    frame = Converter(sequence.info).frame(decoded)
    assert isinstance(frame, YuvFrame)
    return frame


def planes(packed: Pixels) -> list[NDArray[np.int64]]:
    """Luma and both colours of what an encoder is given."""
    height, width = packed.shape[0] * 2 // 3, packed.shape[1]
    colours = packed[height:].reshape(2, height // 2, width // 2)
    return [plane.astype(np.int64) for plane in (packed[:height], *colours)]


def test_a_part_is_the_same_as_in_the_whole_bit_for_bit(like_a_clip: FrameSequence) -> None:
    whole = list(like_a_clip.frames())[3]
    frame = frame_of(like_a_clip)
    np.testing.assert_array_equal(frame.whole(), whole)
    width, height = frame.size
    places = np.random.default_rng(1)
    boxes = [(0, 0, width, height), (0, 0, 7, 5), (width - 9, height - 4, width, height), (3, 11, 4, 12)]
    for _ in range(20):
        left, right = sorted(places.choice(width + 1, 2, replace=False))
        top, bottom = sorted(places.choice(height + 1, 2, replace=False))
        boxes.append((int(left), int(top), int(right), int(bottom)))
    for left, top, right, bottom in boxes:
        np.testing.assert_array_equal(frame.part(left, top, right, bottom), whole[top:bottom, left:right])


def test_what_nobody_draws_on_reaches_the_encoder_as_it_was_decoded(like_a_clip: FrameSequence) -> None:
    (decoded,) = list(sample_frames(like_a_clip.info.path, index_of(like_a_clip), like_a_clip.times[3:4]))
    np.testing.assert_array_equal(Converter(like_a_clip.info).frame(decoded).yuv420p(), decoded.to_ndarray())


@pytest.mark.parametrize(("left", "top", "columns", "rows"), [(40, 20, 60, 50), (41, 21, 59, 51), (0, 0, 30, 20)])
def test_drawing_changes_what_is_drawn_on_and_nothing_else(
    left: int, top: int, columns: int, rows: int, like_a_clip: FrameSequence
) -> None:
    frame, before = frame_of(like_a_clip), planes(frame_of(like_a_clip).yuv420p())
    orange = np.tile(np.array([20, 120, 240], np.uint8), (rows, columns, 1))
    frame.draw(left, top, orange)
    for plane, was, size in zip(planes(frame.yuv420p()), before, (1, 2, 2), strict=True):
        touched = np.zeros(plane.shape, bool)
        touched[top // size : -(-(top + rows) // size), left // size : -(-(left + columns) // size)] = True
        np.testing.assert_array_equal(plane[~touched], was[~touched])
    inside = frame.part(left + 6, top + 6, left + columns - 6, top + rows - 6).astype(int)
    assert np.abs(inside - orange[6:-6, 6:-6]).max() <= 4


def test_drawing_leaves_the_decoded_frame_as_it_is(like_a_clip: FrameSequence) -> None:
    (decoded,) = list(sample_frames(like_a_clip.info.path, index_of(like_a_clip), like_a_clip.times[3:4]))
    before = decoded.to_ndarray()
    Converter(like_a_clip.info).frame(decoded).draw(10, 10, np.zeros((40, 40, 3), np.uint8))
    np.testing.assert_array_equal(decoded.to_ndarray(), before)


@pytest.mark.parametrize("drawn_on", [(50, 30, 61, 41), (32, 14, 90, 70), (3, 2, 140, 110)])
def test_what_was_looked_at_is_drawn_on_as_if_it_had_not_been(
    drawn_on: tuple[int, ...], like_a_clip: FrameSequence
) -> None:
    left, top, right, bottom = drawn_on
    drawn = np.random.default_rng(2).integers(0, 256, (bottom - top, right - left, 3)).astype(np.uint8)
    unseen, seen, place = frame_of(like_a_clip), frame_of(like_a_clip), np.zeros((70, 80, 3), np.uint8)
    same_planes = seen.again()
    seen.put_part((20, 10, 100, 80), place)
    np.testing.assert_array_equal(place, unseen.part(20, 10, 100, 80))
    place[:] = 0
    for frame in (unseen, same_planes):
        frame.draw(left, top, drawn)
    np.testing.assert_array_equal(same_planes.yuv420p(), unseen.yuv420p())
    np.testing.assert_array_equal(same_planes.part(20, 10, 100, 80), unseen.part(20, 10, 100, 80))
    np.testing.assert_array_equal(seen.part(20, 10, 100, 80), frame_of(like_a_clip).part(20, 10, 100, 80))


def test_drawn_pixels_of_a_frame_in_bgr_are_those_given() -> None:
    given = np.zeros((50, 60, 3), np.uint8)
    frame = BgrFrame(given)
    frame.draw(10, 20, np.full((5, 7, 3), 200, np.uint8))
    assert frame.whole()[20:25, 10:17].min() == 200
    assert frame.whole().sum() == 200 * 5 * 7 * 3
    assert not given.any()


@pytest.mark.parametrize("name", OTHERS)
def test_frames_stored_in_another_way_are_converted_whole(name: str, make_media: MakeMedia) -> None:
    path = make_media("other.mkv", "-f", "lavfi", "-i", MOVING, *X264, *OTHERS[name], "-t", "0.2")
    sequence = FrameSequence.open(path)
    for (_, shown), pixels in zip(sequence.shown(sequence.info.frame_count), sequence.frames(), strict=True):
        assert isinstance(shown, BgrFrame)
        np.testing.assert_array_equal(shown.whole(), pixels)


def test_turned_frames_are_converted_whole(make_media: MakeMedia, tmp_path: Path) -> None:
    stored = make_media("clip.mp4", "-f", "lavfi", "-i", MOVING, *X264, *LIKE_A_CLIP, "-t", "0.2")
    sequence = FrameSequence.open(turned(stored, next(iter(DISPLAY_MATRICES.values())), tmp_path))
    (_, frame), *_ = sequence.shown(1)
    assert isinstance(frame, BgrFrame)
    assert frame.size == (sequence.info.width, sequence.info.height)


@pytest.mark.parametrize("free", [0, 2**40])
def test_backward_they_are_the_same_from_memory_and_from_the_disk(
    free: int, like_a_clip: FrameSequence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": free})())
    monkeypatch.setattr("heygem_pipeline.media.frame_sequence.BACKWARD_BYTES", 7 * like_a_clip.info.decoded_bytes)
    count = like_a_clip.info.frame_count
    shown = [(index, frame.yuv420p()) for index, frame in like_a_clip.shown(2 * count)]
    assert [index for index, _ in shown] == [ping_pong(place, count) for place in range(2 * count)]
    for index, pixels in shown:
        np.testing.assert_array_equal(pixels, shown[index][1])


def test_only_the_part_that_is_wanted_is_converted(like_a_clip: FrameSequence) -> None:
    boxes = np.tile([31, 12, 90, 77], (like_a_clip.info.frame_count, 1))
    boxes[2] = 0
    for index, (part, whole) in enumerate(zip(like_a_clip.frames(boxes), like_a_clip.frames(), strict=True)):
        left, top, right, bottom = boxes[index]
        expected = np.zeros_like(whole)
        expected[top:bottom, left:right] = whole[top:bottom, left:right]
        np.testing.assert_array_equal(part, expected)

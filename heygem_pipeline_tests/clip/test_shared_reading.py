"""Frames that are read once for two are those that each would read for itself."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest

from heygem_pipeline.clip.shared_reading import SharedReading
from heygem_pipeline.media.frame import Frame
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline_tests.media.conftest import run_ffmpeg

COUNT = 60


@pytest.fixture(scope="module", params=["bt709", "smpte170m"])
def sequence(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> FrameSequence:
    """25 frames stored as a clip is, or in another way."""
    path = tmp_path_factory.mktemp("shared") / "presenter.mp4"
    source = f"testsrc2=size=64x48:rate=25:duration=1,scale=out_color_matrix={request.param},format=yuv420p"
    run_ffmpeg("-f", "lavfi", "-i", source, "-colorspace", request.param, "-c:v", "libx264", path)
    return FrameSequence.open(path)


def expected(sequence: FrameSequence) -> list[tuple[int, bytes]]:
    return [(index, frame.yuv420p().tobytes()) for index, frame in sequence.shown(COUNT)]


@pytest.mark.parametrize("ahead", [1, 7, COUNT])
@pytest.mark.parametrize("kept", [0, 5, 1000])
def test_whoever_reads_second_reads_the_same(
    sequence: FrameSequence, ahead: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heygem_pipeline.clip.shared_reading.KEPT_BYTES", kept * 64 * 48 * 3 // 2)
    reading = SharedReading(sequence)
    engine, composed = reading.sequence.presentation(COUNT), reading.frames(COUNT)
    for _ in islice(engine, ahead - 1):
        pass
    second = []
    for _ in range(COUNT):
        next(engine, None)
        index, frame = next(composed)
        second.append((index, frame.yuv420p().tobytes()))
    assert second == expected(sequence)


def test_an_engine_that_reads_nothing_keeps_nobody_waiting(sequence: FrameSequence) -> None:
    second = [(index, frame.yuv420p().tobytes()) for index, frame in SharedReading(sequence).frames(COUNT)]
    assert second == expected(sequence)


def test_what_is_drawn_on_shared_frames_is_not_seen_by_the_engine(sequence: FrameSequence) -> None:
    reading = SharedReading(sequence)
    for seen, alone in zip(reading.sequence.presentation(COUNT), sequence.presentation(COUNT), strict=True):
        np.testing.assert_array_equal(seen[1], alone[1])
        if seen[0] == 0:
            (_, frame), *_ = reading.frames(1)
            frame.draw(0, 0, np.zeros((48, 64, 3), np.uint8))


@pytest.mark.parametrize("sequence", ["bt709"], indirect=True)
def test_each_frame_is_decoded_once(sequence: FrameSequence, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    forward = FrameSequence._forward  # pyright: ignore[reportPrivateUsage]

    def counted(*given: Any) -> Iterator[tuple[int, Frame]]:
        for index, frame in forward(*given):
            decoded.append(index)
            yield index, frame

    monkeypatch.setattr(FrameSequence, "_forward", counted)
    reading = SharedReading(sequence)
    composed = reading.frames(20)
    for _ in reading.sequence.presentation(20):
        next(composed)
    assert decoded == list(range(20))


def test_it_is_a_presenter_like_any_other(sequence: FrameSequence) -> None:
    shared = SharedReading(sequence).sequence
    assert (shared.info, shared.frame_rate) == (sequence.info, sequence.frame_rate)
    for seen, alone in zip(shared.frames(), sequence.frames(), strict=True):
        np.testing.assert_array_equal(seen, alone)

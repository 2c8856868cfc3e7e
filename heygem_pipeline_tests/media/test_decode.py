"""Frames that nobody asks for are not decoded where nothing is built on them."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
import pytest
from av.video.frame import VideoFrame

from heygem_pipeline.media import decode
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline_tests.media.conftest import MOVING, MakeMedia

X264 = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "20", "-sc_threshold", "0")


@pytest.mark.parametrize("wanted", [range(7, 37, 2), range(8, 38, 2), (3, 4, 19, 20, 21, 44), range(50)])
def test_what_is_shown_is_the_same_without_the_frames_between(make_media: MakeMedia, wanted: Sequence[int]) -> None:
    video = FrameSequence.open(make_media("clip.mp4", "-f", "lavfi", "-i", MOVING, *X264, "-pix_fmt", "yuv420p"))
    assert video.index is not None
    path, times = video.info.path, video.times[list(wanted)]
    plain, sparing = (
        [(frame.pts, frame.to_ndarray()) for frame in decode.sample_frames(path, video.index, times, progressive=one)]
        for one in (False, True)
    )
    assert [pts for pts, _ in plain] == [pts for pts, _ in sparing]
    for (_, one), (_, other) in zip(plain, sparing, strict=True):
        np.testing.assert_array_equal(one, other)


def test_half_of_the_frames_between_key_frames_need_not_be_decoded(
    make_media: MakeMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = FrameSequence.open(make_media("clip.mp4", "-f", "lavfi", "-i", MOVING, *X264, "-pix_fmt", "yuv420p"))
    assert video.index is not None
    counts = []
    whole = decode.deinterlaced

    def counted(frames: Iterator[VideoFrame], time_base: Fraction) -> Iterator[VideoFrame]:
        counts.append(0)
        for frame in whole(frames, time_base):
            counts[-1] += 1
            yield frame

    monkeypatch.setattr(decode, "deinterlaced", counted)
    for progressive in (False, True):
        assert len(list(decode.sample_frames(video.info.path, video.index, video.times[18:19], progressive))) == 1
    assert counts[1] <= 0.7 * counts[0]

"""Frames that are read once for two are those that each would read for itself."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest

from heygem_pipeline.clip.shared_reading import SharedReading
from heygem_pipeline.media.frame import Frame
from heygem_pipeline.media.template import Template
from heygem_pipeline_tests.media.conftest import run_ffmpeg

COUNT = 60


@pytest.fixture(scope="module", params=["bt709", "smpte170m"])
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """25 frames stored as a clip is, or in another way."""
    path = tmp_path_factory.mktemp("shared") / "presenter.mp4"
    source = f"testsrc2=size=64x48:rate=25:duration=1,scale=out_color_matrix={request.param},format=yuv420p"
    run_ffmpeg("-f", "lavfi", "-i", source, "-colorspace", request.param, "-c:v", "libx264", path)
    return Template.open(path)


def expected(template: Template) -> list[tuple[int, bytes]]:
    return [(index, frame.yuv420p().tobytes()) for index, frame in template.shown(COUNT)]


@pytest.mark.parametrize("ahead", [1, 7, COUNT])
@pytest.mark.parametrize("kept", [0, 5, 1000])
def test_whoever_reads_second_reads_the_same(
    template: Template, ahead: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heygem_pipeline.clip.shared_reading.KEPT_BYTES", kept * 64 * 48 * 3 // 2)
    reading = SharedReading(template)
    engine, composed = reading.template.presentation(COUNT), reading.frames(COUNT)
    for _ in islice(engine, ahead - 1):
        pass
    second = []
    for _ in range(COUNT):
        next(engine, None)
        index, frame = next(composed)
        second.append((index, frame.yuv420p().tobytes()))
    assert second == expected(template)


def test_an_engine_that_reads_nothing_keeps_nobody_waiting(template: Template) -> None:
    second = [(index, frame.yuv420p().tobytes()) for index, frame in SharedReading(template).frames(COUNT)]
    assert second == expected(template)


def test_what_is_drawn_on_shared_frames_is_not_seen_by_the_engine(template: Template) -> None:
    reading = SharedReading(template)
    for seen, alone in zip(reading.template.presentation(COUNT), template.presentation(COUNT), strict=True):
        np.testing.assert_array_equal(seen[1], alone[1])
        if seen[0] == 0:
            (_, frame), *_ = reading.frames(1)
            frame.draw(0, 0, np.zeros((48, 64, 3), np.uint8))


@pytest.mark.parametrize("template", ["bt709"], indirect=True)
def test_each_frame_is_decoded_once(template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    forward = Template._forward  # pyright: ignore[reportPrivateUsage]

    def counted(*given: Any) -> Iterator[tuple[int, Frame]]:
        for index, frame in forward(*given):
            decoded.append(index)
            yield index, frame

    monkeypatch.setattr(Template, "_forward", counted)
    reading = SharedReading(template)
    composed = reading.frames(20)
    for _ in reading.template.presentation(20):
        next(composed)
    assert decoded == list(range(20))


def test_it_is_a_template_like_any_other(template: Template) -> None:
    shared = SharedReading(template).template
    assert (shared.info, shared.frame_rate) == (template.info, template.frame_rate)
    for seen, alone in zip(shared.frames(), template.frames(), strict=True):
        np.testing.assert_array_equal(seen, alone)

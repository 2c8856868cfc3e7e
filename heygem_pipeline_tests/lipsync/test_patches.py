"""Patches on disk and on the presenter."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.lipsync.compositing import composite
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.patches import write_patches
from heygem_pipeline.media.frame_sequence import FrameSequence


def some_patches(count: int) -> list[MouthPatch]:
    random = np.random.default_rng(1)
    return [
        MouthPatch(i, i, 3, 5, random.integers(0, 256, (7 + i % 3, 9, 3), dtype=np.uint8) if i % 4 else None, i % 3 / 2)
        for i in range(count)
    ]


def test_patches_come_back_bit_for_bit_and_in_order(tmp_path: Path) -> None:
    patches = some_patches(70)
    stored = write_patches(patches, tmp_path / "clip.parquet", lambda: {"engine": "warp"})
    for before, after in zip(patches, stored, strict=True):
        assert (before.output_frame, before.presenter_frame) == (after.output_frame, after.presenter_frame)
        assert before.own_mouth == after.own_mouth
        if before.pixels is None or after.pixels is None:
            assert before.pixels is after.pixels
        else:
            assert (before.left, before.top) == (after.left, after.top)
            np.testing.assert_array_equal(before.pixels, after.pixels)
    assert stored.metadata()["engine"] == "warp"


def test_a_failing_engine_leaves_no_file(tmp_path: Path) -> None:
    def failing() -> Iterator[MouthPatch]:
        yield from some_patches(40)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_patches(failing(), tmp_path / "clip.parquet", dict)
    assert list(tmp_path.iterdir()) == []


def test_outside_the_patch_the_pixels_are_the_presenters(material: Path) -> None:
    sequence = FrameSequence.open(material / "presenter.mp4")
    originals = list(sequence.frames())
    patch = np.full((4, 6, 3), 255, np.uint8)
    patches = [MouthPatch(0, 0, 10, 20, patch), MouthPatch(1, 1)]
    first, second = (frame.whole() for frame in composite(sequence.shown(2), patches))
    np.testing.assert_array_equal(second, originals[1])
    np.testing.assert_array_equal(first[20:24, 10:16], patch)
    first[20:24, 10:16] = originals[0][20:24, 10:16]
    np.testing.assert_array_equal(first, originals[0])


def test_a_patch_of_another_frame_is_refused(material: Path) -> None:
    sequence = FrameSequence.open(material / "presenter.mp4")
    with pytest.raises(ValueError, match="belongs on frame 5"):
        list(composite(sequence.shown(1), [MouthPatch(0, 5)]))

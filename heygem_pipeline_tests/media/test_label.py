from fractions import Fraction

import numpy as np
import pytest

from heygem_pipeline.media.frame import BgrFrame, Pixels
from heygem_pipeline.media.label import VisibleLabel, with_label
from heygem_pipeline.settings import SyntheticLabel

SIZES = [
    (96, 96),
    (240, 426),
    (301, 301),
    (512, 512),
    (1280, 720),
    (720, 1280),
    (1080, 1920),
    (1920, 1080),
    (4096, 200),
    (200, 2304),
]


def changed(width: int, height: int, grey: int) -> tuple[np.ndarray, ...]:
    """(rows, columns) of the pixels that the label changes on a grey frame."""
    frame = np.full((height, width, 3), grey, np.uint8)
    return np.nonzero((labelled(frame) != frame).any(axis=2))


def labelled(frame: Pixels) -> Pixels:
    """The frame with the label on it."""
    height, width = frame.shape[:2]
    return VisibleLabel(width, height).draw(BgrFrame(frame)).whole()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_label_lies_whole_in_the_bottom_right_corner(width: int, height: int) -> None:
    rows, columns = changed(width, height, 128)
    assert rows.min() > height / 2
    assert rows.max() < height - 1
    assert width / 2 < columns.max() < width - 1
    assert columns.min() > 0


@pytest.mark.parametrize(("width", "height"), [size for size in SIZES if min(size) >= 240])
def test_the_characters_are_at_least_5_percent_of_the_shorter_side_high(width: int, height: int) -> None:
    shown = labelled(np.full((height, width, 3), 128, np.uint8))
    bright = (shown.min(axis=2) >= 200).nonzero()
    columns = slice(bright[1].min(), bright[1].max() + 1)
    ink = shown[:, columns].min(axis=2) >= 200
    share = (226 - 40) / 1584, (538 - 40) / 1584  # where 生成 stands in the mask
    chinese = ink[:, round(share[0] * ink.shape[1]) : round(share[1] * ink.shape[1])]
    rows = chinese.any(axis=1).nonzero()[0]
    assert rows.max() - rows.min() + 1 >= 0.05 * min(width, height)


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_the_label_can_be_read_on_any_background(grey: int) -> None:
    shown = labelled(np.full((720, 1280, 3), grey, np.uint8))
    rows, columns = changed(1280, 720, 128)
    inset = (rows.max() - rows.min()) // 4
    region = shown[rows.min() + inset : rows.max() - inset, columns.min() + inset : columns.max() - inset, 0]
    assert region.max() >= 250
    assert np.median(region) <= 105


def test_the_callers_frame_is_not_touched() -> None:
    frame = np.zeros((720, 1280, 3), np.uint8)
    VisibleLabel(1280, 720).draw(BgrFrame(frame))
    assert not frame.any()


@pytest.mark.parametrize(
    ("shown", "rate", "labelled"),
    [
        (SyntheticLabel.OFF, Fraction(25), 0),
        (SyntheticLabel.START, Fraction(25), 50),
        (SyntheticLabel.START, Fraction(30000, 1001), 60),
        (SyntheticLabel.ALWAYS, Fraction(25), 70),
    ],
)
def test_it_is_shown_for_two_seconds_always_or_never(shown: SyntheticLabel, rate: Fraction, labelled: int) -> None:
    frames = [BgrFrame(np.zeros((96, 96, 3), np.uint8)) for _ in range(70)]
    result = list(with_label(frames, 96, 96, rate, shown))
    assert [bool(frame.whole().any()) for frame in result] == [True] * labelled + [False] * (70 - labelled)

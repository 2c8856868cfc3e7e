from fractions import Fraction

import numpy as np
import pytest

from heygem_pipeline.media.frame import BgrFrame, Pixels
from heygem_pipeline.media.visible_label import Box, VisibleLabel, labelled_frames, with_label
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


WIDTH, HEIGHT = 1280, 720
LEFT, RIGHT, TOP, BOTTOM = (0, WIDTH // 2), (WIDTH // 2, WIDTH), (0, HEIGHT // 2), (HEIGHT // 2, HEIGHT)


def box_of(columns: tuple[int, int], rows: tuple[int, int]) -> Box:
    return columns[0], rows[0], columns[1], rows[1]


@pytest.mark.parametrize(
    ("keep_clear", "columns", "rows"),
    [
        (box_of(RIGHT, BOTTOM), LEFT, BOTTOM),
        (box_of((0, WIDTH), BOTTOM), RIGHT, TOP),
        ((300, 0, WIDTH, HEIGHT), LEFT, BOTTOM),
        ((0, 40, WIDTH, HEIGHT), RIGHT, TOP),
        ((400, 200, 800, 600), RIGHT, BOTTOM),
    ],
)
def test_the_label_takes_the_first_corner_that_leaves_a_place_clear_or_covers_least_of_it(
    keep_clear: Box, columns: tuple[int, int], rows: tuple[int, int]
) -> None:
    frame = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    drawn = VisibleLabel(WIDTH, HEIGHT, keep_clear).draw(BgrFrame(frame)).whole()
    changed_rows, changed_columns = np.nonzero((drawn != 128).any(axis=2))
    assert columns[0] < changed_columns.min() and changed_columns.max() < columns[1]
    assert rows[0] < changed_rows.min() and changed_rows.max() < rows[1]


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
    result = list(with_label(frames, (96, 96), labelled_frames(rate, 70, shown)))
    assert [bool(frame.whole().any()) for frame in result] == [True] * labelled + [False] * (70 - labelled)

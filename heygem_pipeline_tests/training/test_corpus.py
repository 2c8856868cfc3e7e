"""How a clip becomes an example."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.faces.mouth_measure import MouthShape
from heygem_pipeline.lipsync.contract.material import made_features
from training import corpus
from training.corpus import Example, example_of, person_of

ONE_FRAME = 6
"""In it alone the lips touch; smoothed over time they do not."""


class FiveSeconds:
    """As much of face tracks as an example asks for."""

    frame_rate = Fraction(25)

    def __len__(self) -> int:
        return 125


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Example:
    opening = np.maximum(0, np.sin(np.arange(125) / 3)).astype(np.float32)
    opening[60] = np.nan
    mouth = MouthShape(
        opening * 0.2,
        0.8 - opening * 0.1,
        opening * 0.1,
        0.9 + opening * 0.1,
        0.6 - opening * 0.05,
        opening,
        opening * 0,
    )
    monkeypatch.setattr(corpus, "measure_mouth", lambda tracks: mouth)
    by_frame = opening * 0.2
    by_frame[ONE_FRAME] = 0
    monkeypatch.setattr(corpus, "_gap_by_frame", lambda tracks: by_frame)
    speech, mel = made_features(np.ones(401)), np.zeros((500, 80), np.float32)
    return example_of(Path("train/grid/grid_s4_x.mp4"), speech, mel, FiveSeconds())  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("stem", "person"),
    [
        ("styletalk_003_Obama_clip1_mux", "Obama"),
        ("edtalk_010_RD_Radio51_000", "Obama"),
        ("grids1_bwbhzp", "GRID s1"),
        ("lipreadingus_020_pgbk6n", "GRID s1"),
        ("usgov_trump_10s", "usgov_trump_10s"),
    ],
)
def test_clips_of_one_person_share_a_name(stem: str, person: str) -> None:
    assert person_of(stem) == person


def test_a_closed_mouth_is_0_and_a_wide_one_1(example: Example) -> None:
    shape = example.shape
    for channel in (0, 2, 3, 4):
        assert np.nanmin(shape[:, channel]) == pytest.approx(0, abs=1e-3)
        assert np.nanpercentile(shape[:, channel], 90) == pytest.approx(1, abs=1e-3)


def test_a_narrower_mouth_is_negative_in_deviations(example: Example) -> None:
    assert np.nanmax(example.shape[:, 1]) == pytest.approx(0, abs=1e-3)
    assert np.nanstd(example.shape[:, 1]) == pytest.approx(1, abs=1e-3)


def test_frames_without_a_face_stay_unknown(example: Example) -> None:
    assert np.isnan(example.shape[60]).all()
    assert np.isnan(example.movement[60]).all()
    assert np.isfinite(np.delete(example.movement, 60, axis=0)).all()


def test_a_closure_of_one_frame_is_kept(example: Example) -> None:
    assert example.shape[ONE_FRAME, 0] > 0.5
    assert example.apart[ONE_FRAME] == pytest.approx(0, abs=1e-3)
    others = np.delete(np.arange(125), [ONE_FRAME, 60])
    np.testing.assert_allclose(example.apart[others], example.shape[others, 0], atol=1e-5)


def test_its_folder_says_of_what_kind_it_is(example: Example) -> None:
    assert (example.kind, example.person) == ("grid", "GRID s4")

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heygem_pipeline.faces.face_alignment_models import heatmap_peaks

torch = pytest.importorskip("torch")
places = st.floats(2.0, 62.0)


@given(places, places, st.floats(0.8, 2.0), st.floats(0.05, 1.0))
def test_the_middle_of_a_gaussian_is_found_between_the_cells(x: float, y: float, sigma: float, height: float) -> None:
    row, column = np.mgrid[0:64, 0:64] + 0.5
    heatmap = height * np.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * sigma**2))
    found = heatmap_peaks(torch.from_numpy(heatmap.astype(np.float32))[None])
    np.testing.assert_allclose(found[0], [x, y], atol=0.02)


@given(st.integers(0, 63), st.integers(0, 63), st.floats(-1.0, 1.0))
def test_a_peak_stays_in_its_cell_wherever_it_is_and_whatever_lies_below(x: int, y: int, ground: float) -> None:
    heatmap = torch.full((1, 64, 64), ground)
    heatmap[0, y, x] = ground + 1
    found = heatmap_peaks(heatmap)[0].numpy()
    assert np.abs(found - [x + 0.5, y + 0.5]).max() <= 0.5


def test_a_flat_heatmap_has_some_finite_peak() -> None:
    assert torch.isfinite(heatmap_peaks(torch.zeros(2, 3, 64, 64))).all()

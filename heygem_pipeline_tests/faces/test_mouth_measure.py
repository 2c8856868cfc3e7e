from dataclasses import replace

import numpy as np
import pytest

from heygem_pipeline.faces.mesh_points import MOUTH_BLENDSHAPES
from heygem_pipeline.faces.mouth_measure import measure_mouth
from heygem_pipeline_tests.faces.shapes import made_face, made_tracks


def test_the_gap_is_the_lips_distance_in_eye_distances_however_large_the_face() -> None:
    for scale in (40, 120):
        tracks = made_tracks(np.array([made_face(gap=0.2) * scale + 400] * 10))
        assert measure_mouth(tracks).gap == pytest.approx(0.2, abs=1e-4)


def test_a_moving_head_with_a_still_mouth_measures_a_still_mouth() -> None:
    sway = 30 * np.sin(np.arange(40) / 5)
    tracks = made_tracks(np.array([made_face(0.1) * 100 + (500 + shift, 400 - shift) for shift in sway]))
    mouth = measure_mouth(tracks)
    for values in (mouth.gap, mouth.width, mouth.jaw, mouth.lower, mouth.upper):
        assert np.ptp(values) < 1e-4


def test_an_opening_lowers_the_lower_lip_only() -> None:
    gaps = 0.15 - 0.15 * np.cos(np.arange(50) / 4)
    mouth = measure_mouth(made_tracks(np.array([made_face(gap) * 100 + 400 for gap in gaps])))
    assert np.corrcoef(mouth.gap, gaps)[0, 1] > 0.99
    assert np.corrcoef(mouth.lower, gaps)[0, 1] > 0.99
    assert np.ptp(mouth.upper) < 1e-3
    assert mouth.width == pytest.approx(0.8, abs=1e-3)


def test_the_jaw_is_measured_from_the_clips_median_shape() -> None:
    faces = np.array([made_face() * 100 + 400] * 11)
    faces[8:, 5:12, 1] += 10
    jaw = measure_mouth(made_tracks(faces)).jaw
    assert jaw[:6] == pytest.approx(0, abs=0.01)
    assert jaw[-1] == pytest.approx(0.1, abs=0.01)


def test_frames_without_a_face_measure_nothing() -> None:
    faces = np.array([made_face(0.1) * 100 + 400] * 30)
    faces[10:20] = np.nan
    mouth = measure_mouth(made_tracks(faces))
    assert np.isnan(mouth.gap[10:20]).all()
    assert np.isfinite(np.r_[mouth.gap[:10], mouth.gap[20:]]).all()
    assert len(mouth) == 30


def test_rounded_lips_are_read_from_the_blendshapes_where_there_are_some() -> None:
    tracks = made_tracks(np.array([made_face(0.1) * 100 + 400] * 30))
    known = np.zeros((30, len(MOUTH_BLENDSHAPES)), np.float32)
    known[:, [*MOUTH_BLENDSHAPES].index("mouthPucker")] = 0.4
    known[:, [*MOUTH_BLENDSHAPES].index("mouthFunnel")] = 0.2
    known[10:20] = np.nan
    mouth = measure_mouth(replace(tracks, blendshapes=known))
    assert np.r_[mouth.rounding[:10], mouth.rounding[20:]] == pytest.approx(0.6, abs=1e-5)
    assert mouth.rolling[:10] == pytest.approx(0, abs=1e-5)
    assert np.isnan(mouth.rounding[10:20]).all()
    assert np.isfinite(mouth.gap).all()

"""Lips that tremble are steadied, and nothing else."""

import numpy as np
import pytest

from heygem_pipeline.lipsync.musetalk.steadying import steady

Face = np.ndarray


def steadied(faces: list[Face | None], share: float, cut: int = -1) -> list[Face | None]:
    return [face for _, face in steady(enumerate(faces), share, lambda _, following: following != cut)]


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_chance_shrinks_by_what_is_said(share: float) -> None:
    noise = list(np.random.default_rng(0).normal(0, 1, (200, 16, 16, 3)).astype(np.float32))
    found = np.stack([face for face in steadied([*noise], share)[1:-1] if face is not None])
    assert found.std() == pytest.approx(np.sqrt((1 - 2 / 3 * share) ** 2 + 2 / 9 * share**2), rel=0.02)


def test_even_motion_and_stillness_stay_as_they_are() -> None:
    moving: list[Face | None] = [np.full((4, 4, 3), 10 * index, np.float32) for index in range(6)]
    for before, after in zip(moving, steadied(moving, 1.0), strict=True):
        np.testing.assert_allclose(np.asarray(after), np.asarray(before), atol=1e-4)


def test_nothing_is_mixed_across_a_cut_or_a_frame_without_a_face() -> None:
    faces: list[Face | None] = [np.full((2, 2, 3), 100 * (index % 2), np.float32) for index in range(8)]
    faces[2] = None
    after = steadied(faces, 1.0, cut=6)
    assert after[2] is None
    for alone in (0, 1, 3, 5, 6, 7):
        np.testing.assert_array_equal(np.asarray(after[alone]), np.asarray(faces[alone]))
    assert np.asarray(after[4]).mean() == pytest.approx(200 / 3)


def test_switched_off_it_passes_faces_on_as_they_come() -> None:
    faces = iter([(0, None), (1, None)])
    assert next(steady(faces, 0.0, lambda *_: True)) == (0, None)
    assert next(faces) == (1, None)

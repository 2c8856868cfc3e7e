import numpy as np
import pytest

from heygem_pipeline.faces.boxes import Box
from heygem_pipeline.faces.shot_detection import CUT_CHANGE, face_patch, is_cut, patch_correlation, thumbnail

HOPPER_BOX = Box(165, 85, 385, 305)
COLLINS_BOX = Box(165, 65, 285, 185)


def test_two_people_are_not_alike_and_a_face_is_like_itself(hopper: np.ndarray, collins: np.ndarray) -> None:
    assert is_cut(5.0, patch_correlation(face_patch(hopper, HOPPER_BOX), face_patch(collins, COLLINS_BOX)))
    shifted = Box(HOPPER_BOX.left + 3, HOPPER_BOX.top - 2, HOPPER_BOX.right + 3, HOPPER_BOX.bottom - 2)
    assert not is_cut(5.0, patch_correlation(face_patch(hopper, HOPPER_BOX), face_patch(hopper, shifted)))


def test_a_flash_changes_the_picture_and_is_no_cut(hopper: np.ndarray) -> None:
    flash = (hopper // 2 + 100).astype(np.uint8)
    change = float(np.abs(thumbnail(flash) - thumbnail(hopper)).mean())
    assert change > CUT_CHANGE
    assert not is_cut(change, patch_correlation(face_patch(hopper, HOPPER_BOX), face_patch(flash, HOPPER_BOX)))


@pytest.mark.parametrize("shape", [(96, 96, 3), (227, 301, 3), (2160, 3840, 3)])
def test_a_thumbnail_has_one_size(shape: tuple[int, int, int]) -> None:
    picture = np.full(shape, 77, np.uint8)
    assert thumbnail(picture).shape == (18, 32)
    np.testing.assert_allclose(thumbnail(picture), 77, atol=1)

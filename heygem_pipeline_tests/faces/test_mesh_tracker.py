import weakref
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

import numpy as np
import pytest

from heygem_pipeline.faces.boxes import FacePlace
from heygem_pipeline.faces.mesh_points import LIP_LINES, MOUTH_BLENDSHAPES
from heygem_pipeline.faces.mesh_tracker import MeshTracker
from heygem_pipeline.faces.tracker import FollowedFace
from heygem_pipeline_tests.faces.conftest import Picture

Slide = Callable[[Iterable[float]], Iterator[Picture]]
Place = Callable[..., Picture]


def follow(frames: Iterable[Picture]) -> FollowedFace:
    return MeshTracker().track(frames, Fraction(25))


def seen(face: FollowedFace) -> np.ndarray:
    return np.isfinite(face.boxes[:, 0])


def test_a_moving_face_is_followed_in_every_frame(slide: Slide) -> None:
    lefts = 40 + 30 * np.sin(np.arange(20) / 3)
    face = follow(slide(lefts))
    assert seen(face).all() and face.cuts == () and face.other_faces == 0
    centres = face.landmarks[:, 27:36, 0].mean(axis=1)
    assert np.abs((centres - centres.mean()) - (lefts - lefts.mean())).max() < 1.5
    assert (face.score > 0.99).all()


def test_lips_and_blendshapes_are_read_with_every_face_and_only_there(collins: Picture) -> None:
    face = follow([collins, np.full_like(collins, 90)])
    assert face.lips is not None and face.blendshapes is not None
    assert face.lips.shape == (2, *LIP_LINES.shape, 2) and face.blendshapes.shape == (2, len(MOUTH_BLENDSHAPES))
    np.testing.assert_array_equal(face.lips[0, [0, 1], 0], face.landmarks[0, [48, 48]])
    smiles = dict(zip(MOUTH_BLENDSHAPES, face.blendshapes[0], strict=True))
    assert min(smiles["mouthSmileLeft"], smiles["mouthSmileRight"]) > 0.7 > 0.3 > smiles["mouthFunnel"]
    assert np.isnan(face.lips[1]).all() and np.isnan(face.blendshapes[1]).all()


def test_a_picture_without_a_face_gives_nothing() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3)).astype(np.uint8)
    face = follow([noise] * 3)
    assert not seen(face).any() and face.other_faces == 0


@pytest.mark.parametrize("shape", [(720, 1280), (1080, 1920)])
def test_a_face_of_64_pixels_is_found(hopper: Picture, placed: Place, shape: tuple[int, int]) -> None:
    face = follow([placed(shape, (hopper, shape[1] - 300, shape[0] - 300, 0.33))] * 2)
    assert seen(face).all()
    assert 55 < face.boxes[0, 2] - face.boxes[0, 0] < 80


def test_a_head_that_leans_is_followed_down_to_lying_across(hopper: Picture) -> None:
    import cv2

    leans = np.linspace(0, 90, 31)
    turns = [cv2.getRotationMatrix2D((265, 240), -lean, 0.9) for lean in leans]
    frames = [np.asarray(cv2.warpAffine(hopper, turn, (512, 600)), np.uint8) for turn in turns]
    face = follow(frames)
    assert seen(face).all() and face.cuts == ()
    eyes = face.landmarks[:, 45] - face.landmarks[:, 36]
    read = np.degrees(np.arctan2(eyes[:, 1], eyes[:, 0]))
    assert np.abs((read - read[0] - leans + 180) % 360 - 180).max() < 4


def test_a_face_that_was_pointed_at_is_followed_though_another_is_larger(
    hopper: Picture, collins: Picture, placed: Place
) -> None:
    frames = [placed((512, 1024), (hopper, 0, 0, 0.85), (collins, 512, 0, 1))] * 20
    usual, chosen = follow(frames), MeshTracker().at(FacePlace(0.7, 0.2)).track(frames, Fraction(25))
    assert seen(usual).all() and seen(chosen).all() and chosen.other_faces == usual.other_faces == 1
    assert usual.boxes[:, 2].max() < 512 < chosen.boxes[:, 0].min()


def test_frames_are_let_go_as_they_come(slide: Slide) -> None:
    alive: list[weakref.ref[Picture]] = []
    most = 0

    def watched() -> Iterator[Picture]:
        nonlocal most
        for frame in slide(np.full(12, 40)):
            alive.append(weakref.ref(frame))
            most = max(most, sum(reference() is not None for reference in alive))
            yield frame
            del frame

    follow(watched())
    assert most <= 3


def test_no_frame_is_kept_while_several_faces_are_compared(hopper: Picture, collins: Picture, placed: Place) -> None:
    alive: list[weakref.ref[Picture]] = []
    most = 0

    def watched() -> Iterator[Picture]:
        nonlocal most
        for _ in range(12):
            frame = placed((512, 1024), (hopper, 0, 0, 0.85), (collins, 512, 0, 1))
            alive.append(weakref.ref(frame))
            most = max(most, sum(reference() is not None for reference in alive))
            yield frame
            del frame

    assert seen(follow(watched())).all()
    assert most <= 3

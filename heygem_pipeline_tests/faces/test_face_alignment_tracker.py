"""The tracker through face-alignment's own loading and networks, with stand-ins for its weights."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.errors import CheckpointUnusable, ModelMissing, NoFace
from heygem_pipeline.faces.face_alignment_models import check_weights, load_networks
from heygem_pipeline.faces.face_alignment_tracker import FaceAlignmentTracker
from heygem_pipeline.faces.tracker import FollowedFace
from heygem_pipeline.faces.tracking import track_faces
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.settings import settings
from heygem_pipeline_tests.conftest import write_video

torch = pytest.importorskip("torch")
pytest.importorskip("face_alignment")

from heygem_pipeline_tests.faces.stand_in_weights import (  # noqa: E402 - needs the two above
    DETECTOR_FILE,
    LANDMARKS_FILE,
    box_side,
    paint_face,
)

UNIT = 128 / box_side(1.0)
"""The detector's box is then 128 pixels wide in a picture 640 pixels wide."""
CELL = 4 * UNIT
RATE = Fraction(25)


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of checkpoints; nothing is downloaded."""
    folder = tmp_path / "weights"
    folder.mkdir()
    yield from _with_settings(monkeypatch, folder)


def _with_settings(patch: pytest.MonkeyPatch, folder: Path) -> Iterator[Path]:
    patch.setenv("HEYGEM_CHECKPOINTS", str(folder))
    patch.setenv("HEYGEM_DOWNLOADS", "false")
    patch.setenv("HEYGEM_DEVICE", "cpu")
    settings.cache_clear()
    yield folder
    settings.cache_clear()


@pytest.fixture
def ready(stand_ins: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    yield from _with_settings(monkeypatch, stand_ins)


@pytest.fixture(scope="module")
def moving(stand_ins: Path) -> Iterator[tuple[FollowedFace, np.ndarray]]:
    """A painted face that moves from the third frame of six on, and is gone in the fifth; its true points."""
    frames, truth = [], []
    for shift in (0, 0, 8, 16, 24, 24):
        frames.append(np.zeros((360, 640, 3), np.uint8))
        truth.append(paint_face(frames[-1], (300 + shift, 232), UNIT))
    frames[4] = np.zeros((360, 640, 3), np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        for _ in _with_settings(patch, stand_ins):
            yield FaceAlignmentTracker(settings()).track(frames, RATE), np.array(truth)


def test_landmarks_are_read_where_they_are(moving: tuple[FollowedFace, np.ndarray]) -> None:
    face, truth = moving
    seen = np.isfinite(face.score)
    assert seen.tolist() == [True, True, True, True, False, True]
    errors = np.linalg.norm(face.landmarks - truth, axis=-1)[seen]
    assert errors.max() < CELL and errors.mean() < CELL / 2


@pytest.mark.usefixtures("ready")
def test_a_clip_without_a_face_is_refused_by_name(tmp_path: Path) -> None:
    write_video(tmp_path / "幻灯片.mp4", [np.full((180, 320, 3), shade, np.uint8) for shade in (20, 60, 90)])
    with pytest.raises(NoFace, match=r"幻灯片\.mp4"):
        track_faces(FrameSequence.open(tmp_path / "幻灯片.mp4"), FaceAlignmentTracker(settings()))


def test_a_mirrored_crop_gives_mirrored_landmarks(stand_ins: Path, checkpoints: Path) -> None:
    from face_alignment.models import FAN
    from face_alignment.utils import shuffle_lr

    torch.manual_seed(1)
    (checkpoints / DETECTOR_FILE).symlink_to(stand_ins / DETECTOR_FILE)
    torch.save(FAN(4).state_dict(), checkpoints / LANDMARKS_FILE)
    crop = np.random.default_rng(1).integers(0, 255, (256, 256, 3)).astype(np.uint8)
    plain, mirrored = load_networks(settings()).read([crop, np.ascontiguousarray(crop[:, ::-1])])
    swapped = shuffle_lr(torch.from_numpy(mirrored)[:, None])[:, 0].numpy()
    np.testing.assert_allclose(plain, [256, 0] + swapped * [-1, 1], atol=0.05)


def test_missing_weights_are_named_before_a_frame_is_read(checkpoints: Path) -> None:
    def frames() -> Iterator[np.ndarray]:
        raise AssertionError("a frame was read")
        yield

    with pytest.raises(ModelMissing) as told:
        FaceAlignmentTracker(settings()).track(frames(), RATE)
    assert DETECTOR_FILE in str(told.value) and str(checkpoints) in str(told.value)


def test_weights_of_only_one_network_are_not_enough(stand_ins: Path, checkpoints: Path) -> None:
    (checkpoints / DETECTOR_FILE).symlink_to(stand_ins / DETECTOR_FILE)
    with pytest.raises(ModelMissing, match=LANDMARKS_FILE):
        load_networks(settings())


@pytest.mark.parametrize("part", ["detector", "landmarks"])
def test_whole_weights_pass(stand_ins: Path, part: str) -> None:
    check_weights(stand_ins / {"detector": DETECTOR_FILE, "landmarks": LANDMARKS_FILE}[part], part)


@pytest.mark.parametrize("part", ["detector", "landmarks"])
@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "another network", "a list", "a module"])
def test_damaged_and_foreign_weights_are_one_sentence(stand_ins: Path, tmp_path: Path, part: str, damage: str) -> None:
    file = tmp_path / {"detector": DETECTOR_FILE, "landmarks": LANDMARKS_FILE}[part]
    if damage == "truncated":
        file.write_bytes((stand_ins / file.name).read_bytes()[:1_000_000])
    elif damage == "empty":
        file.touch()
    elif damage == "text":
        file.write_text("<html>404 Not Found</html>")
    else:
        layer = torch.nn.Linear(2, 2)
        stored = {"another network": {"state_dict": layer.state_dict()}, "a list": [1, 2], "a module": layer}
        torch.save(stored[damage], file)
    with pytest.raises(CheckpointUnusable, match=file.name) as told:
        check_weights(file, part)
    assert "\n" not in str(told.value)

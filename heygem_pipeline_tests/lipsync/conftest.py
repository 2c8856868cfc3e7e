"""Two public-domain faces as presenters, lips closed and a wide smile with teeth; and the engines, ready to draw."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.faces.tracker_registry import load_tracker
from heygem_pipeline.faces.tracking import complete_tracks
from heygem_pipeline.lipsync.engine import LipSyncEngine
from heygem_pipeline.lipsync.engine_registry import ENGINES, load_engine
from heygem_pipeline.settings import EngineSettings
from heygem_pipeline_tests.lipsync.warp.presenter import Picture, Presenter
from heygem_pipeline_tests.lipsync.warp.speaker import speaker_from


def _swaying(picture: Picture, scale: float, frames: int = 12) -> Presenter:
    """The photograph, nodding a little, tracked by the default tracker."""
    import cv2

    height, width = (int(side * scale) for side in picture.shape[:2])
    pictures = []
    for index in range(frames):
        sway = np.sin(2 * np.pi * index / frames)
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 1.0 * sway, 1.0)
        matrix = matrix @ np.array([[scale, 0, 0], [0, scale, 0], [0, 0, 1]])
        pictures.append(np.asarray(cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_CUBIC), np.uint8))
    followed = load_tracker("mesh").track(iter(pictures), Fraction(25))
    return Presenter(tuple(pictures), complete_tracks(followed, Fraction(25), (width, height)))


@pytest.fixture(scope="session")
def closed_lips() -> Presenter:
    """Grace Hopper (photograph of the United States Navy), her lips together."""
    import cv2
    from matplotlib.cbook import get_sample_data

    picture = cv2.imread(str(Path(str(get_sample_data("grace_hopper.jpg", asfileobj=False)))))
    return _swaying(np.asarray(picture, np.uint8), 0.9)


@pytest.fixture(scope="session")
def smile() -> Presenter:
    """Eileen Collins (photograph of NASA), smiling with her teeth bare."""
    from skimage.data import astronaut

    return _swaying(np.ascontiguousarray(astronaut()[:, :, ::-1]), 1.4)


@pytest.fixture(scope="session")
def speaker(closed_lips: Presenter) -> Presenter:
    """Grace Hopper again, opening her mouth three times in 36 frames."""
    return speaker_from(closed_lips)


@pytest.fixture(scope="package")
def engine_settings(tmp_path_factory: pytest.TempPathFactory) -> EngineSettings:
    """They lead to weights that are made by rule, so that networks draw noise."""
    folder = tmp_path_factory.mktemp("checkpoints")
    return EngineSettings(checkpoints=folder, acknowledged_licences=("wav2lip",), device="cpu")


@pytest.fixture(scope="package", params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest, engine_settings: EngineSettings) -> LipSyncEngine:
    """Every engine the pipeline knows, on the processor."""
    if request.param == "wav2lip":
        torch = pytest.importorskip("torch")
        from heygem_pipeline_tests.lipsync.wav2lip.stand_in import ruled_weights

        torch.save(ruled_weights(), engine_settings.checkpoints / "wav2lip.pth")
    return load_engine(request.param, engine_settings)

"""Two public-domain faces as presenters, lips closed and a wide smile with teeth; and the engines, ready to draw."""

import numpy as np
import pytest

from heygem_pipeline.lipsync.contract import material
from heygem_pipeline.lipsync.contract.material import HeldPresenter
from heygem_pipeline.lipsync.engine import LipSyncEngine
from heygem_pipeline.lipsync.engine_registry import ENGINES, load_engine
from heygem_pipeline.settings import EngineSettings
from heygem_pipeline_tests.lipsync.program.recipes import write_recipe
from heygem_pipeline_tests.lipsync.warp.speaker import speaker_from, yawner_from


@pytest.fixture(scope="session")
def closed_lips() -> HeldPresenter:
    """Grace Hopper (photograph of the United States Navy), her lips together."""
    return material.closed_lips()


@pytest.fixture(scope="session")
def smile() -> HeldPresenter:
    """Eileen Collins (photograph of NASA), smiling with her teeth bare."""
    from skimage.data import astronaut

    return material.swaying_photograph(np.ascontiguousarray(astronaut()[:, :, ::-1]), 1.4)


@pytest.fixture(scope="session")
def speaker(closed_lips: HeldPresenter) -> HeldPresenter:
    """Grace Hopper again, opening her mouth three times in 36 frames."""
    return speaker_from(closed_lips)


@pytest.fixture(scope="session")
def yawner(closed_lips: HeldPresenter) -> HeldPresenter:
    """Grace Hopper again, who does not speak, but opens her mouth wide once in 36 frames."""
    return yawner_from(closed_lips)


@pytest.fixture(scope="package")
def engine_settings(tmp_path_factory: pytest.TempPathFactory, closed_lips: HeldPresenter) -> EngineSettings:
    """They lead to weights that are made by rule, so that networks draw noise, and to a program that paints a mouth."""
    folder = tmp_path_factory.mktemp("checkpoints")
    program = write_recipe(folder, closed_lips)
    return EngineSettings(checkpoints=folder, acknowledged_licences=("wav2lip",), device="cpu", program=program)


SLOW = {"musetalk": pytest.mark.long(1)}
"""Even reduced, its network draws ten faces a second."""


@pytest.fixture(scope="package", params=[pytest.param(name, marks=SLOW.get(name, ())) for name in sorted(ENGINES)])
def engine(request: pytest.FixtureRequest, engine_settings: EngineSettings) -> LipSyncEngine:
    """Every engine the pipeline knows, on the processor."""
    if request.param == "wav2lip":
        torch = pytest.importorskip("torch")
        from heygem_pipeline_tests.lipsync.wav2lip.stand_in import ruled_weights

        torch.save(ruled_weights(), engine_settings.checkpoints / "wav2lip.pth")
    if request.param == "musetalk":
        for needed in ("torch", "diffusers", "transformers"):
            pytest.importorskip(needed)
        from heygem_pipeline_tests.lipsync.musetalk.stand_in import write_small_weights

        write_small_weights(engine_settings.checkpoints)
    return load_engine(request.param, engine_settings)

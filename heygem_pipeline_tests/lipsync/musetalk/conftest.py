"""All of them need torch, diffusers and transformers, which are an optional extra."""

from importlib.util import find_spec
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
for needed in ("diffusers", "transformers"):
    # Not imported here: that takes longer than all else that every worker imports.
    if find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed", allow_module_level=True)

from heygem_pipeline.lipsync.musetalk.network.architecture import Networks  # noqa: E402
from heygem_pipeline.lipsync.musetalk.network.weight_files import load_network  # noqa: E402
from heygem_pipeline_tests.lipsync.musetalk import stand_in  # noqa: E402


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Networks:
    """Those of the vectors, through files as the published ones are made."""
    folder = tmp_path_factory.mktemp("networks")
    unet = stand_in.ruled_weights(stand_in.unet_of(64, 128, 128, 128))
    vae = stand_in.as_published(stand_in.ruled_weights(stand_in.vae_of(64, 64, 128, 128)))
    whisper = stand_in.ruled_weights(stand_in.whisper_of())
    return Networks(
        *(
            load_network(part, _saved(folder / f"{part}.bin", weights))  # pyright: ignore[reportArgumentType]
            for part, weights in (("network", unet), ("autoencoder", vae), ("hearing", whisper))
        )
    )


def _saved(path: Path, weights: object) -> Path:
    torch.save(weights, path)
    return path


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small weights."""
    folder = tmp_path_factory.mktemp("checkpoints")
    stand_in.write_small_weights(folder)
    return folder

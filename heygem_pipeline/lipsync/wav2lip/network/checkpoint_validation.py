"""Wav2Lip's public weights, in every form they are handed round in, read into our own network."""

# torch is an extra: the checker may not find it.
# pyright: reportMissingImports=false

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from heygem_pipeline.errors import CheckpointUnusable
from heygem_pipeline.lipsync.wav2lip.network.model import Wav2LipNetwork
from heygem_pipeline.lipsync.wav2lip.network.torchscript import tensors_of

DAMAGED = (RuntimeError, OSError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError)

PARALLEL_PREFIX = "module."
"""What torch's DataParallel writes before every name."""


def load_network(path: Path) -> Wav2LipNetwork:
    """Return the network with the weights of a file, float32, on the processor, ready to draw.

    A pickled dict (bare, or under ``state_dict``) is read without running any code of it; so is a
    TorchScript archive. Raises CheckpointUnusable for anything else: damaged files, web pages, other networks.
    """
    weights = {name.removeprefix(PARALLEL_PREFIX): value for name, value in _weights_of(path).items()}
    # Without values of its own: 36 million random numbers take longer than the file.
    with torch.device("meta"):
        network = Wav2LipNetwork()
    _require_fitting(weights, network, path)
    own = network.state_dict()
    network.load_state_dict({name: value.to(own[name].dtype) for name, value in weights.items()}, assign=True)
    return network.eval().requires_grad_(False)


def _weights_of(path: Path) -> Mapping[str, Tensor]:
    found = _scripted(path) if _is_torchscript(path) else _pickled(path)
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not (isinstance(found, Mapping) and found and all(isinstance(value, Tensor) for value in found.values())):
        raise CheckpointUnusable("weights.none_inside", file=path.name)
    return {str(name): value for name, value in found.items()}


def _is_torchscript(path: Path) -> bool:
    """Whether the file is an archive that carries code, as torch.jit.save writes it, and torch.save does not."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def _scripted(path: Path) -> object:
    try:
        return tensors_of(path)
    except pickle.UnpicklingError as error:
        raise CheckpointUnusable("weights.more_than_weights", file=path.name) from error
    except (*DAMAGED, zipfile.BadZipFile, NotImplementedError) as error:
        raise _damaged(path) from error


def _pickled(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointUnusable("weights.more_than_weights", file=path.name) from error
    # torch.load meets foreign bytes with whatever its unpickler stumbles over.
    except DAMAGED as error:
        raise _damaged(path) from error


def _require_fitting(weights: Mapping[str, Tensor], network: Wav2LipNetwork, path: Path) -> None:
    wanted = {name: value.shape for name, value in network.state_dict().items()}
    wrong = [name for name in wanted if name not in weights or weights[name].shape != wanted[name]]
    foreign = [name for name in weights if name not in wanted]
    if wrong or foreign:
        raise CheckpointUnusable(
            "weights.other_network",
            file=path.name,
            missing=len(wrong),
            parts=len(wanted),
            foreign=len(foreign),
            example=(wrong + foreign)[0],
        )
    unusable = next((name for name, value in weights.items() if not torch.isfinite(value).all()), None)
    if unusable is not None:
        raise CheckpointUnusable("weights.no_numbers", file=path.name, part=unusable)


def _damaged(path: Path) -> CheckpointUnusable:
    return CheckpointUnusable("weights.damaged", file=path.name)

"""The published files of weights, read without running any code of them, into networks that fit."""

# torch is an extra: the checker may not find it.
# pyright: reportMissingImports=false

import pickle
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from heygem_pipeline.errors import CheckpointUnusable
from heygem_pipeline.lipsync.musetalk.network.architecture import (
    Networks,
    Weights,
    unet_for,
    vae_for,
    whisper_for,
)

DAMAGED = (RuntimeError, OSError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError)

WHISPER_PREFIXES = ("model.encoder.", "encoder.")
"""The file holds the decoder too, which nobody needs here."""

OLD_ATTENTION_NAMES = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""As the published autoencoder has them."""

BUILDERS: dict[str, Callable[[Weights], nn.Module]] = {
    "network": unet_for,
    "autoencoder": vae_for,
    "hearing": whisper_for,
}
"""What makes an empty network for the weights of each part of the catalogue."""


def load_networks(unet: Path, vae: Path, whisper: Path) -> Networks:
    """Return all three, float32, on the processor, ready to draw. Raises CheckpointUnusable."""
    parts = zip(("network", "autoencoder", "hearing"), (unet, vae, whisper), strict=True)
    return Networks(*(load_network(part, path) for part, path in parts))  # pyright: ignore[reportArgumentType]


def load_network(part: str, path: Path) -> nn.Module:
    """Return one of them. part: as the catalogue calls it. Raises CheckpointUnusable for anything else than weights."""
    weights = _renamed(part, _read(path))
    try:
        network = BUILDERS[part](weights)
    except (KeyError, ValueError) as error:
        example = str(error.args[0]) if isinstance(error, KeyError) else next(iter(weights), "?")
        raise _other_network(path, 1, 1, len(weights), example) from error
    own = network.state_dict()
    wrong = [name for name in own if name not in weights or weights[name].shape != own[name].shape]
    foreign = [name for name in weights if name not in own]
    if wrong or foreign:
        raise _other_network(path, len(wrong), len(own), len(foreign), (wrong + foreign)[0])
    unusable = next((name for name, value in weights.items() if not torch.isfinite(value).all()), None)
    if unusable is not None:
        raise CheckpointUnusable("weights.no_numbers_musetalk", file=path.name, part=unusable)
    network.load_state_dict({name: value.float() for name, value in weights.items()}, assign=True)
    return network.eval().requires_grad_(False)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        found = _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)
    except pickle.UnpicklingError as error:
        raise CheckpointUnusable("weights.more_than_weights_musetalk", file=path.name) from error
    # torch.load meets foreign bytes with whatever its unpickler stumbles over.
    except DAMAGED as error:
        raise CheckpointUnusable("weights.damaged_musetalk", file=path.name) from error
    if not (isinstance(found, dict) and found and all(isinstance(value, Tensor) for value in found.values())):
        raise CheckpointUnusable("weights.damaged_musetalk", file=path.name)
    return {str(name): value for name, value in found.items()}


def _safetensors(path: Path) -> object:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _pickled(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except RuntimeError:
        # Files of before the ZIP format cannot be mapped.
        return torch.load(path, map_location="cpu", weights_only=True)


def _renamed(part: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    match part:
        case "hearing":
            return _encoder_alone(weights)
        case "autoencoder":
            return dict(_modern(name, value) for name, value in weights.items())
    return weights


def _encoder_alone(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in WHISPER_PREFIXES:
        found = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
        if found:
            return found
    return weights


def _modern(name: str, value: Tensor) -> tuple[str, Tensor]:
    module, _, kind = name.rpartition(".")
    parent, _, last = module.rpartition(".")
    if ".attentions." not in name or last not in OLD_ATTENTION_NAMES:
        return name, value
    return f"{parent}.{OLD_ATTENTION_NAMES[last]}.{kind}", value.flatten(1) if value.ndim == 4 else value


def _other_network(path: Path, missing: int, parts: int, foreign: int, example: str) -> CheckpointUnusable:
    return CheckpointUnusable(
        "weights.other_network_musetalk",
        file=path.name,
        missing=missing,
        parts=parts,
        foreign=foreign,
        example=example,
    )

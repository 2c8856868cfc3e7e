"""Weights and inputs made by rule, with which the reference's outputs are known, and a generator without a network."""

import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from heygem_pipeline.lipsync.wav2lip.network.inference import FaceGenerator, FaceInput, PendingFace
from heygem_pipeline.lipsync.wav2lip.network.model import Wav2LipNetwork
from heygem_pipeline_tests.lipsync.lower_face.painted_faces import Face


def vectors() -> dict[str, Any]:
    """The reference's figures, and the rules of the weights and inputs they belong to."""
    return json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))


def ruled_weights() -> dict[str, torch.Tensor]:
    """Weights by the rule of ``vectors.json``."""
    return {name: _ruled(name, value) for name, value in Wav2LipNetwork().state_dict().items()}


def _ruled(name: str, like: torch.Tensor) -> torch.Tensor:
    frequency = 0.1 + (zlib.crc32(name.encode()) % 1000) / 1000
    wave = np.sin(frequency * np.arange(1, like.numel() + 1) + frequency)
    if name.endswith("num_batches_tracked"):
        values = np.ones_like(wave)
    elif name.endswith("running_var"):
        values = 1 + 0.5 * np.abs(wave)
    elif name.endswith("conv_block.1.weight"):
        values = 1 + 0.1 * wave
    elif name.endswith(("running_mean", "bias")):
        values = 0.05 * wave
    else:
        values = wave * np.sqrt(2 / np.prod(like.shape[1:])) * 1.2
    return torch.from_numpy(values.reshape(tuple(like.shape))).to(like.dtype)


def ruled_inputs() -> tuple[torch.Tensor, torch.Tensor]:
    """Mel (1, 1, 80, 16) and faces (1, 6, 96, 96) by the rule of ``vectors.json``."""
    mel = 4 * np.sin(0.37 * np.arange(80 * 16)).reshape(1, 1, 80, 16)
    faces = 0.5 + 0.5 * np.sin(0.011 * np.arange(6 * 96 * 96)).reshape(1, 6, 96, 96)
    faces[:, :3, 48:] = 0
    return torch.from_numpy(mel).float(), torch.from_numpy(faces).float()


class StandInGenerator:
    """Draws what a function makes of each face and mel; remembers what it was asked."""

    def __init__(self, draw: Callable[[FaceInput], Face], batch: int = 4) -> None:
        self.draw, self.batch = draw, batch
        self.asked: list[FaceInput] = []
        self.sizes: list[int] = []

    def generate_faces(self, asked: Sequence[FaceInput]) -> Sequence[PendingFace]:
        """As ``FaceGenerator.generate_faces``."""
        self.asked += asked
        self.sizes.append(len(asked))
        faces = [self.draw(one).astype(np.float32) for one in asked]
        return [lambda face=face: face for face in faces]

    @property
    def generator(self) -> FaceGenerator:
        """The same, as the engine takes it."""
        return cast(FaceGenerator, self)

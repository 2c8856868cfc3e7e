"""Reduced networks with weights by the rule of ``vectors.json``, and files of them as the published ones are made."""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from heygem_pipeline.lipsync.musetalk.network.architecture import HEADS, SOUND_WIDTH
from heygem_pipeline.lipsync.musetalk.network.inference import FaceGenerator, FaceInput

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from transformers.models.whisper.modeling_whisper import WhisperEncoder


@cache
def vectors() -> dict[str, Any]:
    """The reference's figures, and the rules of the weights and inputs they belong to."""
    return json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))


def ruled(key: str, count: int) -> NDArray[np.float64]:
    """The numbers of a key by the rule of ``vectors.json``, -1..1."""
    state = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(2_654_435_761) + np.uint64(zlib.crc32(key.encode()))
    state &= np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 2_246_822_519), (13, 3_266_489_917), (16, 1)):
        state ^= state >> np.uint64(shift)
        state = (state * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return state.astype(np.float64) / 2**31 - 1


def ruled_weights(network: nn.Module) -> dict[str, Tensor]:
    """Weights by the rule of ``vectors.json``; Whisper's positions keep their values."""
    return {name: _ruled(name, value) for name, value in network.state_dict().items()}


def _ruled(name: str, like: Tensor) -> Tensor:
    if name == "embed_positions.weight":
        return like
    values = ruled(name, like.numel())
    if name.endswith("bias"):
        values *= 0.1
    elif like.ndim == 1:
        values = 1 + 0.2 * values
    else:
        values *= 1.2 * np.sqrt(3 / np.prod(like.shape[1:]))
    return torch.from_numpy(values.reshape(tuple(like.shape))).float()


def unet_of(*widths: int) -> "UNet2DConditionModel":
    """Of the published network's shape, with other widths."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    return UNet2DConditionModel(
        in_channels=8,
        out_channels=4,
        down_block_types=(*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
        up_block_types=("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
        block_out_channels=widths,
        cross_attention_dim=SOUND_WIDTH,
        attention_head_dim=HEADS,
    )


def vae_of(*widths: int, layers: int = 2) -> "AutoencoderKL":
    """Likewise."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    count = len(widths)
    kinds: dict[str, Any] = {
        "down_block_types": ("DownEncoderBlock2D",) * count,
        "up_block_types": ("UpDecoderBlock2D",) * count,
    }
    kinds["block_out_channels"] = widths
    return AutoencoderKL(**kinds, layers_per_block=layers, latent_channels=4)


def whisper_of(rows: int = 1500, hidden: int = 1536) -> "WhisperEncoder":
    """Likewise; rows: 50 a second of the piece it hears at once."""
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    return WhisperEncoder(
        WhisperConfig(
            d_model=SOUND_WIDTH,
            encoder_layers=4,
            encoder_attention_heads=6,
            encoder_ffn_dim=hidden,
            max_source_positions=rows,
        )
    )


OLD_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def as_published(vae: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An autoencoder's weights under the names of the published file."""
    renamed = {}
    for name, value in vae.items():
        for new, old in OLD_NAMES.items():
            if ".attentions." in name:
                name = name.replace(f".{new}.", f".{old}.")
        renamed[name] = value
    return renamed


@cache
def small_weights() -> dict[str, dict[str, Tensor]]:
    """Weights of networks so small that a test can draw with them; faces of 64 pixels, pieces of 4 s.

    What they draw is noise, but known noise.
    """
    return {
        "musetalkV15/unet.pth": ruled_weights(unet_of(32, 32, 32, 32)),
        "sd-vae/diffusion_pytorch_model.bin": as_published(ruled_weights(vae_of(32, 32, layers=1))),
        "whisper/pytorch_model.bin": {
            f"model.encoder.{name}": value for name, value in ruled_weights(whisper_of(200, 64)).items()
        }
        | {"model.decoder.embed_tokens.weight": torch.zeros(8, 8)},
    }


def write_small_weights(folder: Path) -> None:
    """Put files into a folder of checkpoints, as the published ones are made."""
    for name, weights in small_weights().items():
        (folder / name).parent.mkdir(exist_ok=True)
        torch.save(weights, folder / name)


class StandInHearing:
    """Hears, in each row, the row's number, and -1 in silence."""

    silence = np.full((10, 5, SOUND_WIDTH), -1, np.float32)

    def __init__(self, piece: int = 70) -> None:
        self.piece, self.heard = piece, 0

    def pieces(self, samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """As ``Hearing.pieces``."""
        total = len(samples) // 320
        for start in range(0, total, self.piece):
            rows = np.arange(start, min(start + self.piece, total), dtype=np.float32)
            self.heard = start + len(rows)
            yield np.broadcast_to(rows[:, None, None], (len(rows), 5, SOUND_WIDTH))


class StandInGenerator:
    """Draws what a function makes of each face; remembers what it was asked. The latents name the face."""

    side = 256
    frames_a_second = 10.0

    def __init__(self, draw: Callable[[NDArray[np.uint8]], NDArray[np.floating]], batch: int = 4) -> None:
        self.draw, self.batch, self.hearing = draw, batch, StandInHearing()
        self.encoded: list[NDArray[np.uint8]] = []
        self.asked: list[FaceInput] = []

    def __str__(self) -> str:
        return "cpu float32"

    def encode_faces(self, faces: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float16]]:
        """As ``FaceGenerator.encode_faces``."""
        first = len(self.encoded)
        self.encoded += faces
        return [np.full((8, 32, 32), first + number, np.float16) for number in range(len(faces))]

    def draw_faces(self, asked: Sequence[FaceInput]) -> list[NDArray[np.float32]]:
        """As ``FaceGenerator.draw_faces``."""
        self.asked += asked
        return [self.draw(self.encoded[int(one.latents[0, 0, 0])]).astype(np.float32) for one in asked]

    @property
    def generator(self) -> FaceGenerator:
        """The same, as the engine takes it."""
        return cast(FaceGenerator, self)


def tinted(face: NDArray[np.uint8]) -> NDArray[np.floating]:
    """The same face, duller, bluer and darker: a drawing whose colours are off."""
    return np.clip(0.75 * face + np.array([70, 10, -10]), 0, 255)

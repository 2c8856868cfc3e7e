"""Reduced networks with weights by the rule of ``vectors.json``, and files of them as the published ones are made."""

import json
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from heygem_pipeline.lipsync.musetalk.network.architecture import HEADS, SOUND_WIDTH


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


def unet_of(*widths: int) -> UNet2DConditionModel:
    """Of the published network's shape, with other widths."""
    return UNet2DConditionModel(
        in_channels=8,
        out_channels=4,
        down_block_types=(*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
        up_block_types=("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
        block_out_channels=widths,
        cross_attention_dim=SOUND_WIDTH,
        attention_head_dim=HEADS,
    )


def vae_of(*widths: int, layers: int = 2) -> AutoencoderKL:
    """Likewise."""
    count = len(widths)
    kinds = {"down_block_types": ("DownEncoderBlock2D",) * count, "up_block_types": ("UpDecoderBlock2D",) * count}
    return AutoencoderKL(**kinds, block_out_channels=widths, layers_per_block=layers, latent_channels=4)


def whisper_of(rows: int = 1500, hidden: int = 1536) -> WhisperEncoder:
    """Likewise; rows: 50 a second of the piece it hears at once."""
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

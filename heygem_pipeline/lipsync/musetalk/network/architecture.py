"""MuseTalk 1.5's three networks as diffusers and transformers build them, with the widths that the weights have.

A UNet in the shape of Stable Diffusion's first one draws the lower half of a face in the latents of an autoencoder
(sd-vae-ft-mse), in one step, from the encoder of Whisper tiny (Zhang et al. 2024, arXiv 2410.10122).
"""

# torch is an extra: the checker may not find it.
# pyright: reportMissingImports=false

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

LATENT_CHANNELS, LATENT_SIDE = 4, 32
SOUND_WIDTH = 384
"""Numbers in each of the UNet's tokens of sound."""
HEADS, WHISPER_HEADS = 8, 6
MEL_BANDS = 80
SCALING_FACTOR = 0.18215
"""Of the autoencoder's latents, which then have about unit variance."""

UNET_PARAMETERS, VAE_PARAMETERS, WHISPER_PARAMETERS = 849_947_844, 83_653_863, 8_208_384
"""Of the published weights."""

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Networks:
    """Ready to run, float32, on the processor."""

    unet: "UNet2DConditionModel"
    vae: "AutoencoderKL"
    whisper: "WhisperEncoder"

    @property
    def face_side(self) -> int:
        """Pixels: height and width of the faces read and drawn; 256 with the published weights."""
        return LATENT_SIDE * 2 ** (len(self.vae.config["block_out_channels"]) - 1)


def unet_for(weights: Weights) -> "UNet2DConditionModel":
    """The UNet of the widths that the weights have, without values. Raises KeyError where they are of none."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    widths = _widths(weights, "down_blocks.{}.resnets.0.conv1.weight", 4)
    with torch.device("meta"):
        return UNet2DConditionModel(
            sample_size=64,
            in_channels=2 * LATENT_CHANNELS,
            out_channels=LATENT_CHANNELS,
            down_block_types=(*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
            up_block_types=("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
            block_out_channels=widths,
            layers_per_block=2,
            cross_attention_dim=SOUND_WIDTH,
            attention_head_dim=HEADS,
        )


def vae_for(weights: Weights) -> "AutoencoderKL":
    """The autoencoder, likewise."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    count = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.down_blocks."))
    layers = 1 + max(int(name.split(".")[4]) for name in weights if name.startswith("encoder.down_blocks.0.resnets."))
    widths = _widths(weights, "encoder.down_blocks.{}.resnets.0.conv1.weight", count)
    with torch.device("meta"):
        # Diffusers declares tuples of one.
        blocks: dict[str, Any] = {
            "down_block_types": ("DownEncoderBlock2D",) * count,
            "up_block_types": ("UpDecoderBlock2D",) * count,
            "block_out_channels": widths,
        }
        return AutoencoderKL(
            **blocks,
            layers_per_block=layers,
            latent_channels=LATENT_CHANNELS,
            scaling_factor=SCALING_FACTOR,
        )


def whisper_for(weights: Weights) -> "WhisperEncoder":
    """Whisper's encoder, likewise; how long a piece it hears at once is the number of its positions."""
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    with torch.device("meta"):
        return WhisperEncoder(
            WhisperConfig(
                d_model=SOUND_WIDTH,
                encoder_layers=4,
                encoder_attention_heads=WHISPER_HEADS,
                encoder_ffn_dim=len(weights["layers.0.fc1.bias"]),
                num_mel_bins=MEL_BANDS,
                max_source_positions=len(weights["embed_positions.weight"]),
            )
        )


def _widths(weights: Weights, name: str, count: int) -> tuple[int, ...]:
    return tuple(len(weights[name.format(index)]) for index in range(count))

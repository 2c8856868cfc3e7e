"""Faces into latents once a presenter; latents and sound into drawn faces, batch by batch."""

# torch is an extra: the checker may not find it.
# pyright: reportMissingImports=false

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from heygem_pipeline.demo.portraits import GRACE_HOPPER
from heygem_pipeline.devices import BatchSize
from heygem_pipeline.lipsync.musetalk.network.architecture import SCALING_FACTOR, SOUND_WIDTH, Networks
from heygem_pipeline.lipsync.musetalk.network.hearing import Hearing

BATCH = {"cpu": 2, "cuda": 8, "mps": 2}
"""Frames at once: 8 is the reference's; on a processor one frame fills the caches already."""

LARGEST_MEAN_DIFFERENCE = 2.0
"""Levels of 255 by which a face drawn in half precision may differ on average from one drawn in float32; single pixels
at the edge of the black half differ by more."""

Latents = NDArray[np.float16]
"""(8, 32, 32): of the face with its lower half black, and of the whole face."""
Face = NDArray[np.uint8]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FaceInput:
    """One face to be drawn.

    Attributes:
        latents: what ``encode_faces`` made of it.
        sound: float32 (50, 384).
    """

    latents: Latents
    sound: NDArray[np.float32]


class FaceGenerator:
    """The three networks on a device, in the precision that suits it."""

    def __init__(
        self,
        load: Callable[[], Networks],
        device: torch.device,
        dtype: torch.dtype | None = None,
        batch: int | None = None,
    ) -> None:
        """Take networks to a device.

        Args:
            load: reads them; again, should half precision do them no justice.
            dtype: default, float16 on CUDA, bfloat16 on processors that multiply in it, else float32.
        """
        self._load, self._device = load, device
        self._networks = load()
        self.side = self._networks.face_side
        self.hearing = Hearing(self._networks.whisper, device)
        self._dtype = torch.float32
        self._batch = BatchSize(batch or BATCH[device.type], device.type)
        self._positions = position_encoding(50, SOUND_WIDTH).to(device)
        self._drawn, self._seconds = 0, 0.0
        self._place(torch.float32)
        self._settle_precision(dtype or default_precision(device))

    def __str__(self) -> str:
        """Device and precision, as the clip's report says it: "cuda:0 float16"."""
        return f"{self._device} {str(self._dtype).removeprefix('torch.')}"

    @property
    def batch(self) -> int:
        """Frames that are best asked for at once."""
        return self._batch.items

    @property
    def frames_a_second(self) -> float | None:
        """How many faces were drawn in a second so far; None before the first."""
        return self._drawn / self._seconds if self._drawn else None

    def encode_faces(self, faces: Sequence[Face]) -> list[Latents]:
        """Return the latents of faces, uint8 (side, side, 3) BGR. Raises DeviceUnusable for lack of memory."""
        return self._batch.run(faces, self._encode)

    def draw_faces(self, asked: Sequence[FaceInput]) -> list[NDArray[np.float32]]:
        """Draw faces: float32 (side, side, 3) BGR, 0..255. Raises DeviceUnusable for lack of memory."""
        started = perf_counter()
        drawn = self._batch.run(asked, self._draw)
        if not all(np.isfinite(face).all() for face in drawn) and self._dtype is not torch.float32:
            logger.warning("%s gives faces that are no numbers; going on in float32.", self)
            self._use_float32()
            drawn = self._batch.run(asked, self._draw)
        self._drawn, self._seconds = self._drawn + len(drawn), self._seconds + perf_counter() - started
        return drawn

    def _encode(self, faces: Sequence[Face]) -> list[Latents]:
        whole = to_network(np.stack(faces), self._device)
        masked = whole.clone()
        masked[:, :, self.side // 2 :] = -1
        # The mean of what the encoder deems likely, as in training; the reference draws from it, and flickers.
        with torch.inference_mode():
            both = torch.cat([self._latents(masked), self._latents(whole)], dim=1)
        return list(both.float().cpu().numpy().astype(np.float16))

    def _latents(self, pictures: Tensor) -> Tensor:
        encoded = self._networks.vae.encode(pictures.to(self._dtype))
        return encoded.latent_dist.mode() * SCALING_FACTOR  # pyright: ignore[reportAttributeAccessIssue]

    def _draw(self, asked: Sequence[FaceInput]) -> list[NDArray[np.float32]]:
        latents = torch.from_numpy(np.stack([one.latents for one in asked])).to(self._device, self._dtype)
        sound = torch.from_numpy(np.stack([one.sound for one in asked])).to(self._device)
        with torch.inference_mode():
            drawn = self._decode(self._mouths(latents, sound))
        return list(drawn.cpu().numpy())

    def _mouths(self, latents: Tensor, sound: Tensor) -> Tensor:
        """(batch, 4, 32, 32): the drawn face's latents, in one step."""
        step = torch.zeros(1, dtype=torch.long, device=self._device)
        heard = (sound + self._positions).to(self._dtype)
        return self._networks.unet(latents, step, encoder_hidden_states=heard).sample

    def _decode(self, latents: Tensor) -> Tensor:
        """(batch, side, side, 3), BGR, 0..255."""
        scaled: Any = (latents / SCALING_FACTOR).to(self._dtype)
        picture = self._networks.vae.decode(scaled).sample  # pyright: ignore[reportAttributeAccessIssue]
        levels = (picture.float() / 2 + 0.5).clamp(0, 1) * 255
        return levels.flip(1).permute(0, 2, 3, 1)

    def _settle_precision(self, wanted: torch.dtype) -> None:
        """Draw a photograph in float32 and as wanted; stay in float32 if that does these weights no justice."""
        if wanted is torch.float32:
            return
        import cv2

        face = np.asarray(cv2.resize(GRACE_HOPPER.photograph(), (self.side, self.side)), np.uint8)
        sound = np.zeros((len(self._positions), SOUND_WIDTH), np.float32)
        exact = self._draw([FaceInput(self._encode([face])[0], sound)])[0]
        self._place(wanted)
        short = self._draw([FaceInput(self._encode([face])[0], sound)])[0]
        difference = float(np.abs(short - exact).mean())
        if not difference <= LARGEST_MEAN_DIFFERENCE:
            logger.warning("%s is %.1f levels off with these weights; going on in float32.", self, difference)
            self._use_float32()

    def _use_float32(self) -> None:
        self._networks = self._load()
        self._place(torch.float32)

    def _place(self, dtype: torch.dtype) -> None:
        self._dtype = dtype
        # PyTorch's group norm of float32 in channels-last order is off by 4e-4 of a latent; in half precision that is
        # nothing, and convolutions are quicker.
        order = torch.contiguous_format if dtype is torch.float32 else torch.channels_last
        for network in (self._networks.unet, self._networks.vae):
            # Diffusers' own way warns of parts to be kept in float32, of which these two have none.
            nn.Module.to(network, self._device, dtype, memory_format=order)  # pyright: ignore[reportCallIssue]


def to_network(faces: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Float32 (faces, 3, side, side), RGB, -1..1, of uint8 (faces, side, side, 3) BGR."""
    planes = torch.from_numpy(faces).to(device).flip(3).permute(0, 3, 1, 2)
    return ((planes.float() / 255 - 0.5) / 0.5).contiguous()


def position_encoding(tokens: int, width: int) -> Tensor:
    """Float32 (tokens, width): what is added to the tokens of sound, so that the network knows their order."""
    columns = torch.arange(0, width, 2, dtype=torch.float64)
    angles = torch.arange(tokens, dtype=torch.float64)[:, None] / 10_000 ** (columns / width)
    return torch.stack([angles.sin(), angles.cos()], dim=2).reshape(tokens, width).float()


def default_precision(device: torch.device) -> torch.dtype:
    """Float16 on CUDA, bfloat16 on processors that have instructions for it (AMX, AVX512-BF16), else float32."""
    if device.type == "cuda":
        return torch.float16
    if device.type == "cpu":
        known = torch.cpu.get_capabilities()
        return torch.bfloat16 if known.get("amx_bf16") or known.get("avx512_bf16") else torch.float32
    return torch.float32

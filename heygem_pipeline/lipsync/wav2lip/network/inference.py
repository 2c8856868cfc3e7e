"""Faces and speech in, drawn faces out, batch by batch, as fast as the device can."""

# torch is an extra: the checker may not find it.
# pyright: reportMissingImports=false

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heygem_pipeline.devices import BatchSize
from heygem_pipeline.lipsync.wav2lip.network.batch_norm_folding import fold_batch_norms
from heygem_pipeline.lipsync.wav2lip.network.model import FACE_SIDE, Wav2LipNetwork
from heygem_pipeline.lipsync.wav2lip.network.onednn import can_pack, pack

BATCH = {"cpu": 16, "cuda": 64, "mps": 16}
"""Frames at once. Processor: the fastest of 4 to 128 measured, as what 16 faces need stays in its cache."""

LARGEST_DIFFERENCE = 2.0
"""Levels of 255 by which a face drawn in half precision may differ from one drawn in float32."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FaceInput:
    """One face to be drawn.

    Attributes:
        mel: float32 (16, 80), -4..4, a row a column of sound.
        face: uint8 (96, 96, 3) BGR.
    """

    mel: NDArray[np.float32]
    face: NDArray[np.uint8]


class PendingFace(Protocol):
    """A face that is being drawn."""

    def __call__(self) -> NDArray[np.float32]:
        """Wait for it: float32 (96, 96, 3) BGR, 0..255."""
        ...


class FaceGenerator:
    """A network on a device, in the precision that suits it."""

    def __init__(
        self, network: Wav2LipNetwork, device: torch.device, dtype: torch.dtype | None = None, batch: int | None = None
    ) -> None:
        """Take a network to a device.

        Args:
            dtype: default, bfloat16 on processors that multiply in it, float16 on CUDA, else float32.
        """
        self._network, self._device = network, device
        self._dtype = dtype or default_precision(device)
        self._batch = BatchSize(batch or BATCH[device.type], device.type)
        self._draw: Callable[[Tensor, Tensor], Tensor] | None = None
        self._prepared_for = 0
        self._checked = self._dtype is torch.float32

    def __str__(self) -> str:
        """Device and precision, as the clip's report says it: "cpu bfloat16"."""
        return f"{self._device} {str(self._dtype).removeprefix('torch.')}"

    @property
    def batch(self) -> int:
        """Frames that are best asked for at once."""
        return self._batch.items

    def generate_faces(self, asked: Sequence[FaceInput]) -> Sequence[PendingFace]:
        """Draw the faces; on CUDA this returns while the card still works. Raises DeviceUnusable for lack of memory."""
        with torch.inference_mode():
            return self._batch.run(asked, self._generate_batch)

    def _generate_batch(self, asked: Sequence[FaceInput]) -> Sequence[PendingFace]:
        mels = np.stack([one.mel.T for one in asked])[:, None]
        faces = np.stack([one.face for one in asked])
        if not self._checked:
            self._check(mels, faces)
        if self._device.type == "cuda":
            return self._generate_ahead(torch.from_numpy(mels), torch.from_numpy(faces))
        drawn = self._drawing()(torch.from_numpy(mels).to(self._device), torch.from_numpy(faces).to(self._device))
        ready = drawn.cpu().numpy()
        return [lambda face=face: face for face in ready]

    def _generate_ahead(self, mels: Tensor, faces: Tensor) -> Sequence[PendingFace]:
        """Copies and work are queued on the card, from and into pinned memory; whoever wants a face waits for it."""
        ready_mels, ready_faces = (part.pin_memory().to(self._device, non_blocking=True) for part in (mels, faces))
        drawn = self._drawing()(ready_mels, ready_faces)
        landed = torch.empty(drawn.shape, dtype=drawn.dtype, pin_memory=True)
        landed.copy_(drawn, non_blocking=True)
        done = torch.cuda.Event()
        done.record(torch.cuda.current_stream(self._device))

        def wait(index: int) -> NDArray[np.float32]:
            done.synchronize()
            return landed[index].numpy()

        return [lambda index=index: wait(index) for index in range(len(drawn))]

    def _drawing(self) -> Callable[[Tensor, Tensor], Tensor]:
        """What draws a batch, prepared for the size of batch that fits."""
        if self._draw is None or self._prepared_for != self._batch.items:
            self._draw, self._prepared_for = None, self._batch.items
            network = optimise(self._network, self._device, self._dtype, self._prepared_for)
            draw = _drawing_with(network, self._dtype)
            if self._device.type == "cuda":
                from heygem_pipeline.lipsync.wav2lip.network.cuda_graph import capture_graph

                draw = capture_graph(draw, self._prepared_for, self._device)
            self._draw = draw
        return self._draw

    def _check(self, mels: NDArray[np.float32], faces: NDArray[np.uint8]) -> None:
        """Draw the first faces of all in float32 too; go on so if half precision does these weights no justice."""
        self._checked = True
        pair = torch.from_numpy(mels[:2]), torch.from_numpy(faces[:2])
        exact = _drawing_with(self._network, torch.float32)(*pair)
        short = self._drawing()(*(part.to(self._device) for part in pair)).cpu()
        difference = float((short - exact).abs().max())
        if not difference <= LARGEST_DIFFERENCE:
            logger.warning("%s is %.1f levels off with these weights; going on in float32.", self, difference)
            self._dtype, self._draw = torch.float32, None


def default_precision(device: torch.device) -> torch.dtype:
    """Bfloat16 on processors that multiply in it and float16 on CUDA; else float32."""
    if device.type == "cuda":
        return torch.float16
    if device.type == "cpu" and can_pack() and torch.ops.mkldnn._is_mkldnn_bf16_supported() and _multiplies_bfloat16():
        return torch.bfloat16
    return torch.float32


def optimise(network: Wav2LipNetwork, device: torch.device, dtype: torch.dtype, batch: int) -> Wav2LipNetwork:
    """Return the network as it is fastest there: folded, channels last; on x86 packed for batches of this size."""
    if device.type == "cpu" and can_pack():
        return pack(network, batch, dtype)
    copy = fold_batch_norms(network).to(device, dtype)
    copy.output_block[1].to(torch.float32)
    return copy.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def _multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for it (AMX or AVX512-BF16): elsewhere it is slower than float32."""
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))


def _drawing_with(network: Wav2LipNetwork, dtype: torch.dtype) -> Callable[[Tensor, Tensor], Tensor]:
    def draw(mels: Tensor, faces: Tensor) -> Tensor:
        """Float32 (batch, 1, 80, 16) and uint8 (batch, 96, 96, 3) in; float32 (batch, 96, 96, 3), 0..255, out."""
        # Rows of pixels seen as channels are channels-last already, and stay so.
        whole = (faces.to(torch.float32) / 255).to(dtype).permute(0, 3, 1, 2)
        masked = whole.clone()
        masked[:, :, FACE_SIDE // 2 :] = 0
        drawn = network(mels.to(dtype), torch.cat([masked, whole], dim=1))
        return (drawn * 255).permute(0, 2, 3, 1).contiguous()

    return draw

"""A batch on an NVIDIA card as one recorded CUDA graph: some hundred kernels started at once instead of one by one."""

# torch is an extra: the checker may not find it.
# pyright: reportMissingImports=false

from collections.abc import Callable

import torch
from torch import Tensor

from heygem_pipeline.lipsync.wav2lip.network.model import FACE_SIDE, MEL_BANDS, MEL_COLUMNS

WARM_UP = 3
"""Rounds before the recording, in which cuDNN tries its algorithms and chooses."""


def capture_graph(
    draw: Callable[[Tensor, Tensor], Tensor], batch: int, device: torch.device
) -> Callable[[Tensor, Tensor], Tensor]:
    """Return ``draw`` (mels, faces -> drawn faces) with batches of this size replayed from a recording.

    Smaller batches are drawn as before. What a replay returns is valid until the next one; the caller's copies are
    queued on the same stream, so they come before it.
    """
    with torch.cuda.device(device), torch.inference_mode(), torch.backends.cudnn.flags(benchmark=True):
        mels = torch.zeros(batch, 1, MEL_BANDS, MEL_COLUMNS, device=device)
        faces = torch.zeros(batch, FACE_SIDE, FACE_SIDE, 3, dtype=torch.uint8, device=device)
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                draw(mels, faces)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            drawn = draw(mels, faces)

    def replay(new_mels: Tensor, new_faces: Tensor) -> Tensor:
        if len(new_mels) != batch:
            return draw(new_mels, new_faces)
        mels.copy_(new_mels)
        faces.copy_(new_faces)
        graph.replay()
        return drawn

    return replay

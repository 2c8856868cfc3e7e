"""The two networks of the package face-alignment: the detector S3FD and FAN, which reads 68 points.

S3FD: Zhang et al. 2017. FAN: Bulat and Tzimiropoulos 2017. Their files are described in checkpoints/catalogue.py.
"""

import logging
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.checkpoints.weights import weights_of
from heygem_pipeline.devices import BatchSize, chosen_device
from heygem_pipeline.errors import CheckpointUnusable, ModelMissing
from heygem_pipeline.faces.boxes import Box
from heygem_pipeline.settings import NetworkSettings

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

BATCH_FRAMES = 16
CELL = 4
"""Pixels of FAN's picture a cell of its heatmaps."""
FACE_WIDTHS = (16, 64)
"""The smallest face S3FD finds, and the smallest that is looked for, pixels: frames are shown to it reduced by this."""
SMALLEST_SIDE = 320
"""Pixels of the longer side below which a frame is reduced no further."""
STACKS = 4

LOWEST_NEIGHBOUR = 1e-3
"""Share of a heatmap's peak below which a neighbour counts as this much: logarithms need something."""


@dataclass
class FaceAlignmentNetworks:
    """Both networks on one device, in evaluation, single precision."""

    detector: Any
    landmarks: "torch.nn.Module"
    device: "torch.device"

    def __post_init__(self) -> None:
        self._detected_at_once = BatchSize(BATCH_FRAMES, self.device.type)
        self._read_at_once = BatchSize(BATCH_FRAMES, self.device.type)

    def detect(self, frames: Sequence[NDArray[np.uint8]]) -> list[list[tuple[Box, float]]]:
        """Return (box, score 0.5..1) of the faces in each BGR frame; all frames are of one size."""
        import cv2

        if not frames:
            return []
        height, width = frames[0].shape[:2]
        longer = max(height, width)
        scale = min(1.0, max(SMALLEST_SIDE / longer, FACE_WIDTHS[0] / FACE_WIDTHS[1]))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        reduced = [np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8) for frame in frames]
        found = self._detected_at_once.run(reduced, self._detect)
        return [[(Box(*face[:4]).scaled(1 / scale), float(face[4])) for face in faces] for faces in found]

    def read(self, crops: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Return the 68 points (68, 2) in each crop, uint8 (256, 256, 3) RGB: 0..256 from edge to edge.

        Each crop is read mirrored too and the heatmaps are added, as the package does: twice the work, steadier points.
        """
        import torch
        from face_alignment.utils import flip

        def read_batch(batch: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
            with torch.inference_mode():
                pictures = self._tensor(batch) / 255
                heatmaps = self.landmarks(pictures)[-1] + flip(self.landmarks(flip(pictures))[-1], is_label=True)
                return list((heatmap_peaks(heatmaps.float()) * CELL).cpu().numpy())

        return self._read_at_once.run(crops, read_batch)

    def _detect(self, batch: Sequence[NDArray[np.uint8]]) -> list[Any]:
        rgb = [picture[:, :, ::-1] for picture in batch]
        return list(self.detector.detect_from_batch(self._tensor(rgb)))

    def _tensor(self, pictures: Sequence[NDArray[np.uint8]]) -> "torch.Tensor":
        """Stack pictures (height, width, 3) into float32 (batch, 3, height, width), 0..255, channels last in memory."""
        import torch

        return torch.from_numpy(np.stack(pictures)).to(self.device).permute(0, 3, 1, 2).float()


def load_networks(networks: NetworkSettings) -> FaceAlignmentNetworks:
    """Return both networks, read once a process.

    Raises ModelMissing, CheckpointUnusable, DeviceUnusable.
    """
    _require_package()
    detector, landmarks = weights_of("face_alignment", networks)
    return _load(detector, landmarks, chosen_device(networks.device))


def check_weights(path: Path, part: str) -> None:
    """Raise CheckpointUnusable unless ``path`` holds the weights of ``part`` ("detector" or "landmarks")."""
    _require_package()
    _load_detector(path) if part == "detector" else _load_landmarks(path)


@cache
def _load(detector_path: Path, landmarks_path: Path, device: "torch.device") -> FaceAlignmentNetworks:
    import torch

    detector, landmarks = _load_detector(detector_path), _load_landmarks(landmarks_path)
    for network in (detector.face_detector, landmarks):
        network.to(device=device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    detector.device = str(device)
    logger.info("S3FD and FAN run on %s.", device)
    return FaceAlignmentNetworks(detector, landmarks, device)


def _load_detector(path: Path) -> Any:  # noqa: ANN401 - face-alignment has no type stubs
    from face_alignment.detection.sfd import FaceDetector

    with _told_by_name(path):
        return FaceDetector("cpu", path_to_detector=str(path))


def _load_landmarks(path: Path) -> "torch.nn.Module":
    import torch
    from face_alignment.models import FAN

    network = FAN(STACKS)
    with _told_by_name(path):
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval()


@contextmanager
def _told_by_name(path: Path) -> Iterator[None]:
    """Whatever a damaged or foreign file makes torch raise becomes one sentence."""
    try:
        yield
    except (
        RuntimeError,
        OSError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        pickle.PickleError,
    ) as error:
        raise CheckpointUnusable("weights.damaged_face_alignment", file=path.name) from error


def _require_package() -> None:
    try:
        import face_alignment  # noqa: F401 - is it there?
    except ImportError as error:
        raise ModelMissing("face_alignment.not_installed") from error


def heatmap_peaks(heatmaps: "torch.Tensor") -> "torch.Tensor":
    """Return the peak (..., 2), x and y, of each heatmap (..., height, width), in cells: centres at 0.5, 1.5 ...

    FAN is trained on Gaussians, so a parabola through the logarithms of the peak and its two neighbours, in x and in y,
    finds the middle exactly where the heatmap is one (Zhang et al. 2020, "Distribution-aware coordinate
    representation"). The usual quarter of a cell towards the higher neighbour leaves steps: on a face 300 pixels wide a
    cell is 10 pixels.
    """
    import torch

    height, width = heatmaps.shape[-2:]
    flat = heatmaps.flatten(-2)
    highest, place = flat.max(dim=-1)
    column, row = place % width, place // width
    top = highest.clamp(min=torch.finfo(flat.dtype).tiny)

    def beside(step: int) -> "torch.Tensor":
        value = flat.gather(-1, (place + step).clamp(0, height * width - 1)[..., None])[..., 0]
        return (value / top).clamp(LOWEST_NEIGHBOUR, 1.0).log()

    def offset(before: "torch.Tensor", after: "torch.Tensor", inside: "torch.Tensor") -> "torch.Tensor":
        bend = -(before + after)
        return torch.where(inside & (bend > 0), (after - before) / (2 * bend.clamp(min=1e-9)), 0.0)

    x = offset(beside(-1), beside(1), (column > 0) & (column < width - 1))
    y = offset(beside(-width), beside(width), (row > 0) & (row < height - 1))
    return torch.stack([column + 0.5 + x, row + 0.5 + y], dim=-1)

"""MediaPipe's face networks, run by OpenCV: a detector, the 478 points of a face, and its blendshapes.

They are the three of Google's Face Landmarker bundle of 2023-05-03 (Apache License 2.0); origin and checksums stand
beside them in ``face_landmarker/README.md``.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import ModelMissing
from heygem_pipeline.faces.mesh_points import BLENDSHAPE_POINTS, MOUTH_BLENDSHAPES

FOLDER = Path(__file__).parent / "face_landmarker"
DETECTOR_SIDE = 128
CROP_SIDE = 256
KEYPOINTS = 6


class DetectorAnswer(NamedTuple):
    """What the detector says of one square picture; places are shares of its side.

    Attributes:
        score: float64 (n,), 0 to 1.
        centre: float64 (n, 2).
        size: float64 (n, 2).
        keypoints: float64 (n, 6, 2): the eye on the picture's left, the other, tip of the nose, mouth, the two ears.
    """

    score: NDArray[np.float64]
    centre: NDArray[np.float64]
    size: NDArray[np.float64]
    keypoints: NDArray[np.float64]


class MeshNetworks:
    """The three networks, loaded. Not to be used by two threads at once."""

    def __init__(self) -> None:
        """Load them. Raises ModelMissing where a file of this installation is gone."""
        self._detector = _load("face_detector.tflite")
        self._landmarks = _load("face_landmarks_detector.tflite")
        self._blendshapes = _load("face_blendshapes.tflite")
        self._anchors = _anchors()
        self._crop = np.empty((1, 3, CROP_SIDE, CROP_SIDE), np.float32)

    def detect(self, picture: NDArray[np.uint8], least_score: float) -> DetectorAnswer:
        """Look for faces wider than about a fifth of a square BGR picture of 128 x 128 pixels."""
        import cv2

        self._detector.setInput(cv2.dnn.blobFromImage(picture, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True))
        regressors, logits = self._detector.forward(["regressors", "classificators"])
        score = _sigmoid(logits[0, :, 0])
        sure = score >= least_score
        shift = regressors[0][sure].astype(np.float64) / DETECTOR_SIDE
        anchor = self._anchors[sure]
        keypoints = anchor[:, None] + shift[:, 4:].reshape(-1, KEYPOINTS, 2)
        return DetectorAnswer(score[sure], anchor + shift[:, :2], shift[:, 2:4], keypoints)

    def read(self, crop: NDArray[np.uint8]) -> tuple[NDArray[np.float64], float]:
        """Read a BGR crop of 256 x 256 pixels that holds one upright face.

        Returns:
            The points, float64 (478, 2), pixels of the crop, and how surely a face is there, 0 to 1.
        """
        import cv2

        # What blobFromImage returns, in a tenth of its time.
        for place, channel in zip(self._crop[0], reversed(cv2.split(crop)), strict=True):
            np.multiply(channel, np.float32(1 / 255), out=place)
        self._landmarks.setInput(self._crop)
        points, presence = self._landmarks.forward(["Identity", "Identity_1"])
        return points.reshape(-1, 3)[:, :2].astype(np.float64), float(_sigmoid(presence.ravel())[0])

    def mouth_blendshapes(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the blendshapes of MOUTH_BLENDSHAPES, float32 (16,), 0 to 1, of points (478, 2) in pixels."""
        self._blendshapes.setInput(np.ascontiguousarray(points[None, BLENDSHAPE_POINTS], np.float32))
        return self._blendshapes.forward().ravel()[list(MOUTH_BLENDSHAPES.values())].astype(np.float32)


def _load(name: str):  # noqa: ANN202 - cv2.dnn.Net, whose import costs 0.2 s
    import cv2

    if not (FOLDER / name).is_file():
        raise ModelMissing("mesh.no_model", file=name)
    # OpenCV 5.0's other engine loses all outputs but one; a network given as bytes always goes to that one.
    return cv2.dnn.readNetFromTFLite(str(FOLDER / name), cv2.dnn.ENGINE_CLASSIC)


def _anchors() -> NDArray[np.float64]:
    """Centres (896, 2) of the detector's anchors: two in each of 16 x 16 cells, then six in each of 8 x 8."""
    layers = []
    for cells, each in ((16, 2), (8, 6)):
        centre = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(centre, centre, indexing="ij")
        layers.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), each, axis=0))
    return np.concatenate(layers)


def _sigmoid(logits: NDArray[Any]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -80, 80)))

"""MediaPipe's face networks, run by LiteRT: a detector, the 478 points of a face, and its blendshapes.

They are the three of Google's Face Landmarker bundle of 2023-05-03 (Apache License 2.0); origin and checksums stand
beside them in ``face_landmarker/README.md``.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import ModelMissing
from heygem_pipeline.faces.mesh_points import BLENDSHAPE_POINTS, EYE_BLENDSHAPES, MOUTH_BLENDSHAPES

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
    """The three networks, loaded. None of them is to be used by two threads at once."""

    def __init__(self) -> None:
        """Load them. Raises ModelMissing where a file of this installation is gone."""
        self._detector = _Network("face_detector.tflite", ("regressors", "classificators"))
        self._landmarks = _Network("face_landmarks_detector.tflite", ("Identity", "Identity_1"))
        self._blendshapes = _Network("face_blendshapes.tflite", ("StatefulPartitionedCall:0",))
        self._anchors = _anchors()

    def detect(self, picture: NDArray[np.uint8], least_score: float) -> DetectorAnswer:
        """Look for faces wider than about a fifth of a square BGR picture of 128 x 128 pixels."""
        np.subtract(picture[..., ::-1], np.float32(127.5), out=self._detector.input[0])
        self._detector.input /= np.float32(127.5)
        regressors, logits = self._detector.run()
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

        np.multiply(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB), np.float32(1 / 255), out=self._landmarks.input[0])
        points, presence = self._landmarks.run()
        return points.reshape(-1, 3)[:, :2].astype(np.float64), float(_sigmoid(presence.ravel())[0])

    def mouth_blendshapes(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the blendshapes of MOUTH_BLENDSHAPES, float32 (16,), 0 to 1, of points (478, 2) in pixels."""
        return self._all_blendshapes(points)[list(MOUTH_BLENDSHAPES.values())]

    def closed_eyes(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return eyeBlinkLeft and eyeBlinkRight, float32 (2,), 0 to 1, of points (478, 2) in pixels."""
        return self._all_blendshapes(points)[list(EYE_BLENDSHAPES)]

    def _all_blendshapes(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        self._blendshapes.input[0] = points[BLENDSHAPE_POINTS]
        (blendshapes,) = self._blendshapes.run()
        return blendshapes.ravel()


class _Network:
    """One network on one core, so that its numbers hang on no count of cores.

    Attributes:
        input: float32, to be filled before each run.
    """

    def __init__(self, name: str, outputs: Sequence[str]) -> None:
        from ai_edge_litert.interpreter import Interpreter

        if not (FOLDER / name).is_file():
            raise ModelMissing("mesh.no_model", file=name)
        with _silent_standard_error():
            self._interpreter = Interpreter(str(FOLDER / name), num_threads=1)
            self._interpreter.allocate_tensors()
        (given,) = self._interpreter.get_input_details()
        indices = {one["name"]: one["index"] for one in self._interpreter.get_output_details()}
        self._input, self._outputs = given["index"], [indices[output] for output in outputs]
        self.input = np.zeros(given["shape"], np.float32)

    def run(self) -> list[NDArray[np.float32]]:
        self._interpreter.set_tensor(self._input, self.input)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(output) for output in self._outputs]


@contextmanager
def _silent_standard_error() -> Iterator[None]:
    """LiteRT greets on standard error, below Python, and has no setting against it."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


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

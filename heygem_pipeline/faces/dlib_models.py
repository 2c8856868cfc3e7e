"""dlib's two models: the frontal face detector inside dlib and the 68-point predictor inside face_recognition_models.

The predictor (``shape_predictor_68_face_landmarks.dat``, regression trees after Kazemi and Sullivan 2014) was trained
on iBUG 300-W, whose terms exclude commercial use.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import ModelMissing
from heygem_pipeline.faces.boxes import Box

PREDICTOR_FILE = "shape_predictor_68_face_landmarks.dat"
DETECTOR_WINDOW = 80
"""Width in pixels of the smallest face dlib's detector finds."""


def predictor_path() -> Path:
    """Return where the landmark predictor's file lies.

    The package that ships it is located, never imported: its import needs pkg_resources, which setuptools 82 dropped.
    Raises ModelMissing.
    """
    package = find_spec("face_recognition_models")
    for folder in (package.submodule_search_locations or []) if package else []:
        path = Path(folder) / "models" / PREDICTOR_FILE
        if path.is_file():
            return path
    raise ModelMissing("dlib.no_predictor", file=PREDICTOR_FILE)


@cache
def landmark_predictor() -> Any:  # noqa: ANN401 - dlib has no type stubs
    """Return dlib's 68-point predictor, loaded once a process (about 0.8 s, 100 MB). Raises ModelMissing."""
    path = predictor_path()
    try:
        import dlib
    except ImportError as error:
        raise ModelMissing("dlib.not_installed") from error
    return dlib.shape_predictor(str(path))  # pyright: ignore[reportAttributeAccessIssue]


@cache
def frontal_face_detector() -> Any:  # noqa: ANN401 - dlib has no type stubs
    """Return dlib's HOG detector of upright frontal faces. Raises ModelMissing."""
    try:
        import dlib
    except ImportError as error:
        raise ModelMissing("dlib.not_installed") from error
    return dlib.get_frontal_face_detector()  # pyright: ignore[reportAttributeAccessIssue]


def detect_faces(picture: NDArray[np.uint8], threshold: float) -> list[tuple[Box, float]]:
    """Return the boxes and scores (0 is the detector's usual threshold) of the faces in a grey picture, best first."""
    rectangles, scores, _ = frontal_face_detector().run(picture, 0, threshold)
    found = [
        (Box(r.left(), r.top(), r.right() + 1, r.bottom() + 1), float(s))
        for r, s in zip(rectangles, scores, strict=True)
    ]
    return sorted(found, key=lambda face: -face[1])


def predict_landmarks(picture: NDArray[np.uint8], box: Box) -> NDArray[np.float64]:
    """Return the 68 landmarks (68, 2) of the face in ``box`` of a grey picture; dlib gives whole pixels."""
    import dlib

    rectangle = dlib.rectangle(  # pyright: ignore[reportAttributeAccessIssue]
        round(box.left), round(box.top), round(box.right) - 1, round(box.bottom) - 1
    )
    shape = landmark_predictor()(picture, rectangle)
    return np.array([(point.x, point.y) for point in shape.parts()], np.float64)

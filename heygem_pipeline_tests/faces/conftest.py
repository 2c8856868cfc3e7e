"""Two public-domain faces that come inside wheels, and clips made of them in memory."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.faces.mesh_networks import MeshNetworks

Picture = NDArray[np.uint8]


@pytest.fixture(scope="session")
def hopper() -> Picture:
    """Grace Hopper, uint8 (600, 512, 3) BGR; her face is about 210 pixels wide."""
    import cv2
    from matplotlib.cbook import get_sample_data

    picture = cv2.imread(str(Path(str(get_sample_data("grace_hopper.jpg", asfileobj=False)))))
    assert picture is not None
    return np.asarray(picture, np.uint8)


@pytest.fixture(scope="session")
def collins() -> Picture:
    """Eileen Collins, uint8 (512, 512, 3) BGR; her face is about 110 pixels wide and smiles."""
    from skimage.data import astronaut

    return np.ascontiguousarray(astronaut()[:, :, ::-1])


@pytest.fixture(scope="session")
def mesh_networks() -> MeshNetworks:
    """Loaded once."""
    return MeshNetworks()


@pytest.fixture(scope="session")
def placed() -> Callable[..., Picture]:
    """Put pictures on a grey frame: ``placed((height, width), (picture, left, top, scale), ...)``."""
    import cv2

    def place(shape: tuple[int, int], *parts: tuple[Picture, float, float, float]) -> Picture:
        frame = np.full((*shape, 3), 90, np.uint8)
        for picture, left, top, scale in parts:
            matrix = np.array([[scale, 0, left], [0, scale, top]], np.float64)
            cv2.warpAffine(
                picture, matrix, (shape[1], shape[0]), frame, cv2.INTER_AREA, borderMode=cv2.BORDER_TRANSPARENT
            )
        return frame

    return place


@pytest.fixture(scope="session")
def slide(hopper: Picture, placed: Callable[..., Picture]) -> Callable[[Iterable[float]], Iterator[Picture]]:
    """Frames of Grace Hopper, 400 pixels high, with the picture's left edge at the given places."""

    def frames(lefts: Iterable[float]) -> Iterator[Picture]:
        return (placed((400, 480), (hopper, left, 0.0, 2 / 3)) for left in lefts)

    return frames

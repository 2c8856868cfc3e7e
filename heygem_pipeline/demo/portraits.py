"""The two photographs the demo presenters are made from, and where in them things are.

Both are works of the United States government and in the public domain, and both come inside packages that are
installed anyway, so that nothing is downloaded:

- Commodore (later Rear Admiral) Grace Hopper, United States Navy, 1984, by James S. Davis; ``grace_hopper.jpg`` among
  matplotlib's sample data (512 x 600).
- Eileen Collins, astronaut, NASA's Great Images collection; ``skimage.data.astronaut()`` (512 x 512).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Ellipse = tuple[float, float, float, float]
"""Centre x, centre y, half width, half height."""


@dataclass(frozen=True)
class Eye:
    """One open eye: the edges of both lids from left to right, in pixels of the photograph."""

    upper_lid: tuple[Point, ...]
    lower_lid: tuple[Point, ...]
    lid_height: float
    """How far above the upper lid's edge plain skin reaches, pixels."""


@dataclass(frozen=True)
class Portrait:
    """A photograph and where things are in it; all numbers are in pixels of the photograph, read off enlargements."""

    name: str
    photograph: Callable[[], NDArray[np.uint8]]
    """Returns the photograph, uint8 (height, width, 3), BGR."""
    scale: float
    """Frame pixels a photograph pixel; the photograph's top edge lies on the frame's."""
    left: float
    """Where the photograph's left edge lies in the frame, frame pixels."""
    sharpening: float
    """Share of the fine detail added once more after enlarging."""
    outline: tuple[Point, ...]
    """The person, as a polygon."""
    head: tuple[Ellipse, ...]
    """The part that moves with the skull, as a union of ellipses."""
    face: Ellipse
    """The face seen as an ellipsoid: its middle lies nearest the camera."""
    neck: Point
    """What the head turns on."""
    eyes: tuple[Eye, ...]
    """The eyes that blink; none where too little of the lids is seen to draw them shut."""


def _grace_hopper() -> NDArray[np.uint8]:
    from matplotlib import cbook
    from matplotlib.image import imread

    red_green_blue = imread(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    return np.ascontiguousarray(red_green_blue[:, :, ::-1])


def _astronaut() -> NDArray[np.uint8]:
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])


GRACE_HOPPER = Portrait(
    name="grace-hopper",
    photograph=_grace_hopper,
    scale=1.62,
    left=211,
    sharpening=0.0,
    outline=(
        (12, 600), (24, 490), (34, 425), (41, 402), (55, 382), (75, 371), (114, 362), (151, 350), (174, 338),
        (190, 323), (203, 315), (204, 305), (198, 297), (176, 286), (164, 274), (160, 256), (154, 201), (154, 187),
        (151, 175), (150, 150), (151, 125), (157, 103), (174, 86), (179, 71), (192, 53), (217, 41), (231, 30),
        (254, 23), (279, 26), (297, 36), (304, 42), (325, 48), (345, 66), (354, 87), (366, 87), (370, 101),
        (372, 137), (369, 174), (373, 185), (376, 197), (374, 215), (368, 247), (363, 267), (359, 281), (347, 300),
        (336, 307), (330, 313), (341, 322), (366, 339), (411, 359), (457, 374), (489, 389), (496, 398), (505, 420),
        (512, 441), (512, 600),
    ),
    head=((264, 180, 130, 172),),
    face=(266, 215, 98, 135),
    neck=(264, 385),
    eyes=(),  # behind her glasses the lids are three pixels high
)  # fmt: skip

ASTRONAUT = Portrait(
    name="astronaut",
    photograph=_astronaut,
    scale=2.6,
    left=0,
    sharpening=0.45,
    outline=(
        (10, 512), (42, 290), (53, 271), (61, 253), (76, 239), (95, 221), (112, 207), (114, 186), (121, 184),
        (125, 176), (137, 160), (155, 151), (176, 148), (183, 147), (182, 134), (176, 131), (171, 119), (160, 109),
        (155, 95), (153, 70), (162, 53), (179, 39), (197, 28), (218, 17), (232, 15), (253, 20), (278, 33), (292, 49),
        (299, 67), (302, 83), (299, 100), (290, 116), (278, 127), (276, 134), (267, 137), (265, 148), (258, 165),
        (256, 173), (264, 176), (281, 190), (297, 211), (303, 228), (305, 236), (316, 241), (330, 248), (341, 260),
        (348, 278), (353, 290), (400, 512),
    ),
    head=((227, 75, 85, 74), (222, 108, 54, 86)),
    face=(224, 110, 52, 75),
    neck=(222, 215),
    eyes=(
        Eye(
            upper_lid=((193.2, 100.4), (197, 97.5), (202.8, 96.7), (208, 98.2), (211, 100.5), (213.2, 103.6)),
            lower_lid=((193.2, 100.6), (196.5, 103), (201.5, 104.7), (207, 104.7), (211, 104.2), (213.2, 103.8)),
            lid_height=4,
        ),
        Eye(
            upper_lid=((237.2, 105), (240.7, 101.8), (245.7, 99.6), (251.4, 100), (255.7, 101.8), (259, 104)),
            lower_lid=((237.2, 105.2), (240.7, 106.5), (246.4, 106.9), (251.4, 106.5), (256.4, 105.8), (259, 104.2)),
            lid_height=4,
        ),
    ),
)  # fmt: skip

"""Which of the face mesh's 478 points are the 68 of iBUG, and which the lines of the lips.

Vertex numbers are those of MediaPipe's canonical face. Of the 68, measured on 54 frames of 34 clips against a predictor
trained on iBUG's own annotation, eyes and lips lie within 0.03 eye distances, the nose within 0.05 and the brows within
0.09; the jaw (0.12) lies on the face's side and not on its outline.
"""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.filters import natural_cubic

_JAW = (162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389)
_BROWS = (71, 63, 105, 66, 107, 336, 296, 334, 293, 301)
_NOSE = (168, 197, 5, 4, 75, 97, 2, 326, 305)
_EYES = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
_LIPS = (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87)
IBUG_POINTS = np.array(_JAW + _BROWS + _NOSE + _EYES + _LIPS)
"""int64 (68,), vertices that stand for the 68 points, in iBUG's order."""

LIP_LINES = np.array(
    [
        (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
        (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
        (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
        (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
    ]
)
"""int64 (4, 11), vertices of the lips' lines, each from the picture's left to its right: outer border of the upper lip,
outer border of the lower one, inner border of the upper lip, inner border of the lower one."""

OUTER_EYE_CORNERS = (33, 263)
"""Vertices of the outer corners of the eyes on the picture's left and right."""

_BLENDSHAPE_RUNS = (
    *((0, 1), (4, 8), (10, 10), (13, 14), (17, 17), (21, 21), (33, 33), (37, 37), (39, 40), (46, 46), (52, 55)),
    *((58, 58), (61, 61), (63, 63), (65, 67), (70, 70), (78, 78), (80, 82), (84, 84), (87, 88), (91, 91), (93, 93)),
    *((95, 95), (103, 103), (105, 105), (107, 107), (109, 109), (127, 127), (132, 133), (136, 136), (144, 146)),
    *((148, 150), (152, 155), (157, 163), (168, 168), (172, 173), (176, 176), (178, 178), (181, 181), (185, 185)),
    *((191, 191), (195, 195), (197, 197), (234, 234), (246, 246), (249, 249), (251, 251), (263, 263), (267, 267)),
    *((269, 270), (276, 276), (282, 285), (288, 288), (291, 291), (293, 293), (295, 297), (300, 300), (308, 308)),
    *((310, 312), (314, 314), (317, 318), (321, 321), (323, 324), (332, 332), (334, 334), (336, 336), (338, 338)),
    *((356, 356), (361, 362), (365, 365), (373, 375), (377, 382), (384, 390), (397, 398), (400, 400), (402, 402)),
    *((405, 405), (409, 409), (415, 415), (454, 454), (466, 466), (468, 477)),
)
BLENDSHAPE_POINTS = np.concatenate([np.arange(first, last + 1) for first, last in _BLENDSHAPE_RUNS])
"""int64 (146,), the vertices from which blendshapes are read, in their order (MediaPipe, face_blendshapes_graph.cc)."""

MOUTH_BLENDSHAPES = {
    "jawOpen": 25,
    "mouthClose": 27,
    "mouthFunnel": 32,
    "mouthPucker": 38,
    "mouthPressLeft": 36,
    "mouthPressRight": 37,
    "mouthRollLower": 40,
    "mouthRollUpper": 41,
    "mouthUpperUpLeft": 48,
    "mouthUpperUpRight": 49,
    "mouthLowerDownLeft": 34,
    "mouthLowerDownRight": 35,
    "mouthSmileLeft": 44,
    "mouthSmileRight": 45,
    "mouthStretchLeft": 46,
    "mouthStretchRight": 47,
}
"""ARKit's name of each blendshape of the mouth that is kept -> its place among the 52 of the network."""

EYE_BLENDSHAPES = (9, 10)
"""Places of eyeBlinkLeft and eyeBlinkRight among the 52: the person's own left eye, then the right one."""


def lip_lines_of(landmarks: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the lips' lines (frames, 4, 11, 2) as 68 landmarks (frames, 68, 2) have them: splines through the few.

    For trackers that read no more than those.
    """
    every = np.arange(LIP_LINES.shape[1])
    lines = []
    for vertices in LIP_LINES:
        known = {
            place: int(np.flatnonzero(vertices[place] == IBUG_POINTS)[0])
            for place in every
            if vertices[place] in IBUG_POINTS
        }
        lines.append(natural_cubic(np.array(list(known)), every) @ landmarks[:, list(known.values())])
    return np.stack(lines, axis=1).astype(np.float32)

"""The inside of an open mouth, drawn: teeth, tongue and shade in the face's own light."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.light import FaceLight

TOOTH_WIDTHS_MM = (8.6, 6.6, 7.6, 7.0)
"""Central and lateral incisor, canine, first premolar (upper jaw means; Wheeler's Dental Anatomy)."""

IOD_MM = 63.0
"""Mean distance between adult pupils."""

ARCH_HALF_WIDTH = 0.40


@dataclass(frozen=True)
class OpenMouth:
    """Numbers of one open mouth, head frame, IOD.

    centre, half_width: of the mouth as it is shown. midline: x between the upper incisors.
    foreshortening: by how much the left and the right half of the arch are stretched to look as from the front.
    skull_edge: y of the closed lips' line at the midline, from which the upper teeth hang. tilt: that line's slope.
    gap: the opening's height. rounding: 0 = spread, 1 = pursed.
    """

    centre: float
    half_width: float
    midline: float
    foreshortening: tuple[float, float]
    skull_edge: float
    tilt: float
    gap: float
    rounding: float


def luma(colour: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rec. 601 luma of BGR values (the last axis)."""
    return colour[..., 0] * 0.114 + colour[..., 1] * 0.587 + colour[..., 2] * 0.299


def _smoothstep(value: NDArray[np.floating], low: float, high: float) -> NDArray[np.floating]:
    share = np.clip((value - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def _tooth_edges() -> NDArray[np.float32]:
    """Places of the borders between teeth along the picture, IOD from the midline, the arch seen from the front."""
    along = np.cumsum(TOOTH_WIDTHS_MM) / IOD_MM
    # An arch of that half-width, seen from the front: arc length to projected place.
    return (ARCH_HALF_WIDTH * np.sin(np.minimum(along / ARCH_HALF_WIDTH, np.pi / 2))).astype(np.float32)


TOOTH_EDGES = _tooth_edges()


def draw_interior(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    upper: NDArray[np.float32],
    lower: NDArray[np.float32],
    mouth: OpenMouth,
    light: FaceLight,
    pixel: float,
) -> NDArray[np.float32]:
    """Return the colour of the opening, float32 (rows, columns, 3) BGR.

    x, y, upper, lower: float32 (rows, columns), head-frame place of every pixel, the inner lip lines above and below.
    pixel: size of a pixel, IOD.
    """
    height = np.maximum(lower - upper, 1e-4)
    across = np.abs(x - mouth.centre) / max(mouth.half_width, 1e-3)
    distance = np.abs(x - mouth.midline) * np.where(x < mouth.midline, *np.array(mouth.foreshortening, np.float32))
    arch = np.minimum(distance / ARCH_HALF_WIDTH, 1)
    skin, lip = float(luma(light.skin)), light.lip
    soft = max(0.010, 0.7 * pixel)
    between = _between_teeth(distance, pixel)
    side = 1 - arch**2.2

    # The cavity: the crease's hue, nearly black behind the upper teeth, redder toward the tongue.
    dark = 0.5 * light.crease + 0.5 * lip * np.array([0.50, 0.45, 1.0], np.float32)
    dark = dark * (0.15 * skin / max(float(luma(dark)), 1.0))
    depth = _smoothstep((y - upper) / height, 0.25, 1.0)
    picture = dark * (0.62 + 0.58 * depth)[..., None]

    # Tongue: a low mound behind the lower lip.
    flesh = lip * np.array([0.68, 0.62, 1.0], np.float32)
    flesh = flesh * (0.36 * skin / max(float(luma(flesh)), 1.0))
    mound = np.minimum(0.50 * height, 0.085) * np.clip(1 - (across / 0.75) ** 2, 0, 1)
    tongue = _smoothstep(y - (lower - mound), -0.02, 0.06) * _ramp(mouth.gap, 0.06, 0.16)
    picture += (0.60 * tongue)[..., None] * (flesh - picture)

    enamel = _enamel(light)
    show = 1 - _ramp(mouth.rounding, 0.30, 0.90)

    # Lower teeth: the tips of a low row, in the lower lip's shade.
    tips = lower - min(0.030, max(0.0, 0.35 * (mouth.gap - 0.13))) + 0.03 * arch**2
    row = _smoothstep(y - tips, -soft, soft) * show * _ramp(mouth.gap, 0.13, 0.19) * _smoothstep(side, 0.3, 0.8)
    picture += (0.35 * row)[..., None] * (enamel * (0.55 * (1 - 0.15 * between))[..., None] - picture)

    # Upper teeth belong to the skull: the lip rises over them. Each edge is a little round.
    edge = mouth.skull_edge + mouth.tilt * (x - mouth.midline) + min(0.020, 0.15 * mouth.gap)
    edge = edge - 0.030 * arch**2 - 0.010 * between
    teeth = _smoothstep(edge - y, -soft, soft) * _smoothstep(side, 0.05, 0.45) * show
    tone = (0.45 + 0.55 * side) * (1 - 0.16 * between) * (0.70 + 0.30 * _smoothstep(y - upper, 0.0, 0.04))
    picture += teeth[..., None] * (enamel * tone[..., None] - picture)

    # Shade: the upper lip's shadow, and the corners, where the crease's own colour takes over.
    picture = picture * (0.78 + 0.22 * _smoothstep(y - upper, -0.005, 0.022))[..., None]
    corner = 0.9 * _smoothstep(across, 0.45, 0.95)
    return picture + corner[..., None] * (0.75 * light.crease - picture)


def _enamel(light: FaceLight) -> NDArray[np.float32]:
    """Colour of a well lit tooth: warm ivory in the face's light, never brighter than the face allows."""
    skin = max(float(luma(light.skin)), 1.0)
    ivory = np.array([0.90, 0.955, 1.06], np.float32)
    tinted = 0.6 * ivory + 0.4 * light.skin / np.float32(skin)
    return (tinted * min(1.06 * skin + 6, 212.0)).astype(np.float32)


def _between_teeth(distance: NDArray[np.float32], pixel: float) -> NDArray[np.float32]:
    """1 on the border of two teeth, 0 in the middle of one."""
    borders = np.r_[0, TOOTH_EDGES].astype(np.float32)
    nearest = np.min(np.abs(distance[..., None] - borders), axis=-1)
    return np.exp(-((nearest / max(0.011, 0.8 * pixel)) ** 2))


def _ramp(value: float, low: float, high: float) -> float:
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    return share * share * (3 - 2 * share)

"""The inside of an open mouth, drawn: teeth, tongue and shade in the face's own light."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.light import FaceLight

TOOTH_WIDTHS_MM = (8.6, 6.6, 7.6, 7.0)
"""Central and lateral incisor, canine, first premolar (upper jaw means; Wheeler's Dental Anatomy)."""

IOD_MM = 63.0
"""Mean distance between adult pupils."""

ARCH_HALF_WIDTH = 0.40


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
    *,
    midline: float,
    half_width: float,
    skull_edge: float,
    jaw_drop: float,
    gap: float,
    rounding: float,
    light: FaceLight,
    pixel: float,
) -> NDArray[np.float32]:
    """Colour of the opening at head-frame places x (1, n), y (m, 1), between the lines upper (1, n) and lower (1, n).

    midline: x of the teeth's middle. half_width: half the mouth's width. skull_edge: y of the seam at rest, where the
    upper teeth hang from. jaw_drop: how far the lower jaw is down. gap: the opening's height. rounding: 0..1.
    pixel: size of a pixel, IOD. Returns float32 (m, n, 3) BGR.
    """
    height = np.maximum(lower - upper, 1e-4)
    across = (x - midline) / max(half_width, 1e-3)
    depth = np.clip((y - upper) / height, 0, 1)
    skin_luma, lip = float(luma(light.skin)), light.lip

    # The cavity: lip's hue, nearly black at the back, a little lighter toward the tongue.
    cavity = lip * np.array([0.75, 0.72, 0.95], np.float32)
    cavity = cavity / max(float(luma(cavity)), 1.0) * (0.13 * skin_luma + 6)
    picture = np.broadcast_to(cavity, (*np.broadcast_shapes(x.shape, y.shape), 3)).astype(np.float32).copy()

    # Tongue: a low mound behind the lower lip.
    tongue_colour = lip * (0.62 * skin_luma / max(float(luma(lip)), 1.0)) * np.array([0.92, 0.86, 1.0], np.float32)
    tongue_top = lower - np.minimum(0.42 * height, 0.075) * (1 - (np.clip(np.abs(across) / 0.72, 0, 1)) ** 2)
    tongue = _smoothstep(y - tongue_top, -0.012, 0.035) * _smoothstep(np.float32(gap) * np.ones_like(x), 0.05, 0.12)
    tongue = tongue * (1 - _smoothstep(np.abs(across), 0.45, 0.8))
    picture += (0.62 * tongue)[..., None] * (tongue_colour - picture)

    # Teeth: limited by the light of the face.
    brightness = min(1.0 * skin_luma + 8, 215.0)
    neutral = np.full(3, brightness, np.float32)
    tinted = light.skin * (brightness / max(skin_luma, 1.0))
    tooth = 0.70 * neutral + 0.30 * tinted
    tooth[0] *= 0.94
    show = 1 - _smoothstep(np.float32(rounding) * np.ones(1, np.float32), 0.35, 0.95)[0]

    distance = np.abs(x - midline)
    arch = (distance / ARCH_HALF_WIDTH) ** 2
    upper_edge = np.clip(skull_edge + 0.035, upper + 0.28 * height, upper + 0.60 * height)
    upper_edge = np.minimum(upper_edge, upper + 0.10) - 0.045 * arch
    gaps = np.min(np.abs(distance[..., None] - np.r_[0, TOOTH_EDGES].astype(np.float32)), axis=-1)
    between = np.exp(-((gaps / max(0.010, 0.8 * pixel)) ** 2))
    # Every tooth's edge is a little round; incisors of the sides are shorter.
    upper_edge = upper_edge - 0.012 * between
    soft = max(0.010, 0.7 * pixel)
    teeth = _smoothstep(upper_edge - y, -soft, soft)
    side = np.clip(1 - (distance / (ARCH_HALF_WIDTH * 0.98)) ** 2.2, 0, 1)
    tone = (0.30 + 0.70 * side) * (1 - 0.22 * between)
    tone = tone * (0.62 + 0.38 * _smoothstep(y - upper, 0.0, 0.055))
    opacity = teeth * show * _smoothstep(side, 0.05, 0.35)
    picture += opacity[..., None] * (tooth * tone[..., None] - picture)

    # Lower teeth: a low row behind the lower lip, in its shade.
    if gap > 0.07:
        lower_line = lower - np.minimum(np.minimum(0.20 * height, 0.05), max(0.0, 0.5 * (gap - 0.07)))
        lower_line = lower_line + 0.03 * arch
        row = _smoothstep(y - lower_line, -soft, soft) * show * _smoothstep(side, 0.25, 0.6)
        picture += (0.75 * row)[..., None] * (
            tooth * (0.62 * (0.4 + 0.6 * side) * (1 - 0.2 * between))[..., None] - picture
        )

    # Shade: under the upper lip, toward the corners, on the lower lip's rim.
    shade = 0.55 + 0.45 * _smoothstep(y - upper, -0.005, 0.03)
    shade = shade * (1 - 0.75 * _smoothstep(np.abs(across), 0.35, 0.95))
    shade = shade * (0.80 + 0.20 * _smoothstep(lower - y, 0.0, 0.02))
    del depth
    return picture * shade[..., None]

"""A photograph that moves: its frames, made one by one of the picture alone, the same every time."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import FacePlace
from heygem_pipeline.faces.mesh_follower import FaceFollower
from heygem_pipeline.faces.mesh_networks import MeshNetworks
from heygem_pipeline.faces.mesh_reader import MeshReading, read_face
from heygem_pipeline.media.still import read_picture
from heygem_pipeline.photographs.eyelids import Eye, eyes_of, lower_lid
from heygem_pipeline.photographs.head_warp import HeadWarp, Placement
from heygem_pipeline.photographs.idle_motion import IdleMotion, idle_motion

Pixels = NDArray[np.uint8]

VERSION = "1"
"""Changes whenever the same photograph would move otherwise."""

LEAST_EYE_DISTANCE = 32
"""Pixels: of smaller eyes the lids are two pixels high."""

OPEN_EYE, CLOSED_BLENDSHAPE = 0.17, 0.42
"""Opening over width from which on an eye is open, and eyeBlink from which on it is not. Of 49 pictures of people,
those with open eyes had 0.18 to 0.46 and 0.01 to 0.31, those with closed ones up to 0.17 and 0.39 to 0.87."""

PROFILE = 0.62
"""An eye narrower than so much of the other is that of a head turned far."""

DARK_GLASS = 0.5
"""Light on the skin around an eye, of that on the cheek: less is behind sunglasses, or under hair."""


CHEEKS = (50, 280)
"""Vertices on the cheeks, on the picture's left and right."""

SHUT = 0.8
"""Openness that the mesh may still read of eyes drawn shut, of what it was."""


class Eyes(StrEnum):
    """Whether a photograph's eyes are drawn shut now and then, or why not."""

    BLINK = "blink"
    CLOSED = "closed"
    UNSEEN = "unseen"


@dataclass(frozen=True)
class MovingPhotograph:
    """The frames of a photograph whose person is alive; see ``media.presenter.PictureMotion``.

    Attributes:
        path: of the picture.
        size: width and height in which it is shown.
        fingerprint: of its content; the motion follows from it.
        frame_rate: frames a second.
        face: of several, the one that moves is the nearest to this place; None, the likeliest.
    """

    path: Path
    size: tuple[int, int]
    fingerprint: str
    frame_rate: Fraction
    face: FacePlace | None = None

    @property
    def frame_count(self) -> int:
        """Of the motion, which is played forward and back."""
        return len(self._motion.yaw)

    @property
    def eyes(self) -> Eyes:
        """Whether its eyes blink."""
        return self._read.eyes

    def part(self, index: int) -> tuple[int, int, Pixels] | None:
        """Left, top and pixels of all that differs from the picture in a frame; None where nothing does."""
        read, motion = self._read, self._motion
        if read.warp is None or index == 0:
            return None
        picture = self.picture
        closing = float(motion.eyes_closed[index])
        if read.eyes is Eyes.BLINK and closing > 0:
            picture = with_lids(picture, read.lids, closing)
        yaw, pitch, roll = (float(np.deg2rad(angle[index])) for angle in (motion.yaw, motion.pitch, motion.roll))
        lean, sway, breath = (float(shift[index]) for shift in (motion.lean, motion.sway, motion.breath))
        placement = Placement(yaw, pitch, roll, lean, sway, breath)
        return read.warp.left, read.warp.top, read.warp.bent(picture, placement)

    @cached_property
    def picture(self) -> Pixels:
        """The picture itself, not to be written to."""
        return read_picture(self.path, self.size)

    @cached_property
    def _motion(self) -> IdleMotion:
        return idle_motion(self.fingerprint, self.frame_rate)

    @cached_property
    def _read(self) -> "_ReadFace":
        networks = MeshNetworks()
        follower = FaceFollower(networks, float(self.frame_rate), self.face)
        found = [*follower.update(self.picture), *follower.end()]
        if not found:
            return _ReadFace(None, (), Eyes.UNSEEN)
        reading = found[0].reading
        lids = eyes_of(self.picture, reading.points)
        return _ReadFace(HeadWarp(self.picture, reading.points), lids, _judged(networks, self.picture, reading, lids))


@dataclass(frozen=True)
class _ReadFace:
    """warp: None where no face is found."""

    warp: HeadWarp | None
    lids: tuple[Eye, ...]
    eyes: Eyes


def with_lids(picture: Pixels, eyes: tuple[Eye, ...], closing: float) -> Pixels:
    """A copy of a picture with its lids lowered: 0 = as they are, 1 = shut."""
    drawn = picture.copy()
    for eye in eyes:
        lower_lid(picture, drawn, eye, closing)
    return drawn


def _judged(networks: MeshNetworks, picture: Pixels, reading: MeshReading, eyes: tuple[Eye, Eye]) -> Eyes:
    """Whether eyes are open and plainly seen, and whether the mesh reads them as shut once they are drawn so."""
    openness = [eye.opening / eye.width for eye in eyes]
    if min(openness) < OPEN_EYE or max(networks.closed_eyes(reading.points)) > CLOSED_BLENDSHAPE:
        return Eyes.CLOSED
    widths = [eye.width for eye in eyes]
    apart = float(np.hypot(*(eyes[1].middle - eyes[0].middle)))
    if apart < LEAST_EYE_DISTANCE or min(widths) < PROFILE * max(widths):
        return Eyes.UNSEEN
    if light_around_eyes(picture, reading.points, eyes) < DARK_GLASS:
        return Eyes.UNSEEN
    shut = read_face(networks, with_lids(picture, eyes, 1.0), reading.crop)
    closed = [eye.opening / eye.width for eye in eyes_of(picture, shut.points)]
    if any(after > SHUT * before for after, before in zip(closed, openness, strict=True)):
        return Eyes.UNSEEN
    return Eyes.BLINK


def light_around_eyes(picture: Pixels, points: NDArray[np.float64], eyes: tuple[Eye, Eye]) -> float:
    """Light on the skin beneath the eyes, of that on the cheeks further down: the darker side's share."""
    shares = []
    for eye, cheek in zip(eyes, CHEEKS, strict=True):
        down = np.array([-eye.right[1], eye.right[0]])
        beneath = eye.middle + (float(np.polyval(eye.lower, 0.0)) + 0.22 * eye.width) * down
        side = 0.12 * eye.width
        shares.append(_light(picture, beneath, side) / (_light(picture, points[cheek], side) + 1))
    return min(shares)


def _light(picture: Pixels, place: NDArray[np.float64], side: float) -> float:
    """The mean of a small square, of 255."""
    height, width = picture.shape[:2]
    left, right = (int(np.clip(place[0] + far, 0, width - 1)) for far in (-side, side))
    top, bottom = (int(np.clip(place[1] + far, 0, height - 1)) for far in (-side, side))
    return float(picture[top : bottom + 1, left : right + 1].mean())

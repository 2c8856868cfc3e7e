"""Two silent presenters for the demo, made on the spot from two public-domain photographs (see ``portraits.py``).

A photograph alone gives face tracking nothing to do. So the person is lifted off the backdrop and her head is moved
as a soft ellipsoid before it: turning, nodding, tilting, leaning by a few degrees; the shoulders sway and breathe.
"""

from collections.abc import Iterator
from pathlib import Path

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.demo.eyelids import close_eyes
from heygem_pipeline.demo.layers import FRAME_SIZE, take_apart
from heygem_pipeline.demo.motion import HeadMotion, calm_motion
from heygem_pipeline.demo.portraits import ASTRONAUT, GRACE_HOPPER, Ellipse, Portrait
from heygem_pipeline.errors import EncodingFailed
from heygem_pipeline.media.ffmpeg_program import find_ffmpeg, running
from heygem_pipeline.storage.atomic import atomic_path, require_space

PRESENTER_FILES = tuple(f"{portrait.name}.mp4" for portrait in (GRACE_HOPPER, ASTRONAUT))
FRAME_RATE = 25
FRAME_COUNT = 200
ROOM_FOR_A_CLIP = 8 * 2**20
"""Bytes asked for before a clip is written; under 1 MB is used."""
GRID = 16
"""Pixels between the points at which the (smooth) motion is worked out."""


def make_presenters(folder: Path, program: Path | None = None) -> list[Path]:
    """Write ``grace-hopper.mp4`` and ``astronaut.mp4`` into ``folder``, unless they are there; return their paths.

    1280 x 720, 25 frames/s, 8 s, H.264, no sound; the frames are the same on every run.

    Raises FfmpegMissing, EncodingFailed, DiskFull.

    Args:
        program: ffmpeg's, as ``find_ffmpeg`` takes it.
    """
    clips = []
    for portrait in (GRACE_HOPPER, ASTRONAUT):
        clips.append(folder / f"{portrait.name}.mp4")
        if not clips[-1].exists():
            _encode(presenter_frames(portrait), clips[-1], find_ffmpeg(program))
    return clips


def presenter_frames(portrait: Portrait) -> Iterator[NDArray[np.uint8]]:
    """The frames of one presenter, uint8 (720, 1280, 3), BGR."""
    layers = take_apart(portrait)
    stage = _Stage(portrait)
    motion = calm_motion(FRAME_COUNT, FRAME_RATE)
    reach = _reach(layers.person)
    for index in range(FRAME_COUNT):
        person = close_eyes(layers.person, portrait, float(motion.eyes_closed[index]))
        yield _compose(layers.backdrop, person, *stage.sources(motion, index), reach)


class _Stage:
    """What moves how much: worked out at every GRID-th pixel of the frame, since all of it is smooth."""

    def __init__(self, portrait: Portrait) -> None:
        import cv2

        width, height = FRAME_SIZE
        self.frame_x, self.frame_y = np.meshgrid(
            np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        )
        middle = GRID // 2
        self.x, self.y = (a[middle::GRID, middle::GRID] - 0.5 for a in (self.frame_x, self.frame_y))
        photograph_x = (self.x - portrait.left) / portrait.scale
        photograph_y = self.y / portrait.scale
        cell = GRID / portrait.scale
        skull = np.max([_distance(photograph_x, photograph_y, ellipse) < 1 for ellipse in portrait.head], axis=0)
        self.head = cv2.GaussianBlur(skull.astype(np.float32), (0, 0), 11 / cell)
        bulge = np.sqrt(np.maximum(0, 1 - _distance(photograph_x, photograph_y, portrait.face) ** 2))
        self.depth = cv2.GaussianBlur(bulge, (0, 0), 9 / cell) * portrait.face[2] * portrait.scale
        self.torso = np.clip(1.25 - 0.6 * self.y / height, 0, 1)
        self.neck_x = portrait.neck[0] * portrait.scale + portrait.left
        self.neck_y = portrait.neck[1] * portrait.scale

    def sources(self, motion: HeadMotion, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For every pixel of frame ``index`` where in the still layers its colour comes from: x and y, float32."""
        import cv2

        yaw, pitch, roll = (np.sin(np.deg2rad(angle[index])) for angle in (motion.yaw, motion.pitch, motion.roll))
        lean = motion.lean[index]
        right, down = self.x - self.neck_x, self.y - self.neck_y
        shift_x = self.head * (lean * right - roll * down + yaw * self.depth) + self.torso * motion.sway[index]
        shift_y = self.head * (lean * down + roll * right - pitch * self.depth) - self.torso * motion.breath[index]
        return (
            self.frame_x - cv2.resize(shift_x.astype(np.float32), FRAME_SIZE),
            self.frame_y - cv2.resize(shift_y.astype(np.float32), FRAME_SIZE),
        )


def _distance(x: NDArray[np.float32], y: NDArray[np.float32], ellipse: Ellipse) -> NDArray[np.float32]:
    """Distance from the ellipse's centre, 1 on its rim."""
    centre_x, centre_y, half_width, half_height = ellipse
    return np.hypot((x - centre_x) / half_width, (y - centre_y) / half_height)


def _compose(
    backdrop: NDArray[np.uint8], person: NDArray[np.uint8], x: NDArray[np.float32], y: NDArray[np.float32], reach: slice
) -> NDArray[np.uint8]:
    """Lay the moved person over the still backdrop within the columns of ``reach``."""
    import cv2

    frame = backdrop.copy()
    moved = cv2.remap(person, x[:, reach], y[:, reach], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.cvtColor(moved[..., 3], cv2.COLOR_GRAY2BGR)
    over = cv2.multiply(cv2.cvtColor(moved, cv2.COLOR_BGRA2BGR), share, scale=1 / 255)
    frame[:, reach] = cv2.add(over, cv2.multiply(frame[:, reach], 255 - share, scale=1 / 255))
    return frame


def _reach(person: NDArray[np.uint8]) -> slice:
    """The columns the person is seen in, wherever she moves."""
    columns = np.flatnonzero(person[..., 3].any(axis=0))
    return slice(max(0, int(columns[0]) - 2 * GRID), int(columns[-1]) + 2 * GRID)


def _encode(frames: Iterator[NDArray[np.uint8]], destination: Path, program: Path) -> None:
    require_space(destination, ROOM_FOR_A_CLIP)
    with atomic_path(destination) as temporary, running(_encoder(temporary, program)) as run:
        for frame in frames:
            try:
                run.stdin.write(frame.data)
            except BrokenPipeError:
                break
        if run.finish() != 0:
            raise EncodingFailed("demo.presenter_not_written", file=destination.name, reason=run.messages)


def _encoder(output: Path, program: Path) -> list[str]:
    pictures = ffmpeg.input(
        "pipe:0", format="rawvideo", pixel_format="bgr24", video_size=FRAME_SIZE, framerate=FRAME_RATE
    )
    pictures = pictures.filter("scale", out_range="limited", out_color_matrix="bt709").filter("format", "yuv420p")
    pictures = pictures.filter(
        "setparams", range="limited", color_primaries="bt709", color_trc="bt709", colorspace="bt709"
    )
    options = {"c:v": "libx264", "preset": "veryfast", "crf": 16, "threads": 2, "movflags": "+faststart"}
    written = ffmpeg.output(pictures, f"file:{output.absolute()}", **options)
    written = written.global_args("-hide_banner", "-nostats", "-loglevel", "error").overwrite_output()
    return [str(argument) for argument in ffmpeg.compile(written, cmd=str(program))]

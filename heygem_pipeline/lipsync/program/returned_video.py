"""What a program returned: is it the video that was asked for, and where in it lies what was handed over?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import BadInput, ProgramFailed
from heygem_pipeline.lipsync.program.pieces import Piece
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.settings import UploadLimits

Matrix = NDArray[np.float64]
"""(2, 3): pixels to pixels."""

LIMITS = UploadLimits(max_minutes=24 * 60.0, max_width=16384, max_height=16384, max_frame_rate=240)

MOST_FRAMES_MORE = 30
"""Some programs fill their last batch."""

RATE_TOLERANCE = Fraction(2, 1000)

UNMOVED_PIXELS = 1.0
"""A picture that is moved by less, at the corners of the face, is taken as unmoved: that spares resampling it."""

SURELY_ALIKE = 0.9
"""Of the phase correlation's peak: pictures encoded again, tinted or softened reached 0.95, one 1 % larger 0.82."""

LEAST_MATCHES = 12
LIKE_ENOUGH = 0.9
"""Correlation of two pictures, 64 pixels wide, that show the same."""

UNMOVED: Matrix = np.array([[1.0, 0, 0], [0, 1, 0]])


@dataclass(frozen=True)
class ReturnedVideo:
    """A program's video, opened and counted."""

    sequence: FrameSequence

    @property
    def frame_count(self) -> int:
        """Its frames."""
        return self.sequence.info.frame_count

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Its frames, BGR."""
        return self.sequence.frames()


def open_returned(path: Path, program: str, piece: Piece) -> ReturnedVideo:
    """Open a result. Raises ProgramFailed where it is no whole video of the frames that were handed over."""
    try:
        sequence = FrameSequence.open(path, LIMITS)
        info = sequence.info
    except BadInput as error:
        raise ProgramFailed("program.no_video", program=program, reason=error.message) from error
    count, rate = info.frame_count, info.frame_rate
    if not piece.frames <= count <= piece.handed_over + MOST_FRAMES_MORE:
        raise ProgramFailed("program.other_length", program=program, given=piece.handed_over, returned=count)
    if abs(rate / piece.rate - 1) > RATE_TOLERANCE:
        raise ProgramFailed(
            "program.other_rate", program=program, given=f"{float(piece.rate):.6g}", returned=f"{float(rate):.6g}"
        )
    return ReturnedVideo(sequence)


def place_in_returned(
    pairs: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]], corners: NDArray[np.floating], program: str
) -> Matrix:
    """How pixels that were handed over lie in what came back, whether it was scaled, cropped or moved.

    Args:
        pairs: pictures handed over and returned, grey.
        corners: (points, 2), of the face: where it has to be exact.

    Raises ProgramFailed where they show something else.
    """
    given, returned = pairs[0]
    # An odd side was handed over one pixel longer.
    sides = [side + side % 2 for side in given.shape]
    scale = np.array([returned.shape[1] / sides[1], returned.shape[0] / sides[0]])
    whole = np.array([[scale[0], 0, (scale[0] - 1) / 2], [0, scale[1], (scale[1] - 1) / 2]])
    if all(_lie_alike(one, other) for one, other in pairs):
        return whole
    matched = _matched(pairs)
    if matched is not None:
        apart = np.abs(_mapped(matched, corners) - _mapped(whole, corners)).max()
        return matched if apart > UNMOVED_PIXELS * max(1.0, float(scale.max())) else whole
    if min(_likeness(one, other) for one, other in pairs) < LIKE_ENOUGH:
        raise ProgramFailed("program.other_picture", program=program)
    return whole


def _lie_alike(given: NDArray[np.uint8], returned: NDArray[np.uint8]) -> bool:
    """Whether pictures of one size show the same at the same place; a tenth of the work of comparing their details."""
    import cv2

    if given.shape != returned.shape:
        return False
    window = cv2.createHanningWindow(given.shape[::-1], cv2.CV_32F)
    shift, response = cv2.phaseCorrelate(given.astype(np.float32), returned.astype(np.float32), window)
    return response > SURELY_ALIKE and max(map(abs, shift)) < UNMOVED_PIXELS / 4


def _matched(pairs: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]]) -> Matrix | None:
    """The similarity that most details of the pictures agree on; None where there are too few."""
    import cv2

    finder, matcher = cv2.SIFT.create(nfeatures=2000), cv2.BFMatcher(cv2.NORM_L2, crossCheck=True)
    there, here = [], []
    for given, returned in pairs:
        points, kinds = finder.detectAndCompute(given, None)
        others, other_kinds = finder.detectAndCompute(returned, None)
        if kinds is None or other_kinds is None:
            continue
        for match in matcher.match(kinds, other_kinds):
            there.append(points[match.queryIdx].pt)
            here.append(others[match.trainIdx].pt)
    if len(there) < LEAST_MATCHES:
        return None
    matrix, agreeing = cv2.estimateAffinePartial2D(
        np.array(there), np.array(here), method=cv2.RANSAC, ransacReprojThreshold=1.5, confidence=0.999
    )
    if matrix is None or int(agreeing.sum()) < max(LEAST_MATCHES, 0.2 * len(there)):
        return None
    return np.asarray(matrix, np.float64)


def _likeness(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    import cv2

    small = [cv2.resize(picture, (64, 64), interpolation=cv2.INTER_AREA).ravel() for picture in (one, other)]
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.nan_to_num(np.asarray(np.corrcoef(np.array(small, np.float64)))[0, 1]))


def _mapped(matrix: Matrix, points: NDArray[np.floating]) -> NDArray[np.float64]:
    return points @ matrix[:, :2].T + matrix[:, 2]


def chained(first: Matrix, then: Matrix) -> Matrix:
    """The matrix that does one after the other."""
    return np.column_stack([then[:, :2] @ first[:, :2], then[:, :2] @ first[:, 2] + then[:, 2]])


def region_of(picture: NDArray[np.uint8], box: tuple[int, int, int, int], place: Matrix) -> NDArray[np.uint8]:
    """What a box (left, top, right, bottom) shows in a picture.

    Args:
        place: from the box's pixels to the picture's.
    """
    import cv2

    left, top, right, bottom = box
    height, width = picture.shape[:2]
    if np.array_equal(place, UNMOVED) and right <= width and bottom <= height:
        return picture[top:bottom, left:right]
    within = chained(np.array([[1.0, 0, left], [0, 1, top]]), place)
    shrinks = float(np.sqrt(abs(np.linalg.det(place[:, :2])))) > 1.0
    flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_LINEAR if shrinks else cv2.INTER_CUBIC)
    size = (right - left, bottom - top)
    return np.asarray(cv2.warpAffine(picture, within, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)

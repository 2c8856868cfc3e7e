"""A portrait taken apart into the person and what stands behind her, at the size of a frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.demo.portraits import Point, Portrait
from heygem_pipeline.easing import smoothstep

FRAME_SIZE = (1280, 720)
"""Width and height of a presenter's frame in pixels."""


@dataclass(frozen=True)
class Layers:
    """A portrait taken apart at the size of a frame; uint8."""

    backdrop: NDArray[np.uint8]
    """(720, 1280, 3), BGR, the person replaced by what stands around her."""
    person: NDArray[np.uint8]
    """(720, 1280, 4), BGR and coverage, not premultiplied."""


def take_apart(portrait: Portrait) -> Layers:
    """Cut the person out, fill and soften what is behind her and continue it to both sides of the frame."""
    import cv2

    photograph = portrait.photograph()
    matte = _matte(photograph, portrait.outline)
    backdrop = _fill_behind(_without_stray_hair(photograph, matte), matte)
    person = _sharpen(_to_frame(_denoise(photograph), portrait, cv2.BORDER_REPLICATE), portrait.sharpening)
    coverage = _to_frame(matte * 255, portrait, cv2.BORDER_CONSTANT)
    backdrop = _soften(_to_frame(backdrop, portrait, cv2.BORDER_REFLECT_101), portrait, photograph.shape[1])
    return Layers(backdrop=_to_bytes(backdrop), person=_to_bytes(np.dstack([person, coverage])))


def _matte(photograph: NDArray[np.uint8], outline: tuple[Point, ...]) -> NDArray[np.float32]:
    """The outline, moved by GrabCut (Rother et al. 2004) onto the edges of the picture, feathered."""
    import cv2

    band = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))
    drawn = np.zeros(photograph.shape[:2], np.uint8)
    cv2.fillPoly(drawn, [np.round(np.array(outline) * 16).astype(np.int32)], 1, shift=4)
    labels = np.where(drawn > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[cv2.erode(drawn, band, borderValue=1) > 0] = cv2.GC_FGD
    labels[cv2.dilate(drawn, band) == 0] = cv2.GC_BGD
    cv2.setRNGSeed(0)  # its colour clusters start at random
    colours = np.zeros((2, 1, 65))  # room for GrabCut's two colour models
    cv2.grabCut(photograph, labels, (0, 0, 0, 0), colours[0], colours[1], 3, cv2.GC_INIT_WITH_MASK)
    person = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    rounded = cv2.medianBlur(person * 255, 5).astype(np.float32) / 255
    return np.asarray(cv2.GaussianBlur(rounded, (0, 0), 1.0), np.float32)


def _without_stray_hair(photograph: NDArray[np.uint8], matte: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take thin lines off the backdrop close to the person: hair too fine for the matte would stay while she moves."""
    import cv2

    close = cv2.dilate(matte, np.ones((25, 25))) > 0.02
    return np.where(close[..., None], cv2.medianBlur(photograph, 9), photograph).astype(np.float32)


def _fill_behind(photograph: NDArray[np.float32], matte: NDArray[np.float32]) -> NDArray[np.float32]:
    """Replace the person by what surrounds her: averages of the visible backdrop, the nearest first."""
    import cv2

    visible = (cv2.dilate(matte, np.ones((5, 5))) < 0.02).astype(np.float32)
    filled = photograph * visible[..., None]
    known = visible
    for reach in (3, 9, 27, 81):
        near = cv2.GaussianBlur(visible, (0, 0), reach)
        average = cv2.GaussianBlur(photograph * visible[..., None], (0, 0), reach) / np.maximum(near, 1e-6)[..., None]
        share = (1 - known) * np.clip(near / 0.05, 0, 1)
        filled += share[..., None] * average
        known = known + share
    return np.asarray(filled / np.maximum(known, 1e-6)[..., None], np.float32)


def _to_frame(picture: NDArray[np.float32], portrait: Portrait, border: int) -> NDArray[np.float32]:
    """Enlarge to the frame; ``border`` (of OpenCV) says what goes on beyond the photograph's sides."""
    import cv2

    width, height = FRAME_SIZE
    scale = portrait.scale
    rows = picture[: int(np.ceil(height / scale)) + 4]
    enlarged = cv2.resize(rows, None, fx=scale, fy=scale, interpolation=cv2.INTER_LANCZOS4)[:height]
    before = round(portrait.left)
    after = width - before - enlarged.shape[1]
    enlarged = enlarged[:, max(0, -before) : enlarged.shape[1] + min(0, after)]
    return np.asarray(cv2.copyMakeBorder(enlarged, 0, 0, max(0, before), max(0, after), border), np.float32)


def _soften(backdrop: NDArray[np.float32], portrait: Portrait, photograph_width: int) -> NDArray[np.float32]:
    """A shallow depth of field: slightly soft behind the person, much softer where the mirror image goes on."""
    import cv2

    columns = np.arange(FRAME_SIZE[0], dtype=np.float32)
    inside = np.minimum(columns - portrait.left, portrait.left + photograph_width * portrait.scale - columns)
    if inside.min() >= 0:
        return np.asarray(cv2.GaussianBlur(backdrop, (0, 0), 2.0), np.float32)
    far = smoothstep(0, 160, 60 - inside)[None, :, None]
    near = cv2.GaussianBlur(backdrop, (0, 0), 2.5)
    middle = cv2.GaussianBlur(backdrop, (0, 0), 10)
    wide = cv2.GaussianBlur(backdrop, (0, 0), 30)
    softened = np.where(far < 0.5, near + (middle - near) * 2 * far, middle + (wide - middle) * (2 * far - 1))
    return softened.astype(np.float32)


def _denoise(photograph: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Smooth the grain of the scan and of the JPEG, which enlarging would show."""
    import cv2

    return np.asarray(cv2.bilateralFilter(photograph.astype(np.float32), 5, 14, 1.5), np.float32)


def _sharpen(picture: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    import cv2

    return np.asarray(picture + share * (picture - cv2.GaussianBlur(picture, (0, 0), 1.6)), np.float32)


def _to_bytes(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)

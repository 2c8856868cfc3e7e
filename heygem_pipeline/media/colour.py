"""Which colours the numbers in a decoded frame stand for."""

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, ColorTrc

UNSPECIFIED = 2
"""AVCOL_SPC_UNSPECIFIED: the file does not say by which matrix its colours were made."""

HIGH_DEFINITION_WIDTH, HIGH_DEFINITION_HEIGHT = 1280, 720
"""From this size on, untagged video is read as BT.709, below as BT.601, as players do."""

IMPLAUSIBLE_LEVEL, IMPLAUSIBLE_SHARE = 0.8, 0.0005
"""Share of pixels above 0.8 of PQ's scale (1 500 cd/m2; cameras and masters end near 1 000) from which the tag is not
believed: such files hold ordinary video that was tagged as HDR."""


def colour_matrix(frame: VideoFrame) -> int:
    """Return the matrix (AVColorSpace) by which the frame's colours are to be read."""
    if frame.colorspace != UNSPECIFIED:
        return frame.colorspace
    large = frame.width >= HIGH_DEFINITION_WIDTH or frame.height >= HIGH_DEFINITION_HEIGHT
    return Colorspace.ITU709 if large else Colorspace.ITU601


def colour_range(frame: VideoFrame) -> int:
    """Return the range of the frame's values: full where the file says so, else limited."""
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return ColorRange.JPEG if full else ColorRange.MPEG


def is_high_dynamic_range(frame: VideoFrame) -> bool:
    """Tell whether the frame's values follow PQ or HLG (ITU-R BT.2100) and have to be brought down to BT.709."""
    if frame.color_trc == ColorTrc.ARIB_STD_B67:
        return True
    perceptual = frame.color_trc == ColorTrc.SMPTE2084
    return perceptual and bool(np.mean(_luma(frame) > IMPLAUSIBLE_LEVEL) < IMPLAUSIBLE_SHARE)


def _luma(frame: VideoFrame) -> np.ndarray:
    """Return the luma of a frame as the share of its scale, float (height, width)."""
    grey = frame.reformat(format="gray16le", src_color_range=colour_range(frame), dst_color_range=ColorRange.JPEG)
    return grey.to_ndarray() / 65535

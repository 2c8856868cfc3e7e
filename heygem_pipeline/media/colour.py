"""Which colours the numbers in a decoded frame stand for."""

from dataclasses import dataclass

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from heygem_pipeline.media.tone_mapping import HIGH_DYNAMIC_RANGE, ColourMapping

UNSPECIFIED = 2
"""ITU-T H.273: the file does not say."""

HIGH_DEFINITION_WIDTH, HIGH_DEFINITION_HEIGHT = 1280, 720
"""From this size on, untagged video is read as BT.709, below as BT.601, as players do."""

IMPLAUSIBLE_LEVEL, IMPLAUSIBLE_SHARE = 0.8, 0.0005
"""Share of pixels above 0.8 of PQ's scale (1 500 cd/m2; cameras and masters end near 1 000) from which the tag is not
believed: such files hold ordinary video that was tagged as HDR."""

WIDE_GAMUTS = (ColorPrimaries.BT2020, ColorPrimaries.SMPTE431, ColorPrimaries.SMPTE432)


@dataclass(frozen=True)
class ColourTags:
    """What the container says of a track's colours, by the numbers of H.273; it holds where the frames say nothing."""

    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    matrix: int = UNSPECIFIED

    @classmethod
    def of_container(cls, stream: VideoStream) -> "ColourTags":
        """Read them before anything is decoded: a decoder puts its own in their place."""
        context = stream.codec_context
        return cls(int(context.color_primaries), int(context.color_trc), int(context.colorspace))

    def of_frame(self, frame: VideoFrame) -> "ColourTags":
        """The frame's own tags, filled up by these."""
        return tags_of(frame).filled_by(self)

    def filled_by(self, others: "ColourTags") -> "ColourTags":
        """These tags, and others where these say nothing."""
        return ColourTags(
            others.primaries if self.primaries == UNSPECIFIED else self.primaries,
            others.transfer if self.transfer == UNSPECIFIED else self.transfer,
            others.matrix if self.matrix == UNSPECIFIED else self.matrix,
        )


def tags_of(frame: VideoFrame) -> ColourTags:
    """What a decoded frame itself says."""
    return ColourTags(int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace))


def colour_matrix(frame: VideoFrame, container: ColourTags) -> int:
    """Return the matrix (AVColorSpace) by which the frame's colours are to be read."""
    return matrix_of(container.of_frame(frame), frame)


def matrix_of(tags: ColourTags, frame: VideoFrame) -> int:
    """Return the matrix that goes with these tags, which a frame of this size has."""
    if tags.matrix != UNSPECIFIED:
        return tags.matrix
    if tags.primaries == ColorPrimaries.BT2020 or tags.transfer in HIGH_DYNAMIC_RANGE:
        return Colorspace.BT2020
    large = frame.width >= HIGH_DEFINITION_WIDTH or frame.height >= HIGH_DEFINITION_HEIGHT
    return Colorspace.ITU709 if large else Colorspace.ITU601


def colour_range(frame: VideoFrame) -> int:
    """Return the range of the frame's values: full where the file says so, else limited."""
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return ColorRange.JPEG if full else ColorRange.MPEG


def colour_mapping(frame: VideoFrame, container: ColourTags) -> ColourMapping | None:
    """Tell how the frame's colours become BT.709's; None where they are, or nearly are, as they stand."""
    tags = container.of_frame(frame)
    if tags.transfer == ColorTrc.SMPTE2084 and np.mean(_luma(frame) > IMPLAUSIBLE_LEVEL) >= IMPLAUSIBLE_SHARE:
        return None
    return mapping_of(tags)


def mapping_of(tags: ColourTags) -> ColourMapping | None:
    """Tell how colours with these tags become BT.709's; None where they are, or nearly are, as they stand."""
    if tags.transfer in HIGH_DYNAMIC_RANGE:
        wide = tags.primaries in WIDE_GAMUTS
        return ColourMapping(tags.primaries if wide else int(ColorPrimaries.BT2020), tags.transfer)
    return ColourMapping(tags.primaries, int(ColorTrc.BT709)) if tags.primaries in WIDE_GAMUTS else None


def _luma(frame: VideoFrame) -> np.ndarray:
    """Return the luma of a frame as the share of its scale, float (height, width)."""
    grey = frame.reformat(format="gray16le", src_color_range=colour_range(frame), dst_color_range=ColorRange.JPEG)
    return grey.to_ndarray() / 65535

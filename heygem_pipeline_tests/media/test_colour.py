from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

from heygem_pipeline.media.template import Template

GREYS = np.repeat(np.array([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]), 8)
"""A staircase of greys as BT.709 shows them, 1 = white."""

WHITE_NITS = 203
"""Where BT.2408 puts the white of ordinary video in HDR."""


def perceptual_quantizer(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """SMPTE ST 2084: cd/m2 to signal."""
    power = (nits / 10000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def hybrid_log_gamma(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """ARIB STD-B67 for a display of 1000 cd/m2, greys only: cd/m2 to signal."""
    scene = (nits / 1000) ** (1 / 1.2)
    a = 0.17883277
    with np.errstate(divide="ignore", invalid="ignore"):
        log = a * np.log(12 * scene - (1 - 4 * a)) + 0.5 - a * np.log(4 * a)
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), log)


def write_tagged(path: Path, signal: NDArray[np.float64], transfer: ColorTrc) -> Path:
    """Write a grey picture, (columns,) of 0..1, as 10-bit BT.2020 video with this transfer tag."""
    rows = np.tile(np.rint(signal * 65535).astype(np.uint16)[None, :, None], (48, 1, 3))
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = rows.shape[1], rows.shape[0], "yuv420p10le"
        stream.codec_context.colorspace = Colorspace.BT2020
        stream.codec_context.color_primaries = ColorPrimaries.BT2020
        stream.codec_context.color_trc = transfer
        stream.codec_context.color_range = ColorRange.MPEG
        frame = av.VideoFrame.from_ndarray(rows, format="rgb48le").reformat(
            format="yuv420p10le",
            dst_colorspace=Colorspace.BT2020,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
        )
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return path


def first_row(path: Path) -> NDArray[np.float64]:
    """Grey of the first frame at the middle of each step, 0..1."""
    frame = next(iter(Template.open(path).frames()))
    return frame[24, 4::8].mean(axis=1) / 255


@pytest.mark.parametrize(
    ("curve", "transfer"),
    [(perceptual_quantizer, ColorTrc.SMPTE2084), (hybrid_log_gamma, ColorTrc.ARIB_STD_B67)],
    ids=["PQ", "HLG"],
)
def test_high_dynamic_range_looks_as_ordinary_video_would(curve, transfer: ColorTrc, tmp_path: Path) -> None:  # noqa: ANN001
    path = write_tagged(tmp_path / "hdr.mkv", curve(WHITE_NITS * GREYS**2.4), transfer)
    assert Template.open(path).info.high_dynamic_range
    assert first_row(path) == pytest.approx(GREYS[4::8], abs=0.06)


def test_ordinary_video_that_was_only_tagged_as_hdr_is_left_as_it_is(tmp_path: Path) -> None:
    path = write_tagged(tmp_path / "tagged.mkv", GREYS, ColorTrc.SMPTE2084)
    assert not Template.open(path).info.high_dynamic_range
    assert first_row(path) == pytest.approx(GREYS[4::8], abs=0.02)

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline_tests.media.conftest import DISPLAY_MATRICES, run_ffmpeg, turned
from heygem_pipeline_tests.media.test_heif import box_in, heic_of_one

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


def write_tagged(
    path: Path,
    signal: NDArray[np.float64],
    transfer: ColorTrc,
    primaries: ColorPrimaries = ColorPrimaries.BT2020,
    codec: Literal["ffv1", "libx264"] = "ffv1",
) -> Path:
    """Write columns, (columns,) greys or (columns, 3) colours of 0..1, as 10-bit video with these tags."""
    matrix = Colorspace.BT2020 if primaries == ColorPrimaries.BT2020 else Colorspace.ITU709
    colours = signal.reshape(len(signal), -1) * np.ones(3)
    rows = np.tile(np.rint(colours * 65535).astype(np.uint16)[None], (48, 1, 1))
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = rows.shape[1], rows.shape[0], "yuv420p10le"
        stream.codec_context.colorspace = matrix
        stream.codec_context.color_primaries = primaries
        stream.codec_context.color_trc = transfer
        stream.codec_context.color_range = ColorRange.MPEG
        if codec != "ffv1":
            stream.options = {"crf": "1"}
        frame = av.VideoFrame.from_ndarray(rows, format="rgb48le").reformat(
            format="yuv420p10le",
            dst_colorspace=matrix,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
        )
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return path


def first_row(path: Path) -> NDArray[np.float64]:
    """Grey of the first frame at the middle of each step, 0..1."""
    frame = next(iter(FrameSequence.open(path).frames()))
    return frame[24, 4::8].mean(axis=1) / 255


@pytest.mark.parametrize(
    ("curve", "transfer"),
    [(perceptual_quantizer, ColorTrc.SMPTE2084), (hybrid_log_gamma, ColorTrc.ARIB_STD_B67)],
    ids=["PQ", "HLG"],
)
def test_high_dynamic_range_looks_as_ordinary_video_would(curve, transfer: ColorTrc, tmp_path: Path) -> None:  # noqa: ANN001
    path = write_tagged(tmp_path / "hdr.mkv", curve(WHITE_NITS * GREYS**2.4), transfer)
    mapping = FrameSequence.open(path).info.colour_mapping
    assert mapping is not None and mapping.high_dynamic_range
    assert first_row(path) == pytest.approx(GREYS[4::8], abs=0.06)


def test_ordinary_video_that_was_only_tagged_as_hdr_is_left_as_it_is(tmp_path: Path) -> None:
    path = write_tagged(tmp_path / "tagged.mkv", GREYS, ColorTrc.SMPTE2084)
    assert FrameSequence.open(path).info.colour_mapping is None
    assert first_row(path) == pytest.approx(GREYS[4::8], abs=0.02)


PATCHES = (
    np.array([[196, 150, 128], [90, 60, 48], [120, 160, 205], [70, 130, 60], [170, 60, 60], [128, 128, 128]]) / 255
)
"""Light skin, dark skin, sky, leaf, red cloth and grey, as BT.709 shows them."""

TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
"""BT.2087: light in BT.709's primaries to light in BT.2020's."""

TO_P3 = np.array([[0.8225, 0.1774, 0.0000], [0.0332, 0.9669, 0.0000], [0.0171, 0.0724, 0.9108]])
"""SMPTE EG 432-1: to the primaries of Display P3."""

LUMA_2020 = np.array([0.2627, 0.6780, 0.0593])


def columns(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.repeat(colours, 16, axis=0)


def in_hdr(curve: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> NDArray[np.float64]:
    """The patches as BT.2020 columns of PQ or HLG."""
    nits = WHITE_NITS * PATCHES**2.4 @ TO_BT2020.T
    if curve is perceptual_quantizer:
        return columns(perceptual_quantizer(nits))
    # HLG's display brightens by luminance: the same share for all three.
    luminance = (nits @ LUMA_2020)[:, None]
    scene = nits / 1000 * (luminance / 1000) ** (1 / 1.2 - 1)
    return columns(hybrid_log_gamma(1000 * scene**1.2))


def shown_patches(path: Path) -> NDArray[np.float64]:
    """Colours of the first frame at the middle of each patch, RGB, 0..255, wherever the columns lie."""
    frame = next(iter(FrameSequence.open(path).frames())).astype(float)
    if frame.shape[0] > frame.shape[1]:
        frame = frame.transpose(1, 0, 2)
    row = frame[24, 8::16, ::-1]
    return row if np.abs(row[-1] - PATCHES[-1] * 255).max() < np.abs(row[0] - PATCHES[-1] * 255).max() else row[::-1]


@pytest.mark.parametrize(
    ("curve", "transfer"),
    [(perceptual_quantizer, ColorTrc.SMPTE2084), (hybrid_log_gamma, ColorTrc.ARIB_STD_B67)],
    ids=["PQ", "HLG"],
)
def test_skin_sky_and_leaf_keep_their_colours_in_high_dynamic_range(curve, transfer: ColorTrc, tmp_path: Path) -> None:  # noqa: ANN001
    path = write_tagged(tmp_path / "hdr.mkv", in_hdr(curve), transfer)
    assert shown_patches(path) == pytest.approx(PATCHES * 255, abs=4)


@pytest.mark.parametrize("rotation", DISPLAY_MATRICES)
def test_high_dynamic_range_keeps_its_colours_however_the_phone_was_held(rotation: str, tmp_path: Path) -> None:
    signal = in_hdr(hybrid_log_gamma)
    lying = write_tagged(tmp_path / "hlg.mp4", signal, ColorTrc.ARIB_STD_B67, codec="libx264")
    path = turned(lying, DISPLAY_MATRICES[rotation], tmp_path)
    assert shown_patches(path) == pytest.approx(PATCHES * 255, abs=6)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_colours_that_only_the_container_names_are_believed(suffix: str, tmp_path: Path) -> None:
    tagged = write_tagged(tmp_path / "tagged.mp4", in_hdr(hybrid_log_gamma), ColorTrc.ARIB_STD_B67, codec="libx264")
    path = tmp_path / f"container.{suffix}"
    with av.open(tagged) as source, av.open(path, "w") as container:
        stream = source.streams.video[0]
        copied = container.add_stream_from_template(stream)
        untagged = BitStreamFilterContext(
            "h264_metadata=colour_primaries=2:transfer_characteristics=2:matrix_coefficients=2", stream, copied
        )
        for packet in source.demux(stream):
            for plain in untagged.filter(packet):
                plain.stream = copied
                container.mux(plain)
    with av.open(path) as container:
        assert next(container.decode(video=0)).color_trc == ColorTrc.UNSPECIFIED
    assert shown_patches(path) == pytest.approx(PATCHES * 255, abs=6)


@pytest.mark.parametrize(
    ("matrix", "primaries"), [(TO_BT2020, ColorPrimaries.BT2020), (TO_P3, ColorPrimaries.SMPTE432)], ids=["2020", "P3"]
)
def test_a_wide_gamut_without_high_dynamic_range_keeps_its_colours(
    matrix: NDArray[np.float64], primaries: ColorPrimaries, tmp_path: Path
) -> None:
    signal = columns((PATCHES**2.4 @ matrix.T) ** (1 / 2.4))
    path = write_tagged(tmp_path / "wide.mkv", signal, ColorTrc.BT709, primaries)
    assert shown_patches(path) == pytest.approx(PATCHES * 255, abs=4)


@pytest.mark.parametrize(
    ("curve", "transfer"),
    [(perceptual_quantizer, ColorTrc.SMPTE2084), (hybrid_log_gamma, ColorTrc.ARIB_STD_B67)],
    ids=["PQ", "HLG"],
)
@pytest.mark.parametrize("kind", ["avif", "avif without a tag", "heic"])
def test_a_photograph_of_high_dynamic_range_keeps_its_colours(
    curve: Callable[[NDArray[np.float64]], NDArray[np.float64]], transfer: ColorTrc, kind: str, tmp_path: Path
) -> None:
    video = write_tagged(tmp_path / "hdr.mkv", in_hdr(curve), transfer)
    assert shown_patches(photograph(video, kind, tmp_path)) == pytest.approx(PATCHES * 255, abs=5)


def test_a_photograph_of_a_wide_gamut_keeps_its_colours(tmp_path: Path) -> None:
    signal = columns((PATCHES**2.4 @ TO_P3.T) ** (1 / 2.4))
    video = write_tagged(tmp_path / "wide.mkv", signal, ColorTrc.BT709, ColorPrimaries.SMPTE432)
    assert shown_patches(photograph(video, "avif", tmp_path)) == pytest.approx(PATCHES * 255, abs=5)


def test_a_bright_window_does_not_make_a_photograph_an_ordinary_one(tmp_path: Path) -> None:
    signal = in_hdr(perceptual_quantizer)
    video = write_tagged(tmp_path / "hdr.mkv", np.concatenate([signal, np.full((16, 3), 0.9)]), ColorTrc.SMPTE2084)
    frame = next(iter(FrameSequence.open(photograph(video, "avif", tmp_path)).frames())).astype(float)
    assert frame[24, 8:96:16, ::-1] == pytest.approx(PATCHES * 255, abs=5)


def photograph(video: Path, kind: str, folder: Path) -> Path:
    """The first frame of a 10-bit video as a photograph."""
    path = folder / f"photograph.{kind[:4]}"
    if kind == "heic":
        coded = folder / "coded.mp4"
        run_ffmpeg("-i", video, "-c:v", "libx265", "-x265-params", "lossless=1:log-level=none", coded)
        with av.open(coded) as container:
            packet = next(packet for packet in container.demux(video=0) if packet.size)
            size = (packet.stream.width, packet.stream.height)
            path.write_bytes(heic_of_one(box_in(coded.read_bytes(), b"hvcC"), bytes(packet), size))
        return path
    run_ffmpeg("-i", video, "-c:v", "libaom-av1", "-still-picture", "1", "-crf", "4", "-cpu-used", "8", path)
    if kind == "avif without a tag":
        content = path.read_bytes()
        assert content.count(b"colr") == 1
        path.write_bytes(content.replace(b"colr", b"free"))
    return path

"""From the colours of wide-gamut and HDR video to those of BT.709: a function of three numbers, kept as a table."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from tempfile import NamedTemporaryFile

import numpy as np
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc, VideoReformatter
from numpy.typing import NDArray

Colours = NDArray[np.float64]
"""Float64 (..., 3): red, green, blue."""

WHITE_NITS = 203.0
"""Where BT.2408 puts the white of ordinary video in HDR, cd/m2."""

PEAK_NITS = 1000.0
"""The brightest that is told apart: HLG's nominal display, and where cameras and masters end."""

KNEE = 0.8
"""Share of white (linear) up to which brightness is kept; what is brighter, up to the peak, shares the rest."""

TABLE_SIDE = 65
"""Points along each side of the table; between them the filter interpolates."""

MAPPED_FORMAT = "gbrp16le"
"""Pixels in which lut3d is quick: five times as quick as in those of 10 bits (measured, 1080p)."""

SCALER_WHITE = 65280 / 65535
"""What swscale makes of white in 16 bits, and takes for it: 255 x 256."""

D65 = (0.3127, 0.3290)
CHROMATICITIES = {
    ColorPrimaries.BT709: ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), D65),
    ColorPrimaries.BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65),
    ColorPrimaries.SMPTE431: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    ColorPrimaries.SMPTE432: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65),
}
"""CIE x, y of red, green, blue and white, for the primaries that are told apart (ITU-T H.273)."""

HIGH_DYNAMIC_RANGE = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
"""The transfers of ITU-R BT.2100: PQ and HLG."""

DISPLAY_GAMMA = 2.4
"""By which ordinary video is shown (BT.1886), and a clip of ours too."""


@dataclass(frozen=True)
class ColourMapping:
    """What the numbers of a video stand for, where it is not BT.709.

    Attributes:
        primaries: one of CHROMATICITIES.
        transfer: one of HIGH_DYNAMIC_RANGE; all others are shown as a BT.1886 display shows them.
    """

    primaries: int
    transfer: int

    @property
    def high_dynamic_range(self) -> bool:
        """Its brightness has to be brought down."""
        return self.transfer in HIGH_DYNAMIC_RANGE

    def __call__(self, signal: Colours) -> Colours:
        """Return BT.709 values (0..1) that look as these values (R'G'B', 0..1) do. Hues are kept."""
        light = _light(np.asarray(signal, np.float64), self.transfer) @ _to_bt709(self.primaries).T
        if self.high_dynamic_range:
            brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-9)
            light *= tone_curve(brightest) / brightest
        return np.clip(_into_gamut(light), 0, 1) ** (1 / DISPLAY_GAMMA)


class ColourMapper:
    """Turns RGB frames of one size (MAPPED_FORMAT) into BT.709, as bgr24."""

    def __init__(self, mapping: ColourMapping, width: int, height: int) -> None:
        graph = Graph()
        graph.threads = 1
        pixels = VideoFormat(MAPPED_FORMAT, width, height)
        source = graph.add_buffer(width=width, height=height, format=pixels, time_base=Fraction(1, 25))
        with NamedTemporaryFile("w", suffix=".cube") as table:
            table.write(colour_table(mapping))
            table.flush()
            lookup = graph.add("lut3d", file=table.name, interp="tetrahedral")
        sink = graph.add("buffersink")
        source.link_to(lookup)
        lookup.link_to(sink)
        graph.configure()
        self._graph = graph
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        """Return the mapped frame."""
        self._graph.push(frame)
        mapped = self._graph.pull()
        assert isinstance(mapped, VideoFrame)
        full = ColorRange.JPEG
        return self._reformatter.reformat(mapped, format="bgr24", src_color_range=full, dst_color_range=full, threads=1)


def tone_curve(light: Colours) -> Colours:
    """Bring light (1 = white of ordinary video) below 1: what is under KNEE stays, the peak becomes 1."""
    room = 1 - KNEE
    above = np.maximum(light - KNEE, 0) / room
    peak = (PEAK_NITS / WHITE_NITS - KNEE) / room
    return np.where(light <= KNEE, light, KNEE + room * above * (1 + above / peak**2) / (1 + above))


@lru_cache(maxsize=4)
def colour_table(mapping: ColourMapping) -> str:
    """Return the mapping as a table in the format .cube, which ffmpeg's filter lut3d reads."""
    steps = np.minimum(np.linspace(0, 1, TABLE_SIDE) / SCALER_WHITE, 1)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    shown = SCALER_WHITE * mapping(np.stack([red, green, blue], axis=-1)).reshape(-1, 3)
    rows = "\n".join(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in shown)
    return f"LUT_3D_SIZE {TABLE_SIDE}\n{rows}\n"


def _light(signal: Colours, transfer: int) -> Colours:
    """Return linear light as a display shows it, 1 = the white of ordinary video."""
    if transfer == ColorTrc.SMPTE2084:
        power = np.clip(signal, 0, 1) ** (32 / 2523)
        below = 2413 / 128 - 2392 / 128 * power
        return 10000 / WHITE_NITS * (np.maximum(power - 3424 / 4096, 0) / below) ** (16384 / 2610)
    if transfer == ColorTrc.ARIB_STD_B67:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
        luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
        return PEAK_NITS / WHITE_NITS * scene * luminance[..., None] ** 0.2
    return signal**DISPLAY_GAMMA


def _into_gamut(light: Colours) -> Colours:
    """Draw colours that BT.709 cannot show towards their grey, until no part is negative."""
    grey = light @ np.array([0.2126, 0.7152, 0.0722])
    least = light.min(axis=-1)
    share = np.where(least < 0, grey / np.maximum(grey - least, 1e-9), 1.0)[..., None]
    return grey[..., None] + np.clip(share, 0, 1) * (light - grey[..., None])


def _to_bt709(primaries: int) -> NDArray[np.float64]:
    """The matrix from light in these primaries to light in BT.709's; white stays white."""
    return np.linalg.inv(_to_xyz(ColorPrimaries.BT709)) @ _adapted(primaries) @ _to_xyz(primaries)


def _to_xyz(primaries: int) -> NDArray[np.float64]:
    *corners, white = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in CHROMATICITIES[ColorPrimaries(primaries)])
    columns = np.stack(corners, axis=1)
    return columns * np.linalg.solve(columns, white)


def _adapted(primaries: int) -> NDArray[np.float64]:
    """Bradford's adaptation from the white of the primaries to D65."""
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    theirs, ours = (_to_xyz(p).sum(axis=1) for p in (primaries, ColorPrimaries.BT709))
    return np.linalg.inv(bradford) @ np.diag((bradford @ ours) / (bradford @ theirs)) @ bradford

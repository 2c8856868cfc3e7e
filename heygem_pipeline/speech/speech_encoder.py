"""What a network that was trained on 680 000 hours of speech hears: the front of Whisper tiny.en's encoder, in numpy.

Two convolutions and two of its four transformer layers. The second layer still says how the mouth moves; later ones say
which words. The weights lie in ``whisper_tiny``, with their licence and origin.
"""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.mel import SAMPLE_RATE, hann, mel_bands

WEIGHTS = Path(__file__).parent / "whisper_tiny" / "whisper_tiny_en_two_layers.npz"

ENCODER_RATE = 50
"""Rows a second; row k is centred on k/50 s."""
ENCODER_WIDTH = 384
"""Numbers a row."""

_HOP, _WINDOW = 160, 400
MEL_RATE = SAMPLE_RATE // _HOP
"""Of the mel it reads, which has 80 bands as the other one."""
HIGHEST_HZ = SAMPLE_RATE / 2
_HOPS_A_ROW = MEL_RATE // ENCODER_RATE
_SAMPLES_A_ROW = _HOP * _HOPS_A_ROW
MEL_FLOOR = -10.0
"""Decades of power where nothing is heard."""
_RANGE = 8.0
"""Decades of power below a window's loudest place that are heard."""

WINDOW_ROWS, OVERLAP_ROWS = 500, 50
"""10 s are encoded at once, of which 1 s fades from one window into the next: attention is quadratic in length."""

_LAYERS, _HEADS = 2, 6
_EPSILON = 1e-5

_ERROR_FUNCTION_SHARE = 0.3275911
_ERROR_FUNCTION = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)

_Weights = dict[str, NDArray[np.float32]]


def encode(
    samples: NDArray[np.float32], gain: float = 1.0, usual: NDArray[np.float32] | None = None
) -> Iterator[NDArray[np.float32]]:
    """Yield float32 (rows, 384) piece by piece, 1 + n // 320 rows in all; memory does not grow with length.

    Args:
        samples: float32 (n,), mono at 16 kHz.
        gain: applied first; it should bring speech to about -23 dBFS.
        usual: as in ``encode_mel``.
    """
    total = row_count(samples)
    return _joined(lambda start, stop: mel_decades(samples, gain, start, stop), total, usual)


def encode_mel(decades: NDArray[np.float32], usual: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Return float32 (rows, 384) for a mel (2 x rows, 80) as ``mel_decades`` gives it.

    Args:
        decades: the mel.
        usual: float32 (500, 384), what the encoder says of speech on average in each place of its window, taken out. It
            tells its places apart; where one window fades into the next, that would show.
    """
    pieces = _joined(lambda start, stop: decades[_HOPS_A_ROW * start : _HOPS_A_ROW * stop], len(decades) // 2, usual)
    return np.concatenate(list(pieces))


def row_count(samples: NDArray[np.float32]) -> int:
    """How many rows the encoding of so many samples has."""
    return 1 + len(samples) // _SAMPLES_A_ROW


def _joined(
    read: Callable[[int, int], NDArray[np.float32]], total: int, usual: NDArray[np.float32] | None
) -> Iterator[NDArray[np.float32]]:
    tail = np.empty((0, ENCODER_WIDTH), np.float32)
    """What the window before says of the rows from ``done`` on."""
    done = 0
    for start, stop in _windows(total):
        encoded = _encode_window(read(start, stop))
        if usual is not None:
            encoded = encoded - usual[: len(encoded)]
        held = tail[: max(0, len(tail) - OVERLAP_ROWS)]
        fading = tail[len(held) :]
        own = encoded[done + len(held) - start :]
        share = (np.arange(len(fading), dtype=np.float32)[:, None] + 1) / (len(fading) + 1)
        faded = fading + share * (own[: len(fading)] - fading)
        known = np.concatenate([held, faded, own[len(fading) :]], dtype=np.float32)
        # The last window reaches back further than the others.
        sure = len(known) if stop == total else _next_start(stop, total) - done
        yield known[:sure]
        tail = known[sure:]
        done += sure


def _windows(total: int) -> Iterator[tuple[int, int]]:
    start, stop = 0, min(WINDOW_ROWS, total)
    yield start, stop
    while stop < total:
        start = _next_start(stop, total)
        stop = start + WINDOW_ROWS
        yield start, stop


def _next_start(stop: int, total: int) -> int:
    """The window after the one that ends at ``stop``: as long as the others, so the last one overlaps by more."""
    return min(stop - OVERLAP_ROWS, total - WINDOW_ROWS)


def mel_decades(samples: NDArray[np.float32], gain: float, start: int, stop: int) -> NDArray[np.float32]:
    """Return the log-mel of the rows ``start`` to ``stop - 1``, float32 (2 x rows, 80), decades of power.

    Only the two ends of the sound are mirrored, as its authors do; inner windows see what lies beside them.
    """
    first, last = start * _SAMPLES_A_ROW - _WINDOW // 2, stop * _SAMPLES_A_ROW + _WINDOW // 2
    whole = row_count(samples) * _SAMPLES_A_ROW
    inside = np.zeros(min(last, whole) - max(first, 0), np.float32)
    piece = samples[max(first, 0) : last]
    inside[: len(piece)] = piece
    around = np.pad(inside * np.float32(gain), (max(-first, 0), max(last - whole, 0)), mode="reflect")
    count = (stop - start) * _HOPS_A_ROW
    windows = np.lib.stride_tricks.sliding_window_view(around, _WINDOW)[::_HOP][:count]
    spectrum = np.fft.rfft(windows * hann(_WINDOW), axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    return np.log10(np.maximum(power @ mel_bands(_WINDOW, 0, HIGHEST_HZ).T, 10**MEL_FLOOR)).astype(np.float32)


def _encode_window(decades: NDArray[np.float32]) -> NDArray[np.float32]:
    """Float32 (2 n, 80) to (n, 384), at most 1500 rows."""
    weights = _weights()
    mel = ((np.maximum(decades, decades.max() - _RANGE) + 4) / 4).astype(np.float32)
    hidden = _gelu(_convolved(mel, "conv1", 1))
    hidden = _gelu(_convolved(hidden, "conv2", _HOPS_A_ROW))
    hidden = hidden + weights["position_encodings/encodings"][: len(hidden)]
    for layer in range(_LAYERS):
        attended = _attended(_normed(hidden, f"layer_{layer}/self_attention"), f"layer_{layer}/self_attention")
        hidden = hidden + attended
        inner = _gelu(_linear(_normed(hidden, f"layer_{layer}/ffn"), f"layer_{layer}/ffn/linear_0"))
        hidden = hidden + _linear(inner, f"layer_{layer}/ffn/linear_1")
    return hidden


def _convolved(rows: NDArray[np.float32], name: str, stride: int) -> NDArray[np.float32]:
    padded = np.pad(rows, ((1, 1), (0, 0)))
    stacked = np.concatenate([padded[first : first + len(rows) : stride] for first in range(3)], axis=1)
    return _linear(stacked, name)


def _attended(rows: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    mixed = _linear(rows, f"{name}/linear_0").reshape(len(rows), 3, _HEADS, -1).transpose(1, 2, 0, 3)
    queries, keys, values = np.ascontiguousarray(mixed)
    likeness = queries @ keys.transpose(0, 2, 1) * np.float32(queries.shape[-1] ** -0.5)
    likeness -= likeness.max(axis=-1, keepdims=True)
    np.exp(likeness, out=likeness)
    likeness /= likeness.sum(axis=-1, keepdims=True)
    joined = (likeness @ values).transpose(1, 0, 2).reshape(len(rows), -1)
    return _linear(joined, f"{name}/linear_1")


def _linear(rows: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    weights = _weights()
    return rows @ weights[f"{name}/weight"] + weights[f"{name}/bias"]


def _normed(rows: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    weights = _weights()
    centred = rows - rows.mean(axis=1, keepdims=True)
    deviation = np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + np.float32(_EPSILON))
    return centred / deviation * weights[f"{name}/layer_norm/gamma"] + weights[f"{name}/layer_norm/beta"]


def _gelu(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The Gaussian error linear unit; the error function by Abramowitz and Stegun 7.1.26, to 1.5e-7."""
    far = np.abs(rows) * np.float32(0.5**0.5)
    share = 1 / (1 + np.float32(_ERROR_FUNCTION_SHARE) * far)
    tail = np.float32(_ERROR_FUNCTION[0]) * share
    for factor in _ERROR_FUNCTION[1:]:
        tail = (tail + np.float32(factor)) * share
    tail *= np.exp(-far * far)
    # Half of 1 - tail on the right, of tail - 1 on the left, and half of 1 beside it.
    return np.where(rows >= 0, rows - rows * tail / 2, rows * tail / 2)


@cache
def _weights() -> _Weights:
    """Float32; matrices and convolutions (their taps one after the other) as (in, out)."""
    with np.load(WEIGHTS, allow_pickle=False) as stored:
        arrays = {name: stored[name].astype(np.float32) for name in stored.files}
    for name, array in arrays.items():
        if name.endswith("weight"):
            rows = array.transpose(0, 2, 1).reshape(len(array), -1) if array.ndim == 3 else array
            arrays[name] = np.ascontiguousarray(rows.T)
    return arrays

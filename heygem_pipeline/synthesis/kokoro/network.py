"""Kokoro's network on a processor: phonemes and a style in, samples out."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import CheckpointUnusable, ModelMissing

if TYPE_CHECKING:
    import onnxruntime  # pyright: ignore[reportMissingImports]

SAMPLE_RATE = 24000
MOST_PHONEMES = 500
"""In one go: the network knows 510 places, two of them for the ends."""


DURATIONS = "/encoder/Clip_output_0"
"""What the published networks hold of how long each phoneme lasts, in frames; it is none of their outputs."""

FRAME_SAMPLES = 600
"""Of such a frame."""


@lru_cache(maxsize=1)
def load_session(path: Path) -> "onnxruntime.InferenceSession":
    """Open the network, once a process. Raises ModelMissing where onnxruntime is, CheckpointUnusable."""
    try:
        import onnxruntime  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ModelMissing("kokoro.packages_missing", packages="onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    try:
        content = path.read_bytes()
        if DURATIONS.encode() in content:
            content += _further_output(DURATIONS)
        session = onnxruntime.InferenceSession(content, options, providers=providers)
    except Exception as error:  # its errors have no common class of their own
        raise CheckpointUnusable("kokoro.no_network", file=path.name) from error
    if {"style", "speed"} - {one.name for one in session.get_inputs()}:
        raise CheckpointUnusable("kokoro.no_network", file=path.name)
    return session


def infer(
    path: Path, tokens: list[int], styles: NDArray[np.float32], speed: float
) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
    """Return float32 samples of up to ``MOST_PHONEMES`` phonemes, and the samples at which the first begins and each
    ends, if that is told.
    """
    session = load_session(path)
    values: dict[str, Any] = {
        "tokens": np.array([[0, *tokens, 0]], np.int64),
        "input_ids": np.array([[0, *tokens, 0]], np.int64),
        "style": styles[min(len(tokens), len(styles)) - 1][None],
        "speed": np.array([speed], np.float32),
    }
    # Exports differ in what they call the phonemes.
    given = {one.name: values[one.name] for one in session.get_inputs() if one.name in values}
    spoken, *told = (np.asarray(value, np.float32).ravel() for value in session.run(None, given)[:2])
    return spoken, _ends(told[0], len(tokens), len(spoken)) if told else None


def _ends(durations: NDArray[np.float32], phonemes: int, samples: int) -> NDArray[np.int64] | None:
    """Where the first phoneme begins, and each ends; None unless the durations are those of the sound."""
    ends = np.cumsum(durations) * FRAME_SAMPLES
    if len(ends) != phonemes + 2 or ends[-1] != samples:
        return None
    return ends[:-1].astype(np.int64)


def _further_output(name: str) -> bytes:
    """What makes a value of a network an output of it, appended to its file: an ONNX file is one message of protobuf,
    and what follows is merged into it (ModelProto.graph.output.name).
    """

    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    return field(7, field(12, field(1, name.encode())))

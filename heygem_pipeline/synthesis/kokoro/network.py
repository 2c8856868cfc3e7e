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


@lru_cache(maxsize=1)
def load_session(path: Path) -> "onnxruntime.InferenceSession":
    """Open the network, once a process. Raises ModelMissing where onnxruntime is, CheckpointUnusable."""
    try:
        import onnxruntime  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ModelMissing("kokoro.packages_missing", packages="onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common class of their own
        raise CheckpointUnusable("kokoro.no_network", file=path.name) from error
    if {"style", "speed"} - {one.name for one in session.get_inputs()}:
        raise CheckpointUnusable("kokoro.no_network", file=path.name)
    return session


def infer(path: Path, tokens: list[int], styles: NDArray[np.float32], speed: float) -> NDArray[np.float32]:
    """Return float32 samples of up to ``MOST_PHONEMES`` phonemes."""
    session = load_session(path)
    values: dict[str, Any] = {
        "tokens": np.array([[0, *tokens, 0]], np.int64),
        "input_ids": np.array([[0, *tokens, 0]], np.int64),
        "style": styles[min(len(tokens), len(styles)) - 1][None],
        "speed": np.array([speed], np.float32),
    }
    # Exports differ in what they call the phonemes.
    given = {one.name: values[one.name] for one in session.get_inputs() if one.name in values}
    return np.asarray(session.run(None, given)[0], np.float32).ravel()

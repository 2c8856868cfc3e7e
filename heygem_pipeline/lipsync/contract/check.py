"""All promises, tried on one engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from heygem_pipeline.lipsync.contract.material import Material, closed_lips
from heygem_pipeline.lipsync.contract.promises import PROMISES, BrokenPromise
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.settings import EngineSettings


@dataclass(frozen=True)
class Outcome:
    """Whether a promise was kept.

    Attributes:
        seen: what was seen instead, "" where it was kept.
    """

    sentence: str
    kept: bool
    seen: str = ""


def check_engine(name: str, settings: EngineSettings, folder: Path) -> Iterator[Outcome]:
    """Try every promise on the engine of that name.

    Raises UnknownChoice, PlugInUnusable, and what making the engine raises.

    Args:
        folder: for voices.
    """
    engine = load_engine(name, settings)
    material = Material(closed_lips(), folder, settings)
    for promise in PROMISES:
        try:
            promise.keep(engine, material)
        except BrokenPromise as error:
            yield Outcome(promise.sentence, False, str(error))
        # Whatever an engine of another package raises breaks a promise, and only that one.
        except Exception as error:
            yield Outcome(promise.sentence, False, f"{type(error).__name__}: {error}")
        else:
            yield Outcome(promise.sentence, True)

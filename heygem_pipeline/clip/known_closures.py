"""When lips meet in a voice that was made from a script, as its engine told."""

from pathlib import Path

from heygem_pipeline.speech.features import KnownClosure
from heygem_pipeline.synthesis.transcript import TOUCHING_SOUNDS, transcript_of


def closures_told(recording: Path, fingerprint: str) -> tuple[KnownClosure, ...] | None:
    """All closures of a recording; None where nobody told them.

    Args:
        fingerprint: of the recording, which tells whether the transcript beside it is its own.
    """
    transcript = transcript_of(recording, fingerprint)
    if transcript is None or transcript.lip_sounds is None:
        return None
    return tuple(KnownClosure(one.begin, one.end, one.sign in TOUCHING_SOUNDS) for one in transcript.lip_sounds)

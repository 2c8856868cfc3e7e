"""When lips meet in a voice that was made from a script, as its engine told."""

from math import inf
from pathlib import Path

from heygem_pipeline.speech.features import KnownClosure
from heygem_pipeline.synthesis.transcript import TOUCHING_SOUNDS, transcript_of


def closures_told(
    recording: Path, fingerprint: str, begin: float = 0.0, end: float = inf
) -> tuple[KnownClosure, ...] | None:
    """All closures of a part of a recording, by the time of that part; None where nobody told them.

    Args:
        fingerprint: of the recording, which tells whether the transcript beside it is its own.
        begin: second at which the part begins.
        end: and ends.
    """
    transcript = transcript_of(recording, fingerprint)
    if transcript is None or transcript.lip_sounds is None:
        return None
    return tuple(
        KnownClosure(one.begin - begin, one.end - begin, one.sign in TOUCHING_SOUNDS)
        for one in transcript.lip_sounds
        if begin < one.end and one.begin < end
    )

"""Do lips meet where an engine says so? A script is spoken, and its mouth is made with and without the engine's word.

python -m benchmarks.spoken_closures --script welcome.ja.txt --engine kokoro --voices jf_alpha,jm_kumo

Counted are the sounds m, b and p: those at which the mouth asked for is closed (a gap of at most 0.125 of a wide
opening) within 50 ms of the sound; by chance, had they lain elsewhere in the speech; and the closures that are asked
for where none of these sounds, nor f and v, is near.
"""

import argparse
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.clip.voice import analyse_voice
from heygem_pipeline.settings import settings
from heygem_pipeline.speech.features import FEATURE_RATE, SpeechFeatures
from heygem_pipeline.speech.mouth_motion import speech_envelope
from heygem_pipeline.speech.mouth_shape import predict_mouth_shape
from heygem_pipeline.synthesis.front_matter import FrontMatter
from heygem_pipeline.synthesis.recording import speak
from heygem_pipeline.synthesis.script import read_script
from heygem_pipeline.synthesis.speech_spec import speech_spec
from heygem_pipeline.synthesis.transcript import write_transcript

SHUT = 0.125
NEAR, FAR = 0.05, 0.1
"""Seconds from a sound: closed on it, and closed where it is not."""
SHIFTS = 40


@dataclass(frozen=True)
class Counted:
    """closed: of ``sounds``. by_chance: share. elsewhere: closures far from all sounds of the lips."""

    sounds: int
    closed: int
    by_chance: float
    elsewhere: int

    def __str__(self) -> str:
        return (
            f"{self.closed} of {self.sounds} closed ({self.closed / max(self.sounds, 1):.0%}), "
            f"by chance {self.by_chance:.0%}; {self.elsewhere} closed elsewhere"
        )


def main() -> None:
    """Print the counts of each voice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--engine", default="kokoro")
    parser.add_argument("--voices", type=lambda text: text.split(","), default=["jf_alpha"])
    arguments = parser.parse_args()
    for voice in arguments.voices:
        speech = spoken(arguments.script, FrontMatter(engine=arguments.engine, voice=voice))
        if speech.closures is None:
            parser.error(f"{arguments.engine} does not tell when it says which sound")
        print(f"{voice}: {float(speech.duration):.1f} s")
        print("  without:", counted(speech, replace(speech, closures=None)))
        print("  with:   ", counted(speech, speech))


def spoken(script: Path, ordered: FrontMatter) -> SpeechFeatures:
    """The features of a script's recording, with what its engine tells."""
    chosen = settings()
    with TemporaryDirectory() as folder:
        recording = Path(folder) / "spoken.wav"
        read = read_script(script, chosen)
        write_transcript(speak(read, speech_spec(read, chosen, ordered), recording), recording.with_suffix(".json"))
        return analyse_voice(recording).speech


def counted(told: SpeechFeatures, heard: SpeechFeatures) -> Counted:
    """Look for the sounds that ``told`` tells in the mouth that ``heard`` makes."""
    every = told.closures or ()
    sounds = np.array([(one.begin + one.end) / 2 for one in every if one.touching])
    rows = len(heard.level)
    shut = predict_mouth_shape(heard, Fraction(FEATURE_RATE), rows).gap <= SHUT
    speaking = np.flatnonzero(speech_envelope(heard) > 0.5)
    places = np.searchsorted(speaking, np.round(sounds * FEATURE_RATE))
    shifts = np.linspace(0, len(speaking), SHIFTS, endpoint=False).astype(int)
    chance = [_closed(shut, speaking[(places + shift) % len(speaking)]).mean() for shift in shifts]
    return Counted(
        sounds=len(sounds),
        closed=int(_closed(shut, np.round(sounds * FEATURE_RATE).astype(int)).sum()),
        by_chance=float(np.mean(chance)),
        elsewhere=_elsewhere(shut, speech_envelope(heard) > 0.5, [(one.begin, one.end) for one in every]),
    )


def _closed(shut: NDArray[np.bool_], rows: NDArray[np.integer]) -> NDArray[np.bool_]:
    reach = round(NEAR * FEATURE_RATE)
    return np.array([shut[max(0, row - reach) : row + reach + 1].any() for row in rows])


def _elsewhere(shut: NDArray[np.bool_], speaking: NDArray[np.bool_], sounds: list[tuple[float, float]]) -> int:
    """Stretches within speech in which the mouth is shut and no sound of the lips is near."""
    known = np.zeros(len(shut), bool)
    for begin, end in sounds:
        known[max(0, round((begin - FAR) * FEATURE_RATE)) : round((end + FAR) * FEATURE_RATE) + 1] = True
    # What reaches the beginning or the end of speech is its rest.
    padded = np.concatenate([[False], shut & speaking, [False]]).astype(int)
    edges = np.flatnonzero(np.diff(padded))
    return sum(
        int(not known[first:last].any() and speaking[max(0, first - 1)] and speaking[min(last, len(shut) - 1)])
        for first, last in zip(edges[::2], edges[1::2], strict=True)
    )


if __name__ == "__main__":
    main()

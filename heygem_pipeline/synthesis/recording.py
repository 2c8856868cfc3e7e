"""A script becomes a recording, sentence by sentence, with what was spoken when."""

import hashlib
import wave
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import SynthesisFailed
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.fingerprint import sha256_of
from heygem_pipeline.synthesis.script import Script
from heygem_pipeline.synthesis.sentence_segmentation import spoken_form
from heygem_pipeline.synthesis.speech_spec import SpeechSpec
from heygem_pipeline.synthesis.synthesizer import Speech, SpokenPhoneme
from heygem_pipeline.synthesis.transcript import TEETH_SOUNDS, TOUCHING_SOUNDS, LipSound, SpokenSentence, Transcript

SYNTHESIS_VERSION = "1"
"""Of all that is done here with what an engine returns: scripts spoken by another version are spoken anew."""

AFTER_SENTENCE, AFTER_PARAGRAPH = 0.35, 0.8
"""Seconds of silence behind each."""

AUDIBLE = 0.01
"""Of full scale: what is quieter before and behind a sentence is cut off, whatever the engine leaves there."""

EDGE_SECONDS = 0.05
"""What stays of it, so that no sound is cut."""

SHORTEST_SECONDS = 0.1
LONGEST_SECONDS_A_CHARACTER = 2.0
"""Of a sentence. An engine that stammers on returns minutes for a few words."""

Progress = Callable[[int, int], None]


def script_version(script: Script, spec: SpeechSpec) -> str:
    """All that a recording is made of, as a digest: where it is the same, the script need not be spoken again."""
    made_of = (
        *(SYNTHESIS_VERSION, script.paragraphs, spec.engine.name, spec.engine.version),
        *(spec.voice, spec.language, spec.speed),
    )
    return hashlib.sha256(repr(made_of).encode("utf-8", "replace")).hexdigest()[:32]


def speak(script: Script, spec: SpeechSpec, destination: Path, progress: Progress | None = None) -> Transcript:
    """Write the recording as WAV, whole or not at all, and return its transcript.

    Raises NotReady where the engine cannot speak, SynthesisFailed where it returned no speech, DiskFull.

    Args:
        progress: sentences done, of all.
    """
    spec.engine.require_ready(spec.voice)
    spoken: list[SpokenSentence] = []
    lip_sounds: list[LipSound] | None = []
    with atomic_path(destination) as temporary:
        with temporary.open("wb") as file, wave.open(file) as recording:
            writer = _Writer(recording)
            for number, paragraph in enumerate(script.paragraphs):
                for sentence in paragraph:
                    speech = _sentence(sentence, spec, script.file)
                    begin, end = writer.write(speech.samples, speech.sample_rate, pause=AFTER_SENTENCE)
                    # Known of some sentences alone, they would be missing in the others.
                    if speech.phonemes is None:
                        lip_sounds = None
                    if lip_sounds is not None:
                        lip_sounds += _lip_sounds(speech.phonemes or (), begin)
                    spoken.append(SpokenSentence(sentence, round(begin, 3), round(end, 3), number))
                    if progress is not None:
                        progress(len(spoken), len(script.sentences))
                writer.pause(AFTER_PARAGRAPH - AFTER_SENTENCE)
        digest = sha256_of(temporary)
    engine = spec.engine
    return Transcript(
        *(script.file, spec.language, engine.name, engine.version),
        *(spec.voice, spec.speed, script_version(script, spec), digest, tuple(spoken)),
        lip_sounds=None if lip_sounds is None else tuple(lip_sounds),
    )


def _lip_sounds(phonemes: Sequence[SpokenPhoneme], begin: float) -> list[LipSound]:
    return [
        LipSound(one.sign, round(begin + one.begin, 3), round(begin + one.end, 3))
        for one in phonemes
        if one.sign in (*TOUCHING_SOUNDS, *TEETH_SOUNDS)
    ]


def _sentence(sentence: str, spec: SpeechSpec, file: str) -> Speech:
    """A sentence without the silence around it."""
    speech = spec.engine.synthesize(spoken_form(sentence), spec.voice, spec.language, spec.speed)
    whole = np.nan_to_num(speech.samples)
    kept = audible(whole, speech.sample_rate)
    samples = whole[kept]
    seconds, engine = len(samples) / speech.sample_rate, spec.engine.name
    if seconds < SHORTEST_SECONDS:
        raise SynthesisFailed("synthesis.silent", file=file, engine=engine, sentence=sentence)
    if seconds > 10 + LONGEST_SECONDS_A_CHARACTER * len(sentence) / spec.speed:
        raise SynthesisFailed("synthesis.stammers", file=file, engine=engine, sentence=sentence, seconds=seconds)
    phonemes = speech.phonemes
    if phonemes is not None and all(0 <= one.begin < one.end for one in phonemes):
        cut = kept.start / speech.sample_rate
        within = (one for one in phonemes if one.begin - cut < seconds and one.end > cut)
        phonemes = tuple(SpokenPhoneme(one.sign, max(0, one.begin - cut), one.end - cut) for one in within)
        return Speech(samples, speech.sample_rate, phonemes)
    return Speech(samples, speech.sample_rate)


def audible(samples: NDArray[np.float32], sample_rate: int) -> slice:
    """What lies between the silence before and behind; nothing where all is silent."""
    heard = np.flatnonzero(np.abs(samples) > AUDIBLE)
    if not len(heard):
        return slice(0, 0)
    edge = round(EDGE_SECONDS * sample_rate)
    return slice(max(0, int(heard[0]) - edge), int(heard[-1]) + 1 + edge)


class _Writer:
    """16 bits, one channel, at the rate of the first sentence."""

    def __init__(self, recording: wave.Wave_write) -> None:
        self._recording = recording
        self._rate = 0
        self._written = 0
        self._pause = 0.0
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(1)  # the first sentence tells it

    def write(self, samples: NDArray[np.float32], rate: int, pause: float) -> tuple[float, float]:
        """Write a sentence after the pause that is due; return where it begins and ends, in seconds."""
        if not self._rate:
            self._rate = rate
            self._recording.setframerate(rate)
        self._add(np.zeros(round(self._pause * self._rate), np.float32))
        begin = self._written / self._rate
        self._add(_resampled(samples, rate, self._rate))
        self._pause = pause
        return begin, self._written / self._rate

    def pause(self, seconds: float) -> None:
        """Lengthen the pause before the next sentence; behind the last one there is none."""
        self._pause += seconds

    def _add(self, samples: NDArray[np.float32]) -> None:
        whole = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2")
        self._recording.writeframes(whole.tobytes())
        self._written += len(whole)


def _resampled(samples: NDArray[np.float32], rate: int, wanted: int) -> NDArray[np.float32]:
    """At another rate; an engine that changes its rate between two sentences is rare."""
    if rate == wanted:
        return samples
    from scipy.signal import resample_poly

    return resample_poly(samples, wanted, rate).astype(np.float32)

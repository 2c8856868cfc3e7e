"""A script becomes a recording, sentence by sentence, with what was spoken when."""

import hashlib
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import SynthesisFailed
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.fingerprint import sha256_of
from heygem_pipeline.synthesis.script import Script
from heygem_pipeline.synthesis.sentence_segmentation import spoken_form
from heygem_pipeline.synthesis.speech_spec import SpeechSpec
from heygem_pipeline.synthesis.transcript import SpokenSentence, Transcript

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
    with atomic_path(destination) as temporary:
        with temporary.open("wb") as file, wave.open(file) as recording:
            writer = _Writer(recording)
            for number, paragraph in enumerate(script.paragraphs):
                for sentence in paragraph:
                    samples, rate = _sentence(sentence, spec, script.file)
                    begin, end = writer.write(samples, rate, pause=AFTER_SENTENCE)
                    spoken.append(SpokenSentence(sentence, round(begin, 3), round(end, 3), number))
                    if progress is not None:
                        progress(len(spoken), len(script.sentences))
                writer.pause(AFTER_PARAGRAPH - AFTER_SENTENCE)
        digest = sha256_of(temporary)
    engine = spec.engine
    return Transcript(
        *(script.file, spec.language, engine.name, engine.version),
        *(spec.voice, spec.speed, script_version(script, spec), digest, tuple(spoken)),
    )


def _sentence(sentence: str, spec: SpeechSpec, file: str) -> tuple[NDArray[np.float32], int]:
    speech = spec.engine.synthesize(spoken_form(sentence), spec.voice, spec.language, spec.speed)
    samples = trimmed(np.nan_to_num(speech.samples), speech.sample_rate)
    seconds, engine = len(samples) / speech.sample_rate, spec.engine.name
    if seconds < SHORTEST_SECONDS:
        raise SynthesisFailed("synthesis.silent", file=file, engine=engine, sentence=sentence)
    if seconds > 10 + LONGEST_SECONDS_A_CHARACTER * len(sentence) / spec.speed:
        raise SynthesisFailed("synthesis.stammers", file=file, engine=engine, sentence=sentence, seconds=seconds)
    return samples, speech.sample_rate


def trimmed(samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Without the silence before and behind."""
    audible = np.flatnonzero(np.abs(samples) > AUDIBLE)
    if not len(audible):
        return samples[:0]
    edge = round(EDGE_SECONDS * sample_rate)
    return samples[max(0, int(audible[0]) - edge) : int(audible[-1]) + 1 + edge]


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

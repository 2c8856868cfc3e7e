"""Speech of real people with pauses, room noise and music put between."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality_footage import SOUND_RATE, write_sound
from heygem_pipeline.clip.voice import Voice, analyse_voice
from heygem_pipeline.media.sound import read_sound

KINDS = ("silence", "room noise", "music")

SPOKEN, UNSPOKEN = 2.4, 1.8
"""Seconds of each piece."""

FADE = 0.005
"""Seconds over which a piece of speech ends, so that the cut does not click."""

LOUDEST_WITHIN = 0.4
"""Seconds in which the loudest place is looked for to cut speech at: the mouth is then surely open."""

NOISE_LEVEL, MUSIC_LEVEL = -50.0, -20.0
"""dBFS of the room noise and of the music; speech in the footage lies around -20."""

SECONDS_NEEDED = len(KINDS) * SPOKEN
"""Of speech in a clip that is interrupted."""


@dataclass(frozen=True)
class InterruptedVoice:
    """Speech with something else between. spoken, unspoken: seconds (from, to); the latter in the order of KINDS."""

    voice: Voice
    spoken: list[tuple[float, float]]
    unspoken: list[tuple[float, float]]


def interrupt(clip: Path, folder: Path) -> InterruptedVoice:
    """Speech of a clip, cut where it is loudest, with silence, room noise and music after its pieces."""
    sound = read_sound(clip, SOUND_RATE).samples.astype(np.float64)
    rng = np.random.default_rng(3)
    fillings = [np.zeros(_count(UNSPOKEN)), _room_noise(rng), _music()]
    pieces: list[NDArray[np.float64]] = []
    spoken, unspoken, start = [], [], 0
    for filling in fillings:
        stop = _loudest(sound, start + _count(SPOKEN))
        begin = sum(map(len, pieces)) / SOUND_RATE
        pieces += [_faded(sound[start:stop]), filling]
        end = begin + (stop - start) / SOUND_RATE
        spoken.append((begin, end))
        unspoken.append((end, end + UNSPOKEN))
        start = stop
    voice = analyse_voice(write_sound(np.concatenate(pieces), folder / f"{clip.stem}.interrupted.wav"))
    return InterruptedVoice(voice, spoken, unspoken)


def _loudest(sound: NDArray[np.float64], around: int) -> int:
    """The sample at which 50 ms of the loudest speech within LOUDEST_WITHIN before ``around`` end."""
    width = _count(0.05)
    power = np.convolve(sound**2, np.ones(width), "full")[: len(sound)]
    first = max(0, around - _count(LOUDEST_WITHIN))
    return first + int(np.argmax(power[first:around]))


def _faded(piece: NDArray[np.float64]) -> NDArray[np.float64]:
    fade = np.ones(len(piece))
    fade[-_count(FADE) :] = np.linspace(1, 0, _count(FADE))
    return piece * fade


def _room_noise(rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise that falls by 6 dB an octave from 100 Hz on, as rooms and fans do."""
    count = _count(UNSPOKEN)
    spectrum = np.fft.rfft(rng.normal(size=count))
    frequency = np.fft.rfftfreq(count, 1 / SOUND_RATE)
    return _at_level(np.fft.irfft(spectrum / np.maximum(frequency, 100), count), NOISE_LEVEL)


def _music() -> NDArray[np.float64]:
    """Four chords a second of plucked tones: the rhythm of syllables, without a voice."""
    time = np.arange(_count(UNSPOKEN)) / SOUND_RATE
    beat = time % 0.25
    chord = (time / 0.25).astype(int) % 4
    roots = np.array([220.0, 174.6, 261.6, 196.0])[chord]
    tones = sum(
        np.sin(2 * np.pi * roots * ratio * harmonic * time) / harmonic**1.5
        for ratio in (1.0, 1.26, 1.5)
        for harmonic in (1, 2, 3, 4)
    )
    return _at_level(np.asarray(tones) * np.exp(-6 * beat) * np.minimum(beat / 0.005, 1), MUSIC_LEVEL)


def _at_level(sound: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    return sound * 10 ** (level / 20) / np.sqrt(np.mean(sound**2))


def _count(seconds: float) -> int:
    return round(seconds * SOUND_RATE)

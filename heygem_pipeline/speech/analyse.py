"""From an upload to what both engines and the checks read."""

from pathlib import Path

from heygem_pipeline.errors import SpeechSilent, SpeechTooShort
from heygem_pipeline.media.sound import Sound, read_sound
from heygem_pipeline.settings import settings
from heygem_pipeline.speech.activity import speech_activity
from heygem_pipeline.speech.features import SpeechFeatures
from heygem_pipeline.speech.level import SILENCE_DBFS, normalising_gain, row_levels
from heygem_pipeline.speech.mel import SAMPLE_RATE, log_mel


def analyse_speech(path: Path) -> SpeechFeatures:
    """Return the features of the speech in a file of sound (or the sound of a video).

    Raises SpeechTooShort (under ``settings().min_speech_seconds``), SpeechSilent (nothing above -70 dBFS), and what
    reading the file raises (NotMedia, EmptyFile, NoSoundTrack, TruncatedFile, UnsafeFile, TooLong).
    """
    sound = read_sound(path, SAMPLE_RATE)
    shortest = settings().min_speech_seconds
    if sound.duration < shortest:
        raise SpeechTooShort(
            f"{path.name} holds only {float(sound.duration):.2f} s of sound; record at least {shortest:g} s of speech."
        )
    levels = row_levels(sound.samples)
    if levels.max() < SILENCE_DBFS:
        raise SpeechSilent(f"{path.name} is silent from beginning to end; check the microphone and record it again.")
    return features_of(sound)


def features_of(sound: Sound) -> SpeechFeatures:
    """The features of sound already read: 16 kHz, mono, not silent.

    The mel and the speech detector hear it brought to -23 dBFS, so that a very quiet recording moves the mouth as much
    as a loud one.
    """
    levels = row_levels(sound.samples)
    gain = normalising_gain(levels)
    return SpeechFeatures(
        duration=sound.duration,
        log_mel=log_mel(sound.samples, gain),
        level=levels,
        activity=speech_activity(sound.samples, gain),
    )

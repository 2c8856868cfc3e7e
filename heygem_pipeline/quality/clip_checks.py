"""The checks every finished clip goes through."""

from heygem_pipeline.media.encode import EncodedClip
from heygem_pipeline.quality.report import Check, Verdict
from heygem_pipeline.quality.sync_meter import TRUSTED_CONFIDENCE, SyncReading
from heygem_pipeline.settings import settings


def check_lengths(clip: EncodedClip) -> Check:
    """Do sound and picture end together, within one frame?"""
    apart = abs(clip.duration - clip.sound_duration)
    agree = apart < 1 / clip.frame_rate
    sentence = f"Picture {float(clip.duration):.3f} s, sound {float(clip.sound_duration):.3f} s."
    return Check("sound_and_picture_agree", Verdict.PASSED if agree else Verdict.FAILED, sentence)


def check_sync(reading: SyncReading) -> Check:
    """Does the mouth follow the sound within the tolerance of the settings?"""
    tolerance = settings().sync_tolerance_frames
    if reading.confidence < TRUSTED_CONFIDENCE:
        sentence = f"The mouth moves too little to tell its offset (confidence {reading.confidence:.1f})."
        return Check("mouth_follows_sound", Verdict.WARNING, sentence)
    late = "later" if reading.offset_frames >= 0 else "earlier"
    frames = f"{abs(reading.offset_frames):.1f} frames"
    sentence = f"The sound is {frames} {late} than the mouth (confidence {reading.confidence:.1f})."
    inside = abs(reading.offset_frames) <= tolerance
    return Check("mouth_follows_sound", Verdict.PASSED if inside else Verdict.FAILED, sentence)

"""The checks every finished clip goes through."""

from heygem_pipeline.media.encode import EncodedClip
from heygem_pipeline.messages.message import Message
from heygem_pipeline.quality.report import Check, Verdict
from heygem_pipeline.quality.sync_meter import TRUSTED_CONFIDENCE, SyncReading


def check_lengths(clip: EncodedClip) -> Check:
    """Do sound and picture end together, within one frame?"""
    apart = abs(clip.duration - clip.sound_duration)
    agree = apart < 1 / clip.frame_rate
    lengths = Message("check.lengths", picture=float(clip.duration), sound=float(clip.sound_duration))
    return Check("sound_and_picture_agree", Verdict.PASSED if agree else Verdict.FAILED, lengths)


def check_sync(reading: SyncReading, tolerance: float) -> Check:
    """Does the mouth follow the sound within the tolerance (frames)?"""
    if reading.confidence < TRUSTED_CONFIDENCE:
        still = Message("check.mouth_still", confidence=reading.confidence)
        return Check("mouth_follows_sound", Verdict.WARNING, still)
    frames, confidence = abs(reading.offset_frames), reading.confidence
    if reading.offset_frames >= 0:
        message = Message("check.sound_later", frames=frames, confidence=confidence)
    else:
        message = Message("check.sound_earlier", frames=frames, confidence=confidence)
    return Check("mouth_follows_sound", Verdict.PASSED if frames <= tolerance else Verdict.FAILED, message)

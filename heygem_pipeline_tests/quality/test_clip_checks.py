"""What the checks of a finished clip say, and of what."""

from fractions import Fraction
from pathlib import Path

import pytest

from heygem_pipeline.media.encode import EncodedClip
from heygem_pipeline.quality.clip_checks import check_lengths, check_sync
from heygem_pipeline.quality.report import Verdict
from heygem_pipeline.quality.sync_meter import TRUSTED_CONFIDENCE, SyncReading


@pytest.mark.parametrize(
    ("sound", "verdict"), [(Fraction(2), Verdict.PASSED), (Fraction(2) + Fraction(1, 25), Verdict.FAILED)]
)
def test_sound_and_picture_must_end_within_a_frame(sound: Fraction, verdict: Verdict) -> None:
    clip = EncodedClip(Path("clip.mp4"), (640, 480), Fraction(25), 50, Fraction(2), sound, 1000, "mark")
    check = check_lengths(clip)
    assert (check.verdict, check.message.code) == (verdict, "check.lengths")
    assert check.message.values == {"picture": 2.0, "sound": float(sound)}


def test_the_check_says_by_how_much_and_which_way_the_sound_is_off() -> None:
    allowed = 3.0
    late, early = (check_sync(SyncReading(offset, 9, 5), allowed) for offset in (allowed, -allowed - 1))
    assert (late.verdict, late.message.code) == (Verdict.PASSED, "check.sound_later")
    assert (early.verdict, early.message.code) == (Verdict.FAILED, "check.sound_earlier")
    assert early.message.values["frames"] == allowed + 1


def test_a_mouth_that_hardly_moves_is_only_warned_about() -> None:
    check = check_sync(SyncReading(10, TRUSTED_CONFIDENCE - 0.1, 5), tolerance=3)
    assert (check.verdict, check.message.code) == (Verdict.WARNING, "check.mouth_still")

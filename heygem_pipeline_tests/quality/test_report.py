"""Reports keep what was found as codes and values, and tell it in English beside them."""

import json
from pathlib import Path
from typing import Any

from heygem_pipeline.messages.message import Message, verbatim
from heygem_pipeline.quality.report import Check, ClipReport, Verdict, read_report, write_report

REPORT = ClipReport(
    audio="王老师 🎬.wav",
    template="anna.mp4",
    output="anna.mp4",
    engine="warp",
    engine_version="9",
    device="cpu",
    tracker="mesh 1",
    frames=40,
    frame_rate="30000/1001",
    width=1280,
    height=720,
    duration=1.335,
    sound_duration=1.333,
    sync_offset_frames=-1.4,
    sync_confidence=5.5,
    own_mouth=0.25,
    seconds={"speech": 0.5, "lipsync": 1.0},
    checks=[
        Check("sound_and_picture_agree", Verdict.PASSED, Message("check.lengths", picture=1.3346, sound=1.3333)),
        Check("mouth_follows_sound", Verdict.FAILED, Message("check.sound_earlier", frames=1.4, confidence=5.5)),
    ],
    warnings=[Message("speech.noisy", decibels=7.6), Message("face.others", count=3)],
    audio_fingerprint="a" * 64,
    template_fingerprint="b" * 64,
    produce_id="c",
    bytes=1000,
    made_with={"quality": "standard", "crf": 18},
    made_at="2026-11-29T20:00:00+00:00",
)


def stored(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_report(REPORT, tmp_path / "report.json")
    assert read_report(tmp_path / "report.json") == REPORT


def test_the_file_holds_english_sentences_and_beside_them_codes_and_values(tmp_path: Path) -> None:
    write_report(REPORT, tmp_path / "report.json")
    told = stored(tmp_path / "report.json")
    assert told["warnings"] == [
        "Noise or music is only 8 dB quieter than the speech; the mouth may move with it.",
        "Besides the presenter 3 other faces are seen; one face alone is made to speak: one that moves, looks this "
        "way, and is the largest and most central.",
    ]
    assert told["warning_messages"][1] == {"code": "face.others", "values": {"count": 3}}
    assert [check["sentence"] for check in told["checks"]] == [
        "Picture 1.335 s, sound 1.333 s.",
        "The sound is 1.4 frames earlier than the mouth (confidence 5.5).",
    ]
    assert told["checks"][1]["message"]["code"] == "check.sound_earlier"


def test_a_report_of_an_earlier_version_keeps_its_sentences(tmp_path: Path) -> None:
    write_report(REPORT, tmp_path / "report.json")
    earlier = stored(tmp_path / "report.json")
    del earlier["warning_messages"]
    for check in earlier["checks"]:
        del check["message"]
    (tmp_path / "report.json").write_text(json.dumps(earlier), encoding="utf-8")
    read = read_report(tmp_path / "report.json")
    assert read.warnings == [verbatim(str(warning)) for warning in REPORT.warnings]
    assert [str(check.message) for check in read.checks] == [str(check.message) for check in REPORT.checks]
    assert read.verdict is Verdict.FAILED
